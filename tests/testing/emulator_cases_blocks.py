"""Cases for the rules of Anthropic's content blocks and turns."""

from __future__ import annotations

from typing import Any

from tests.testing.emulator_cases import DOCUMENT, EPHEMERAL, HI, Case, message, messages, text, use
from tests.testing.emulator_cases_anthropic import (
    ANSWERED,
    ANY,
    BUDGET,
    CLOSED,
    THOUGHT,
    TOOLS,
    formatted,
    result,
    tool,
)

OPUS = {"model": "claude-opus-5"}
ASSISTANT = message(text(), role="assistant")
SYSTEM = message(text(), role="system")
PNG = "iVBORw0KGgoAAAANSUhEUg=="
JPEG = "/9j/4AAQSkZJRgABAQ=="
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
EXECUTION = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "x"}}
INNER_CALL = {**use(), "caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}}
WEB_SEARCH = {"type": "web_search_20250305", "name": "web_search"}
REDACTED = {"type": "redacted_thinking", "data": "x"}


def asked(*blocks: Any) -> dict[str, Any]:
    return messages(message(*blocks))


def answered(*blocks: Any) -> dict[str, Any]:
    """A conversation with an answer of these blocks, which goes on."""
    return messages(*HI, message(*blocks, role="assistant"), *HI)


def prefilled(*blocks: Any) -> dict[str, Any]:
    return messages(*HI, message(*(blocks or (text(),)), role="assistant"))


def returned(*results: Any, call: dict[str, Any] | None = None) -> dict[str, Any]:
    """A conversation with one tool call and these results."""
    return messages(*HI, message(call or use(), role="assistant"), message(*results))


def image(data: str = PNG, media_type: str = "image/png") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def document(**source: Any) -> dict[str, Any]:
    return {"type": "document", "source": source}


def cited(*, enabled: bool = True) -> dict[str, Any]:
    return {**DOCUMENT, "citations": {"enabled": enabled}}


BODY = [
    Case("surrogate", asked(text("half \ud83d")), asked(text("\U0001f600"))),
    Case("surrogate", {"tools": [tool(description="half \ud83d")]}, TOOLS),
    Case("top_k while thinking", {"thinking": BUDGET, "top_k": 5}, {"top_k": 5}),
    Case("temperature and top_p", {"temperature": 0.5, "top_p": 0.5}, {"top_p": 0.5}),
    Case("sampling of model", {**OPUS, "top_k": 1}, {**OPUS, "top_p": 1}),
    Case("top_p", {"top_p": 1.5}, {"top_p": 1}),
    Case("stop sequences", {"stop_sequences": ["x", " \n"]}, {"stop_sequences": [" x"]}),
    Case("stop sequences", {"stop_sequences": [""]}, {"stop_sequences": []}),
    Case("max_tokens of model", {"max_tokens": 64_001}, {"max_tokens": 64_000}),
    Case("user_id", {"metadata": {"user_id": "x" * 257}}, {"metadata": {"user_id": "x" * 256}}),
    Case("budget without enabled", {**OPUS, "thinking": {"type": "adaptive", "budget_tokens": 2000}}),
    Case("effort level", {"model": "claude-opus-4-6", "output_config": {"effort": "most"}}),
    Case("output format", {"output_config": {"format": {"type": "json_schema", "schema": CLOSED, "name": "n"}}}),
    Case("output format", {"output_config": {"format": {"type": "json_object", "schema": CLOSED}}}),
    Case("output format", {"output_config": {"format": {"type": "json_schema"}}}, formatted(CLOSED)),
    Case("no output format", {"model": "claude-sonnet-4-0", **formatted(CLOSED)}, formatted(CLOSED)),
    Case(
        "no output format",
        {"model": "claude-opus-4-0", "tools": [tool(strict=True, input_schema=CLOSED)]},
        {"tools": [tool(strict=True, input_schema=CLOSED)]},
    ),
]

TOOL_CASES = [
    Case("server tool in count", {"tools": [WEB_SEARCH]}, TOOLS, endpoint="anthropic.count_tokens"),
    Case("tool choice", {**TOOLS, "tool_choice": {"type": "required"}}, {**TOOLS, "tool_choice": {"type": "auto"}}),
    Case(
        "all deferred",
        {"tools": [tool(defer_loading=True)]},
        {"tools": [tool(defer_loading=True), {"type": "tool_search_tool_regex_20251119", "name": "s"}]},
    ),
    Case(
        "domain lists",
        {"tools": [{**WEB_SEARCH, "allowed_domains": ["a.example"], "blocked_domains": ["b.example"]}]},
        {"tools": [{**WEB_SEARCH, "allowed_domains": ["a.example"]}]},
    ),
    Case(
        "strict tools",
        {"tools": [tool(f"f{at}", strict=True, input_schema=CLOSED) for at in range(21)]},
        {"tools": [tool(f"f{at}", strict=at < 20, input_schema=CLOSED) for at in range(21)]},
    ),
    Case(
        "breakpoint on deferred tool",
        {"tools": [tool("g"), tool(defer_loading=True, cache_control=EPHEMERAL)]},
        {"tools": [tool("g", cache_control=EPHEMERAL), tool(defer_loading=True)]},
    ),
]

BLOCKS = [
    Case("empty text", asked(text("", cache_control=EPHEMERAL), text())),
    Case("content", messages({"role": "user", "content": [text(), "bare"]}), asked(text())),
    Case("content", messages({"role": "user", "content": 5})),
    Case("block key", asked(text(id="lc_1")), asked(text(cache_control=EPHEMERAL))),
    Case("block key", returned(result(content=[text(id="lc_1")])), returned(result(content=[text()]))),
    Case("block key", answered({**THOUGHT, "index": 0}, text()), answered(THOUGHT, text())),
    Case("block key", answered({**SEARCH, "parsed_output": None}, FOUND, text()), answered(SEARCH, FOUND, text())),
    Case("block of other role", asked(THOUGHT, text()), answered(THOUGHT, text())),
    Case("block of other role", asked(SEARCH, FOUND, text())),
    Case(
        "call name",
        returned(result(), call={**use(), "name": "a.b"}),
        returned(result(), call={**use(), "name": "a" * 200}),
    ),
    Case("call name", returned(result(), call={**use(), "name": ""})),
    Case("call id", returned(result("a b"), call=use("a b"))),
    Case("server call id", answered({**SEARCH, "id": "ws_1"}, {**FOUND, "tool_use_id": "ws_1"}, text())),
    Case("call input", returned(result(), call={**use(), "input": "{}"}), returned(result())),
    Case("call input", answered({**SEARCH, "input": None}, FOUND, text())),
    Case("empty error", returned({**result(content=""), "is_error": True}), returned(result(content=""))),
    Case("empty error", returned({**result(content=[]), "is_error": True}), returned({**result(), "is_error": True})),
    Case("result content", returned(result(content={"a": 1})), returned(result(content=None))),
    Case("thinking text", answered({"type": "thinking", "signature": "s"}, text())),
    Case("thinking text", answered({**REDACTED, "data": ""}, text()), answered(REDACTED, text())),
    Case("unsigned thinking", answered({**THOUGHT, "signature": ""}, text())),
    Case("blank text", {"system": [text(" ")]}, {"system": [text("x ")]}),
    Case("repeated result", returned(result(), result()), returned(result())),
    Case("repeated call id", messages(*HI, message(use(), use(), role="assistant"), message(result()))),
    Case("unanswered call", returned(text(), result()), returned(result(), text())),
    Case("source type", asked({"type": "image", "source": {"type": "text", "data": "x"}}), asked(image())),
    Case("source type", asked(document(type="image", data=PNG)), asked(document(type="file", file_id="f"))),
    Case(
        "source url",
        asked(document(type="url", url="s3://bucket/a.pdf")),
        asked(document(type="url", url="https://example.com/a.pdf")),
    ),
    Case("source url", returned(result(content=[{"type": "image", "source": {"type": "url", "url": "ftp://a/b"}}]))),
    Case("image type", asked(image(media_type="image/svg+xml")), asked(image())),
    Case("document type", asked(document(type="base64", media_type="text/csv", data="YQ=="))),
    Case("document type", asked(document(type="text", media_type="text/csv", data="a")), asked(DOCUMENT)),
    Case("text source", asked(document(type="text", media_type="text/plain"))),
    Case("base64", asked(image("data:image/png;base64," + PNG)), asked(image(PNG[:8] + "\n" + PNG[8:]))),
    Case("base64", asked(document(type="base64", media_type="application/pdf", data="")), asked(DOCUMENT)),
    Case("image of other type", asked(image(JPEG)), asked(image(JPEG, "image/jpeg"))),
    Case("citations of some", asked(cited(), DOCUMENT, text()), asked(cited(), cited(), text())),
    Case(
        "citations with format",
        {**asked(cited(), text()), **formatted(CLOSED)},
        {**asked(cited(enabled=False), text()), **formatted(CLOSED)},
    ),
]

TURNS = [
    Case("prefill", {**OPUS, **prefilled()}, {**OPUS, **prefilled(SEARCH, FOUND, text())}),
    Case("system first", {**OPUS, **messages(SYSTEM, *HI)}, {**OPUS, **messages(*HI, SYSTEM)}),
    Case(
        "system before user",
        {**OPUS, **messages(*HI, SYSTEM, *HI)},
        {**OPUS, **messages(*HI, SYSTEM, ASSISTANT, *HI)},
    ),
    Case(
        "system after assistant",
        {**OPUS, **messages(*HI, ASSISTANT, SYSTEM)},
        {**OPUS, **messages(*HI, message(SEARCH, FOUND, role="assistant"), SYSTEM)},
    ),
    Case("server result without use", answered(FOUND, text()), answered(SEARCH, FOUND, text())),
    Case("server use without result", answered(SEARCH, text()), messages(*HI, message(SEARCH, role="assistant"))),
    Case(
        "server use without result",
        messages(*HI, message(text(), SEARCH, use(), role="assistant"), message(result(), text())),
        messages(*HI, message(text(), SEARCH, use(), role="assistant"), message(result())),
    ),
    Case(
        "no container",
        messages(*HI, message(EXECUTION, INNER_CALL, role="assistant"), message(result())),
        {"container": "c", **messages(*HI, message(EXECUTION, INNER_CALL, role="assistant"), message(result()))},
    ),
    Case("prefill with forced tool", {**prefilled(), **TOOLS, **ANY}, {**prefilled(), **TOOLS}),
    Case("prefill with format", {**prefilled(), **formatted(CLOSED)}, formatted(CLOSED)),
    Case("prefill while thinking", {**prefilled(), "thinking": BUDGET}, prefilled()),
    Case("thinking last", answered(text(), THOUGHT), answered(THOUGHT, text())),
    Case("thinking last", answered(REDACTED)),
    Case(
        "thinking in prefill",
        prefilled(THOUGHT, text()),
        {**prefilled(THOUGHT, text()), "thinking": BUDGET},
    ),
    Case(
        "tool loop without thinking",
        {**TOOLS, "thinking": BUDGET, **messages(*ANSWERED)},
        {**TOOLS, "thinking": BUDGET, **messages(*ANSWERED, ASSISTANT, *HI)},
    ),
    Case(
        "tool loop without thinking",
        {
            **TOOLS,
            "thinking": BUDGET,
            **messages(*ANSWERED, message(THOUGHT, use("t2"), role="assistant"), message(result("t2"))),
        },
        {**TOOLS, "thinking": BUDGET, **messages(*HI, message(THOUGHT, use(), role="assistant"), message(result()))},
    ),
]

ANTHROPIC_BLOCKS = [*BODY, *TOOL_CASES, *BLOCKS, *TURNS]
