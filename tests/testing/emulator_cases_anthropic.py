"""Cases for the rules of the Anthropic Messages API."""

from __future__ import annotations

from typing import Any

from tests.testing.emulator_cases import (
    CLOSED,
    DOCUMENT,
    EPHEMERAL,
    HI,
    HOUR,
    OBJECT,
    Case,
    drop,
    message,
    messages,
    text,
    use,
)


def tool(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"name": name, "input_schema": OBJECT, **more}


def result(call_id: str = "t1", content: Any = "ok") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content}


NEW = {"anthropic-version": "2026-10-21"}
BUDGET = {"type": "enabled", "budget_tokens": 2000}
TOOLS = {"tools": [tool()]}
ANY = {"tool_choice": {"type": "any"}}
ANSWERED = (message(text()), message(use(), role="assistant"), message(result()))
THOUGHT = {"type": "thinking", "thinking": "x", "signature": "s"}
CITED = [{"type": "char_location", "cited_text": "x"}]


def inputs(schema: dict[str, Any]) -> dict[str, Any]:
    return {"tools": [tool(input_schema=schema)]}


def having(schema: dict[str, Any]) -> dict[str, Any]:
    """A closed object with one property."""
    return {**CLOSED, "properties": {"a": schema}, "required": ["a"]}


def options(number: int) -> dict[str, Any]:
    """A closed object with so many optional properties."""
    return {**CLOSED, "properties": {f"p{at}": {"type": "string"} for at in range(number)}, "required": []}


CIRCLE = {
    "A": having({"anyOf": [{"$ref": "#/$defs/B"}, {"type": "null"}]}),
    "B": having({"type": "array", "items": {"$ref": "#/$defs/A"}}),
}


def formatted(schema: dict[str, Any]) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


ANTHROPIC = [
    Case("no key", {}, status=401, headers={"x-api-key": None}),
    Case("wrong key", {}, status=401, keys=frozenset({"other"})),
    Case("no version", {}, headers={"anthropic-version": None}),
    Case("no model", drop("model")),
    Case("no messages", drop("messages")),
    Case("no max_tokens", drop("max_tokens")),
    Case("unknown model", {"model": "gpt-4o"}, status=404),
    Case("unknown key", {"top_logprobs": 1}, {"metadata": {"user_id": "u"}}),
    Case("unknown key", {"mcp_servers": []}),
    Case("unknown key", {"max_tokens": 5}, endpoint="anthropic.count_tokens"),
    Case("sampling in new version", {"temperature": 0.5}, headers=NEW),
    Case("sampling of model", {"model": "claude-opus-5", "top_k": 5}, {"model": "claude-opus-4-5", "top_k": 5}),
    Case(
        "temperature while thinking", {"thinking": BUDGET, "temperature": 0.5}, {"thinking": BUDGET, "temperature": 1}
    ),
    Case(
        "temperature and top_p",
        {"model": "claude-haiku-4-5", "temperature": 0.5, "top_p": 0.5},
        {"model": "claude-haiku-4-5", "temperature": 0.5},
    ),
    Case("temperature", {"temperature": 1.5}, {"temperature": 0.0}),
    Case("metadata", {"metadata": {"tag": "x"}}, {"metadata": {"user_id": "u"}}),
    Case("negative max_tokens", {"max_tokens": -1}, {"max_tokens": 1}),
    Case("prewarm", {"max_tokens": 0, "stream": True}, {"max_tokens": 0}),
    Case(
        "thinking type",
        {"model": "claude-opus-5", "thinking": BUDGET},
        {"model": "claude-opus-5", "thinking": {"type": "adaptive"}},
    ),
    Case("thinking type", {"thinking": {"type": "adaptive"}}, {"thinking": BUDGET}),
    Case(
        "thinking off",
        {"model": "claude-fable-5", "thinking": {"type": "disabled"}},
        {"model": "claude-opus-5", "thinking": {"type": "disabled"}},
    ),
    Case(
        "thinking off",
        {"model": "claude-opus-5", "thinking": {"type": "disabled"}, "output_config": {"effort": "max"}},
        {"model": "claude-opus-5", "thinking": {"type": "disabled"}, "output_config": {"effort": "high"}},
    ),
    Case("small budget", {"thinking": {"type": "enabled", "budget_tokens": 1023}}, {"thinking": BUDGET}),
    Case("large budget", {"thinking": BUDGET, "max_tokens": 2000}, {"thinking": BUDGET, "max_tokens": 2001}),
    Case("no effort", {"output_config": {"effort": "low"}}),
    Case(
        "effort level",
        {"model": "claude-opus-4-6", "output_config": {"effort": "xhigh"}},
        {"model": "claude-opus-4-6", "output_config": {"effort": "max"}},
    ),
    Case(
        "forced tool choice",
        {"model": "claude-opus-5-5", **TOOLS, **ANY},
        {"model": "claude-haiku-5-5", **TOOLS, **ANY},
    ),
    Case("forced while thinking", {"thinking": BUDGET, **TOOLS, **ANY}, {**TOOLS, **ANY}),
    Case("tool choice without tools", ANY, {**TOOLS, **ANY}),
    Case(
        "unknown tool",
        {**TOOLS, "tool_choice": {"type": "tool", "name": "g"}},
        {**TOOLS, "tool_choice": {"type": "tool", "name": "f"}},
    ),
    Case(
        "parallel with none",
        {**TOOLS, "tool_choice": {"type": "none", "disable_parallel_tool_use": True}},
        {**TOOLS, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    ),
    Case("tool name", {"tools": [tool("a b")]}, {"tools": [tool("a-b_2")]}),
    Case("repeated tool name", {"tools": [tool(), tool()]}, {"tools": [tool(), tool("g")]}),
    Case("tool schema", {"tools": [{"name": "f"}]}, {"tools": [{"name": "bash", "type": "bash_20250124"}]}),
    Case("union at root", inputs({**OBJECT, "anyOf": [OBJECT]}), inputs(having({"anyOf": [OBJECT]}))),
    Case(
        "property name",
        inputs({**OBJECT, "properties": {"a b": {}}}),
        inputs(having({"type": "object", "properties": {"a b": {}}})),
    ),
    Case("invalid schema", inputs(having({"type": "int"})), inputs(having({"type": "integer"}))),
    Case("invalid schema", inputs({**OBJECT, "required": "a"}), inputs({**OBJECT, "required": []})),
    Case("additional properties", formatted(OBJECT), formatted(CLOSED)),
    Case("additional properties", {"tools": [tool(strict=True)]}, {"tools": [tool()]}),
    Case(
        "schema keywords",
        formatted({**CLOSED, "properties": {"a": {"type": "string", "maxLength": 3}}}),
        formatted({**CLOSED, "properties": {"a": {"type": "string", "description": "maxLength: 3"}}}),
    ),
    *(
        Case(rule, formatted(having(bad)), formatted(having(good)))
        for rule, bad, good in (
            ("schema keywords", {"type": "array", "items": {"minimum": 1}}, {"type": "array", "items": CLOSED}),
            ("schema keywords", {"oneOf": [CLOSED, CLOSED]}, {"anyOf": [CLOSED, CLOSED]}),
            ("schema keywords", {"allOf": [{"$ref": "#/$defs/B"}]}, {"allOf": [CLOSED]}),
            ("schema minItems", {"type": "array", "minItems": 2}, {"type": "array", "minItems": 1}),
            ("schema enum", {"type": ["string", "null"], "enum": ["a", None]}, {"enum": ["a", None]}),
            ("schema enum", {"type": "string", "enum": [1]}, {"type": "integer", "enum": [1]}),
            ("optional properties", options(25), options(24)),
            ("union types", {"anyOf": [{"type": ["string", "null"]}] * 16}, {"anyOf": [{"type": "null"}] * 17}),
        )
    ),
    *(
        Case(
            "circular schema",
            formatted({**having({"$ref": "#/$defs/A"}), "$defs": {"A": bad}}),
            {"tools": [tool()], **formatted({**having({"$ref": "#/$defs/A"}), "$defs": {"A": CLOSED}})},
        )
        for bad in (having({"$ref": "#/$defs/A"}), having({"type": "array", "items": {"$ref": "#"}}))
    ),
    Case(
        "circular schema",
        {"tools": [tool(strict=True, input_schema={**having({"$ref": "#/$defs/A"}), "$defs": CIRCLE})]},
        {"tools": [tool(input_schema={**having({"$ref": "#/$defs/A"}), "$defs": CIRCLE})]},
    ),
    Case(
        "breakpoints",
        messages(message(*(text(cache_control=EPHEMERAL) for _ in range(5)))),
        messages(message(*(text(cache_control=EPHEMERAL) for _ in range(4)))),
    ),
    Case(
        "breakpoints",
        {"cache_control": EPHEMERAL, **messages(message(*(text(cache_control=EPHEMERAL) for _ in range(4))))},
        {"cache_control": EPHEMERAL, **messages(message(*(text(cache_control=EPHEMERAL) for _ in range(3))))},
    ),
    Case(
        "breakpoint value",
        messages(message(text(cache_control={"type": "ephemeral", "ttl": "2h"}))),
        messages(message(text(cache_control=HOUR))),
    ),
    Case(
        "ttl order",
        {"system": [text(cache_control=EPHEMERAL)], **messages(message(text(cache_control=HOUR)))},
        {"system": [text(cache_control=HOUR)], **messages(message(text(cache_control=EPHEMERAL)))},
    ),
    Case(
        "automatic breakpoint",
        {"cache_control": EPHEMERAL, **messages(message(text(cache_control=HOUR)))},
        {"cache_control": HOUR, **messages(message(text(cache_control=HOUR)))},
    ),
    Case(
        "breakpoint not allowed",
        messages(
            message(text()), message({**THOUGHT, "cache_control": EPHEMERAL}, text(), role="assistant"), message(text())
        ),
        messages(message(text()), message(THOUGHT, text(cache_control=EPHEMERAL), role="assistant"), message(text())),
    ),
    Case("empty conversation", {"messages": []}),
    Case("role", messages({"role": "tool", "content": "x"})),
    Case(
        "system message",
        messages(*HI, {"role": "system", "content": "x"}),
        {"model": "claude-opus-5", **messages(*HI, {"role": "system", "content": "x"})},
    ),
    Case(
        "system blocks",
        {"model": "claude-opus-5", **messages(*HI, message(DOCUMENT, role="system"))},
        {"model": "claude-opus-5", **messages(*HI, message(text(), role="system"))},
    ),
    Case(
        "prefill",
        {"model": "claude-sonnet-4-6", **messages(*HI, message(text(), role="assistant"))},
        messages(*HI, message(text(), role="assistant")),
    ),
    Case(
        "trailing whitespace",
        messages(*HI, {"role": "assistant", "content": "x "}),
        messages(*HI, {"role": "assistant", "content": "x "}, *HI),
    ),
    Case(
        "empty message", messages({"role": "user", "content": ""}), messages(*HI, {"role": "assistant", "content": ""})
    ),
    Case("empty text", messages(message(text(""), text()))),
    Case("empty text", {"system": [text("")]}, {"system": [text()]}),
    Case("blank text", messages(message(text(" \n"))), messages(message(text(" x")))),
    Case(
        "block type", messages(message({"type": "image_url", "image_url": {"url": "x"}})), messages(message(DOCUMENT))
    ),
    Case(
        "result part",
        messages(*ANSWERED[:2], message(result(content=[use()]))),
        messages(*ANSWERED[:2], message(result(content=[text()]))),
    ),
    Case(
        "breakpoint in result",
        messages(*ANSWERED[:2], message(result(content=[text(cache_control=EPHEMERAL)]))),
        messages(*ANSWERED[:2], message({**result(content=[text()]), "cache_control": EPHEMERAL})),
    ),
    Case("openai breakpoint", messages(message(text(prompt_cache_breakpoint={"mode": "explicit"})))),
    Case(
        "unsigned thinking",
        messages(*HI, message({"type": "thinking", "thinking": "x"}, text(), role="assistant"), *HI),
        messages(*HI, message(THOUGHT, text(), role="assistant"), *HI),
    ),
    Case("document from assistant", messages(*HI, message(DOCUMENT, text(), role="assistant"), *HI), headers=NEW),
    Case("citations from user", messages(message(text(citations=CITED))), headers=NEW),
    Case("call id", messages(message(text()), message(use("a|b"), role="assistant"), message(result("a|b")))),
    Case(
        "repeated call id",
        messages(message(text()), message(use(), use(), role="assistant"), message(result())),
        messages(*ANSWERED, *ANSWERED[1:]),
    ),
    Case("orphan result", messages(message(result())), messages(*ANSWERED)),
    Case(
        "unanswered call",
        messages(*ANSWERED[:2], message(text())),
        messages(*ANSWERED[:2], message(result()), message(text())),
    ),
    Case("too long", messages(message(text("x" * 800_004))), messages(message(text("x" * 799_000)))),
]
