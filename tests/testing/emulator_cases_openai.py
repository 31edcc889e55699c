"""Cases for the rules of OpenAI's two APIs."""

from __future__ import annotations

from typing import Any

from tests.testing.emulator_cases import (
    CLOSED,
    DOCUMENT,
    EPHEMERAL,
    HI,
    OBJECT,
    Case,
    drop,
    message,
    messages,
    text,
    use,
)


def function(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": OBJECT, **more}}


def flat(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, "parameters": OBJECT, **more}


def calls(*ids: str) -> dict[str, Any]:
    made = [{"id": each, "type": "function", "function": {"name": "f", "arguments": "{}"}} for each in ids]
    return {"role": "assistant", "content": None, "tool_calls": made}


def answer(call_id: str, content: Any = "ok") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def having(schema: dict[str, Any]) -> dict[str, Any]:
    """A closed object with one property."""
    return {**CLOSED, "properties": {"a": schema}, "required": ["a"]}


def json_schema(schema: dict[str, Any], *, strict: bool = True, name: str = "n") -> dict[str, Any]:
    inner = {"name": name, "schema": schema, "strict": strict}
    return {"response_format": {"type": "json_schema", "json_schema": inner}}


POINT = {"mode": "explicit"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
TALK = messages(*HI, calls("c1"), answer("c1"))
SAMPLED = {"temperature": 0.5}

OPENAI = [
    Case("no key", {}, status=401, headers={"authorization": None}),
    Case("wrong key", {}, status=401, code="invalid_api_key", keys=frozenset({"other"})),
    Case("no model", drop("model"), code="missing_required_parameter"),
    Case("no messages", drop("messages"), code="missing_required_parameter"),
    Case("unknown model on chat", {"model": "claude-opus-5"}, status=404, code="model_not_found"),
    Case("unknown model", {"model": "claude-opus-5"}, code="model_not_found", endpoint="openai.responses"),
    Case("chat key", {"top_k": 5}, {"seed": 5}, code="unknown_parameter"),
    Case("chat key", {"function": {}}, {"functions": [{"name": "f", "parameters": OBJECT}]}, code="unknown_parameter"),
    Case("responses key", {"seed": 5}, {"store": False}, code="unknown_parameter", endpoint="openai.responses"),
    Case("input_tokens key", {"store": False}, code="unknown_parameter", endpoint="openai.input_tokens"),
    Case("range of temperature", {"temperature": -1}, {"temperature": 2}, code="number_out_of_range"),
    Case("range of top_p", {"top_p": 1.1}, {"top_p": 1}, code="number_out_of_range"),
    Case("range of presence_penalty", {"presence_penalty": 3}, {"presence_penalty": -2}, code="number_out_of_range"),
    Case("range of frequency_penalty", {"frequency_penalty": -3}, {"frequency_penalty": 2}, code="number_out_of_range"),
    Case(
        "range of top_logprobs",
        {"logprobs": True, "top_logprobs": 21},
        {"logprobs": True, "top_logprobs": 20},
        code="number_out_of_range",
    ),
    Case(
        "sampling",
        {"model": "gpt-5", **SAMPLED},
        {"model": "gpt-5", "temperature": 1},
        code="unsupported_parameter",
    ),
    Case(
        "sampling",
        {"model": "gpt-5.6", **SAMPLED},
        {"model": "gpt-5.6", "reasoning_effort": "none", **SAMPLED},
        code="unsupported_parameter",
    ),
    Case(
        "effort level",
        {"model": "gpt-5.6", "reasoning_effort": "minimal"},
        {"model": "gpt-5", "reasoning_effort": "minimal"},
        code="unsupported_value",
    ),
    Case("no effort", {"reasoning_effort": "low"}, code="unsupported_parameter"),
    Case("tool name", {"tools": [function("a.b")]}, {"tools": [function("a-b")]}, code="invalid_value"),
    Case("tool choice without tools", {"tool_choice": "required"}, {"tool_choice": "required", "tools": [function()]}),
    Case("tool choice without tools", {"parallel_tool_calls": False}),
    Case(
        "tool choice without tools",
        {"parallel_tool_calls": True},
        {"parallel_tool_calls": True, "tools": [function()]},
    ),
    Case(
        "unknown tool",
        {"tools": [function()], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        {"tools": [function()], "tool_choice": {"type": "function", "function": {"name": "f"}}},
    ),
    Case(
        "strict tool",
        {"tools": [function(strict=True)]},
        {"tools": [function(strict=True, parameters=CLOSED)]},
        code="invalid_function_parameters",
    ),
    Case(
        "strict tool",
        {"tools": [flat(strict=True, parameters={**CLOSED, "required": []})]},
        {"tools": [flat(strict=True, parameters=CLOSED)]},
        code="invalid_function_parameters",
        endpoint="openai.responses",
    ),
    Case(
        "strict tool",
        {"tools": [function(strict=True, parameters=having({"allOf": [CLOSED, CLOSED]}))]},
        {"tools": [function(strict=True, parameters=having({"anyOf": [CLOSED, CLOSED]}))]},
        code="invalid_function_parameters",
    ),
    *(
        Case(
            "function schema",
            {"tools": [function(parameters=bad)]},
            {"tools": [function(parameters=good)]},
            code="invalid_function_parameters",
        )
        for bad, good in (
            ({"properties": {}}, {"type": "object", "properties": {}}),
            ({"type": "object"}, OBJECT),
            ({**OBJECT, "anyOf": [OBJECT]}, {**OBJECT, "properties": {"a": {"anyOf": [OBJECT]}}}),
            (having({"type": "array"}), having({"type": "array", "items": {}})),
            (
                having({"anyOf": [{"type": ["array", "null"], "prefixItems": [{"type": "string"}]}]}),
                having({"anyOf": [{"type": ["array", "null"], "items": {"type": "string"}}]}),
            ),
        )
    ),
    Case(
        "format schema",
        json_schema({**CLOSED, "properties": {"a": OBJECT}}),
        json_schema({**CLOSED, "properties": {"a": CLOSED}}),
        code="invalid_json_schema",
    ),
    Case(
        "format schema",
        json_schema(having({"type": "array"}), strict=False),
        json_schema(having({"type": "array", "items": {}}), strict=False),
        code="invalid_json_schema",
    ),
    Case(
        "format name", json_schema(CLOSED, name="Box[int]"), json_schema(CLOSED, name="Box_int"), code="invalid_value"
    ),
    Case(
        "format name",
        {"text": {"format": {"type": "json_schema", "name": "a name", "schema": CLOSED}}},
        {"text": {"format": {"type": "json_schema", "name": "a-name", "schema": CLOSED}}},
        code="invalid_value",
        endpoint="openai.responses",
    ),
    Case("metadata", {"store": True, "metadata": {"k": "x" * 513}}, {"store": True, "metadata": {"k": "x" * 512}}),
    Case(
        "length of safety_identifier",
        {"safety_identifier": "x" * 129},
        {"safety_identifier": "x" * 128},
        code="string_above_max_length",
    ),
    Case("stream options", {"stream_options": {"include_usage": True}}, {"stream": True, "stream_options": {}}),
    Case("cache_control", messages(message(text(cache_control=EPHEMERAL))), code="unknown_parameter"),
    Case("cache_control", {"tools": [{**function(), "cache_control": EPHEMERAL}]}, code="unknown_parameter"),
    Case(
        "breakpoints unsupported",
        messages(message(text(prompt_cache_breakpoint=POINT))),
        {"model": "gpt-5.6", **messages(message(text(prompt_cache_breakpoint=POINT)))},
        code="unsupported_parameter",
    ),
    Case(
        "breakpoint not allowed",
        {"model": "gpt-5.6", **messages(*HI, message(text(prompt_cache_breakpoint=POINT), role="assistant"), *HI)},
        {
            "model": "gpt-5.6",
            **messages(*HI, message(text(), role="assistant"), message(text(prompt_cache_breakpoint=POINT))),
        },
        code="unknown_parameter",
    ),
    Case(
        "breakpoint not allowed",
        {"model": "gpt-6-sol", "tools": [{**flat(), "prompt_cache_breakpoint": POINT}]},
        code="unknown_parameter",
        endpoint="openai.responses",
    ),
    Case(
        "cache options",
        {"model": "gpt-5.6", "prompt_cache_options": {"ttl": "12h"}},
        {"model": "gpt-5.6", "prompt_cache_options": {"ttl": "30m", "mode": "explicit"}},
        code="invalid_value",
    ),
    Case("too long", messages(message(text("x" * 512_004))), code="context_length_exceeded"),
    Case("chat.role", messages({"role": "model", "content": "x"}), code="invalid_value"),
    Case(
        "chat.no system",
        {"model": "o1-mini", **messages({"role": "system", "content": "x"}, *HI)},
        {"model": "o1", **messages({"role": "system", "content": "x"}, *HI)},
        code="unsupported_value",
    ),
    Case(
        "chat.part type",
        messages(*TALK["messages"][:2], answer("c1", [IMAGE])),
        messages(message(IMAGE)),
        code="invalid_value",
    ),
    Case("chat.part type", messages(message(DOCUMENT)), code="invalid_value"),
    Case("chat.empty content", messages({"role": "user", "content": []}), code="empty_array"),
    Case("chat.no content", messages(*HI, {"role": "assistant", "content": None}, *HI), TALK),
    Case("chat.orphan result", messages(*HI, answer("c1")), TALK),
    Case(
        "chat.unanswered call",
        messages(*HI, calls("c1", "c2"), answer("c1")),
        messages(*HI, calls("c1", "c2"), answer("c1"), answer("c2")),
    ),
    Case("chat.large max_tokens", {"max_tokens": 16_385}, {"max_tokens": 16_384}),
    Case("chat.large max_tokens", {"model": "gpt-5.1", "max_completion_tokens": 128_001}),
    Case("chat.max_tokens", {"model": "gpt-5.1", "max_tokens": 5}, {"max_tokens": 5}, code="unsupported_parameter"),
    Case(
        "chat.stop",
        {"model": "gpt-5-mini", "stop": ["x"]},
        {"model": "o3-mini", "stop": ["x"]},
        code="unsupported_parameter",
    ),
    Case("chat.stops", {"stop": list("abcde")}, {"stop": list("abcd")}, code="array_above_max_length"),
    Case("chat.top_logprobs", {"top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
    Case(
        "chat.web search",
        {"web_search_options": {}},
        {"model": "gpt-4o-search-preview", "web_search_options": {}},
        code="unsupported_parameter",
    ),
    Case("chat.responses only", {"model": "gpt-5-pro"}, status=404),
    Case(
        "chat.tools need responses",
        {"model": "gpt-6-sol", "tools": [function()]},
        {"model": "gpt-6-sol", "tools": [function()], "reasoning_effort": "none"},
    ),
]


def items(*given: dict[str, Any]) -> dict[str, Any]:
    return {"input": list(given)}


def called(call_id: str = "c1", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}", **more}


def output(call_id: str = "c1") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": "ok"}


def thought(**more: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "summary": [], **more}


ANSWER_ITEM = {"type": "message", "role": "assistant", "id": "msg_1", "content": [{"type": "output_text", "text": "x"}]}

RESPONSES = [
    Case(
        "no input",
        drop("input"),
        {"input": ..., "previous_response_id": "resp_known"},
        code="missing_required_parameter",
    ),
    Case(
        "two conversations",
        {"previous_response_id": "resp_known", "conversation": "conv_1"},
        {"conversation": "conv_1"},
        code="mutually_exclusive_parameters",
    ),
    Case(
        "unknown response",
        {"previous_response_id": "resp_other"},
        {"previous_response_id": "resp_known"},
        code="previous_response_not_found",
    ),
    Case("include", {"include": ["usage"]}, {"include": ["file_search_call.results"]}, code="invalid_value"),
    Case(
        "small max_output_tokens", {"max_output_tokens": 15}, {"max_output_tokens": 16}, code="integer_below_min_value"
    ),
    Case("item type", items(*HI, use()), items(*HI, called(), output()), code="invalid_value"),
    Case(
        "part type", items(message(text())), items(message({"type": "input_text", "text": "x"})), code="invalid_value"
    ),
    Case(
        "part type",
        items({**ANSWER_ITEM, "content": [{"type": "input_text", "text": "x"}]}),
        items(ANSWER_ITEM, *HI),
        code="invalid_value",
    ),
    Case("item id", items(called(id="call_1"), output()), items(called(id="fc_1"), output()), code="invalid_value"),
    Case(
        "call id",
        items(called("c" * 65), output("c" * 65)),
        items(called("c" * 64), output("c" * 64)),
        code="string_above_max_length",
    ),
    Case("orphan result", items(*HI, output()), items(*HI, called(), output())),
    Case("unanswered call", items(*HI, called()), items(*HI, called(), output())),
    Case("reasoning without item", items(*HI, thought(), *HI), items(*HI, thought(), ANSWER_ITEM, *HI)),
    Case("reasoning without item", items(*HI, thought(), {"role": "assistant", "content": "x"}, *HI)),
    Case(
        "unstored item",
        items(*HI, thought(), ANSWER_ITEM, *HI),
        items(*HI, thought(encrypted_content="e"), ANSWER_ITEM, *HI),
        status=404,
        unstored=frozenset({"rs_1"}),
    ),
]
