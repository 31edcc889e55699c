"""Cases for the rules of OpenAI's content parts, tools, formats and items."""

from __future__ import annotations

from typing import Any

from tests.testing.emulator_cases import CLOSED, HI, Case, message, messages, text
from tests.testing.emulator_cases_openai import (
    ANSWER_ITEM,
    POINT,
    TALK,
    answer,
    called,
    calls,
    flat,
    function,
    having,
    items,
    json_schema,
    output,
    thought,
)

PNG = "data:image/png;base64,iVBORw0KGgo="
ON_RESPONSES = "openai.responses"
GPT_5: dict[str, Any] = {"model": "gpt-5"}
UNKNOWN: dict[str, Any] = {"code": "unknown_parameter"}
INVALID: dict[str, Any] = {"code": "invalid_value"}
MISSING: dict[str, Any] = {"code": "missing_required_parameter"}
WRONG_TYPE: dict[str, Any] = {"code": "invalid_type"}
TOO_LONG: dict[str, Any] = {"code": "string_above_max_length"}
UNSUPPORTED: dict[str, Any] = {"code": "unsupported_parameter"}
BAD_SCHEMA: dict[str, Any] = {"code": "invalid_json_schema"}


def image(url: Any = PNG, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def input_image(**more: Any) -> dict[str, Any]:
    return {"type": "input_image", **more}


def file(**more: Any) -> dict[str, Any]:
    return {"type": "file", "file": more}


def audio(data: str = "AAAA", kind: str = "wav") -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}


def asked(*parts: Any) -> dict[str, Any]:
    return messages(message(*parts))


def named_call(name: str = "f", **more: Any) -> dict[str, Any]:
    """A conversation with one call of this name."""
    made = {"id": "c1", "type": "function", "function": {"name": name, "arguments": "{}"}, **more}
    return messages(*HI, {"role": "assistant", "content": None, "tool_calls": [made]}, answer("c1"))


def formatted(**more: Any) -> dict[str, Any]:
    return {"text": {"format": {"type": "json_schema", "name": "n", "schema": CLOSED, **more}}}


def nested(levels: int) -> dict[str, Any]:
    return CLOSED if levels == 1 else having(nested(levels - 1))


PARAMS = [
    Case("surrogate", asked(text("half \ud83d")), asked(text("\U0001f600"))),
    Case("surrogate", {"input": "half \ud83d"}, endpoint=ON_RESPONSES),
    Case("range of n", {"n": 0}, {"n": 2}, code="number_out_of_range"),
    Case("range of max_tokens", {"max_tokens": 0}, {"max_tokens": 1}, code="number_out_of_range"),
    Case(
        "range of max_completion_tokens",
        {"max_completion_tokens": 0},
        {"max_completion_tokens": 1},
        code="number_out_of_range",
    ),
    Case("metadata", {"store": True, "metadata": {"k": 1}}, {"store": True, "metadata": {"k": "1"}}),
    Case("metadata", {"metadata": {"k" * 65: "1"}}, {"metadata": {"k" * 64: "1"}}, endpoint=ON_RESPONSES),
    Case("metadata without store", {"metadata": {"k": "1"}}, {"store": True, "metadata": {"k": "1"}}),
    Case("length of user", {"user": "x" * 65}, {"user": "x" * 64}, **TOO_LONG),
    Case("length of prompt_cache_key", {"prompt_cache_key": "x" * 65}, {"prompt_cache_key": "x" * 64}, **TOO_LONG),
    Case("parameter value", {"verbosity": "loud"}, {"verbosity": "low"}, **INVALID),
    Case("parameter value", {"service_tier": "cheap"}, {"service_tier": "flex"}, **INVALID),
    Case("parameter value", {"truncation": "middle"}, {"truncation": "auto"}, **INVALID, endpoint=ON_RESPONSES),
    Case(
        "parameter value",
        {**GPT_5, "reasoning": {"summary": "long"}},
        {**GPT_5, "reasoning": {"summary": "auto"}},
        **INVALID,
        endpoint=ON_RESPONSES,
    ),
    Case(
        "sampling",
        {**GPT_5, "include": ["message.output_text.logprobs"]},
        {"include": ["message.output_text.logprobs"]},
        **UNSUPPORTED,
        endpoint=ON_RESPONSES,
    ),
    Case("sampling", {**GPT_5, "logprobs": True}, {"logprobs": True}, **UNSUPPORTED),
    Case("sampling", {"model": "gpt-6.1-terra", "temperature": 0.5}, **UNSUPPORTED),
    Case("no effort", {"reasoning": {"summary": "auto"}}, **UNSUPPORTED, endpoint=ON_RESPONSES),
    Case(
        "no encrypted reasoning",
        {"include": ["reasoning.encrypted_content"]},
        {**GPT_5, "include": ["reasoning.encrypted_content"]},
        endpoint=ON_RESPONSES,
    ),
    Case(
        "breakpoint mode",
        {"model": "gpt-5.6", **asked(text(prompt_cache_breakpoint={}))},
        {"model": "gpt-5.6", **asked(text(prompt_cache_breakpoint=POINT))},
        **INVALID,
    ),
    Case(
        "retention unsupported",
        {"model": "gpt-5.6", "prompt_cache_retention": "24h"},
        {"model": "gpt-5.1", "prompt_cache_retention": "24h"},
        **UNSUPPORTED,
    ),
]

TOOLS = [
    Case("number of tools", {"tools": [function(f"f{at}") for at in range(129)]}, {"tools": [function()]}),
    Case("number of tools", {"tools": []}),
    Case("incomplete tool", {"tools": [{"function": {"name": "f"}}]}, {"tools": [function()]}, **MISSING),
    Case("incomplete tool", {"tools": [{"type": "function", "name": "f"}]}, **MISSING),
    Case("incomplete tool", {"tools": [function()]}, {"tools": [flat()]}, **MISSING, endpoint=ON_RESPONSES),
    Case("tool type", {"tools": [{"type": "web_search"}]}, {"tools": [function()]}, **INVALID),
    Case(
        "nested tool",
        {"tools": [{**flat(), "function": {}}]},
        {"tools": [flat()]},
        **UNKNOWN,
        endpoint=ON_RESPONSES,
    ),
    Case("tool choice", {"tools": [function()], "tool_choice": "any"}, {"tools": [function()], "tool_choice": "auto"}),
    Case("tool choice", {"tools": [function()], "tool_choice": {"name": "f"}}),
    Case("tool choice", {"tools": [function()], "tool_choice": {"type": "function", "name": "f"}}),
    Case(
        "tool choice",
        {"tools": [flat()], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tools": [flat()], "tool_choice": {"type": "function", "name": "f"}},
        endpoint=ON_RESPONSES,
    ),
    Case("tool choice", {"tools": [flat()], "tool_choice": {"type": "allowed_tools"}}, endpoint=ON_RESPONSES),
    Case("tool choice without tools", {"tool_choice": "auto"}),
    Case("tool choice without tools", {"tool_choice": "required"}, {"tool_choice": "auto"}, endpoint=ON_RESPONSES),
    Case(
        "unknown tool",
        {"tools": [flat()], "tool_choice": {"type": "web_search"}},
        {"tools": [flat(), {"type": "web_search"}], "tool_choice": {"type": "web_search"}},
        endpoint=ON_RESPONSES,
    ),
    Case(
        "web search at minimal effort",
        {**GPT_5, "tools": [{"type": "web_search"}], "reasoning": {"effort": "minimal"}},
        {**GPT_5, "tools": [{"type": "web_search"}], "reasoning": {"effort": "low"}},
        endpoint=ON_RESPONSES,
    ),
]

FORMATS = [
    Case("format type", {"response_format": {"type": "json"}}, {"response_format": {"type": "text"}}, **INVALID),
    Case("format type", {"text": {"format": {"type": "yaml"}}}, **INVALID, endpoint=ON_RESPONSES),
    Case("format name", formatted(name=""), formatted(), **INVALID, endpoint=ON_RESPONSES),
    Case("format name", json_schema(CLOSED, name="n" * 65), json_schema(CLOSED), **INVALID),
    Case("format without schema", formatted(schema=None), formatted(), **MISSING, endpoint=ON_RESPONSES),
    Case(
        "json not mentioned",
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_object"}, **messages({"role": "user", "content": "as JSON"})},
    ),
    *(
        Case("format schema", json_schema(bad), json_schema(good), **BAD_SCHEMA)
        for bad, good in (
            ({"type": "array", "items": CLOSED}, CLOSED),
            ({"anyOf": [CLOSED, CLOSED]}, having({"anyOf": [CLOSED, CLOSED]})),
            ({**CLOSED, "required": ["a", "b"]}, CLOSED),
            (having({"$ref": "#/$defs/A", "description": "x"}) | {"$defs": {"A": CLOSED}}, CLOSED),
            (having({"description": "x"}), having({"type": "string", "description": "x"})),
            (
                having({"type": "array", "uniqueItems": True, "items": CLOSED}),
                having({"type": "array", "items": CLOSED}),
            ),
            (having({"type": "string", "format": "uri"}), having({"type": "string", "format": "date"})),
            (nested(11), nested(10)),
        )
    ),
]

CONTENT = [
    Case("part key", asked(text(id="lc_1")), asked(text()), **UNKNOWN),
    Case("part key", items(message({"type": "input_text", "text": "x", "index": 0})), **UNKNOWN, endpoint=ON_RESPONSES),
    Case("part text", asked(text(None)), **WRONG_TYPE),
    Case(
        "one image source",
        items(message(input_image(image_url=PNG, file_id="f"))),
        items(message(input_image(file_id="f"))),
        **INVALID,
        endpoint=ON_RESPONSES,
    ),
    Case("one image source", asked({"type": "image_url", "image_url": PNG}), **INVALID),
    Case("image", asked(image("iVBORw0KGgo=")), asked(image()), **INVALID),
    Case("image", asked(image("data:image/png;base64,")), **INVALID),
    Case("image", asked(image("data:image/png;base64,???")), **INVALID),
    Case("image", asked(image("data:image/tiff;base64,AAAA")), **INVALID),
    Case("image", asked(image("s3://bucket/a.png")), asked(image("https://example.com/a.png")), **INVALID),
    Case("image detail", asked(image(detail="best")), asked(image(detail="high")), **INVALID),
    Case("one file source", asked(file(filename="a.pdf")), asked(file(file_id="f")), **INVALID),
    Case(
        "one file source",
        items(message({"type": "input_file", "file_id": "f", "file_url": "https://example.com/a.pdf"})),
        items(message({"type": "input_file", "file_url": "https://example.com/a.pdf"})),
        **INVALID,
        endpoint=ON_RESPONSES,
    ),
    Case("file", asked(file(file_data="AAAA", filename="a")), **INVALID),
    Case(
        "file",
        asked(file(file_data="data:audio/wav;base64,AAAA", filename="a.wav")),
        asked(file(file_data="data:application/pdf;base64,AAAA", filename="a.pdf")),
        **INVALID,
    ),
    Case(
        "file",
        items(message({"type": "input_file", "file_url": "https://example.com/a.mp3"})),
        **INVALID,
        endpoint=ON_RESPONSES,
    ),
    Case(
        "audio",
        {"model": "gpt-audio", **asked(audio(kind="ogg"))},
        {"model": "gpt-audio", **asked(audio())},
        **INVALID,
    ),
    Case("audio unsupported", asked(audio()), {"model": "gpt-audio", **asked(audio())}, **INVALID),
]

CHAT = [
    Case("chat.no conversation", {"messages": []}),
    Case("chat.message key", messages({**HI[0], "id": "m"}), messages({**HI[0], "name": "n"}), **UNKNOWN),
    Case("chat.content", messages({"role": "user", "content": 5}), **WRONG_TYPE),
    Case("chat.content", messages({"role": "user", "content": ["bare", text()]}), **WRONG_TYPE),
    Case("chat.message name", messages({**HI[0], "name": "a b"}), messages({**HI[0], "name": "a.b"}), **INVALID),
    Case(
        "chat.empty tool calls",
        messages(*HI, {"role": "assistant", "content": "x", "tool_calls": []}, *HI),
        code="empty_array",
    ),
    Case("chat.tool call", named_call(type="tool"), named_call(), **INVALID),
    Case("chat.tool call", named_call(function={"name": "f", "arguments": {}}), **INVALID),
    Case("chat.call name", named_call("multi_tool_use.parallel"), named_call("multi_tool_use_parallel"), **INVALID),
    Case("chat.call name", named_call("x" * 65), named_call("x" * 64), **INVALID),
    Case(
        "chat.call id",
        messages(*HI, calls("c" * 41), answer("c" * 41)),
        messages(*HI, calls("c" * 40), answer("c" * 40)),
        **TOO_LONG,
    ),
    Case("chat.call id", messages(*HI, calls(""), answer("")), TALK, **TOO_LONG),
    Case(
        "chat.two limits",
        {"max_tokens": 5, "max_completion_tokens": 5},
        {"max_completion_tokens": 5},
        code="invalid_parameter_combination",
    ),
]

RESPONSES_ITEMS = [
    Case("no input", {"input": []}, {"input": [], "conversation": "conv_1"}, **MISSING),
    Case("background", {"background": True, "store": False}, {"background": True}),
    Case("background", {"background_options": {"completion_window": "2h"}}),
    Case("context management", {"context_management": {"type": "compaction"}}, **WRONG_TYPE),
    Case(
        "context management",
        {"context_management": [{"type": "trim"}]},
        {"context_management": [{"type": "compaction", "compact_threshold": 1000}]},
        **WRONG_TYPE,
    ),
    Case("instructions", {"instructions": ["x"]}, {"instructions": "x"}, **WRONG_TYPE),
    Case(
        "stream option",
        {"stream": True, "stream_options": {"include_usage": True}},
        {"stream": True, "stream_options": {"include_obfuscation": False}},
        **UNKNOWN,
    ),
    Case(
        "part type",
        items(*HI, called(), {**output(), "output": [text()]}),
        items(*HI, called(), {**output(), "output": [{"type": "input_text", "text": "x"}]}),
        **INVALID,
    ),
    Case("item key", items(*HI, thought(encrypted_content="e", status=None), ANSWER_ITEM, *HI), **UNKNOWN),
    Case("item key", items({**HI[0], "name": "n"}), items(*HI), **UNKNOWN),
    Case("incomplete item", items(*HI, called(arguments=None), output()), items(*HI, called(), output()), **MISSING),
    Case("role", items({"role": "tool", "content": "x"}), items({"role": "developer", "content": "x"}), **INVALID),
    Case("content", items({"role": "user", "content": None}), **WRONG_TYPE),
    Case("content", items(*HI, called(), {**output(), "output": {"a": 1}}), **WRONG_TYPE),
    Case("call name", items(*HI, called(name="a.b"), output()), items(*HI, called(name="a-b"), output()), **INVALID),
    Case("empty call id", items(*HI, called(""), output("")), code="string_below_min_length"),
    Case("item id characters", items(*HI, called(id="fc_a b"), output()), **INVALID),
    Case("item id characters", items(*HI, called(id="fc_" + "x" * 62), output()), **INVALID),
    Case("repeated item", items(*HI, ANSWER_ITEM, *HI, ANSWER_ITEM, *HI), items(*HI, ANSWER_ITEM, *HI)),
    Case(
        "unanswered call",
        items(*HI, {"type": "shell_call", "call_id": "c1", "action": {"commands": ["ls"]}}, *HI),
        items(
            *HI,
            {"type": "shell_call", "call_id": "c1", "action": {"commands": ["ls"]}},
            {"type": "shell_call_output", "call_id": "c1", "output": []},
        ),
    ),
    Case(
        "unstored item",
        {"store": False, **items(*HI, thought(), ANSWER_ITEM, *HI)},
        {"store": False, **items(*HI, thought(encrypted_content="e"), {"role": "assistant", "content": "x"}, *HI)},
        status=404,
    ),
    Case("unstored item", {"store": False, **items(*HI, {"type": "item_reference", "id": "rs_1"})}, status=404),
    Case(
        "item without reasoning",
        items(*HI, called(id="fc_1"), output()),
        items(*HI, thought(), called(id="fc_1"), output()),
        reasoning={"fc_1": "rs_1"},
    ),
]

OPENAI_ITEMS = [*PARAMS, *TOOLS, *FORMATS, *CONTENT, *CHAT]
