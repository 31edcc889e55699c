"""Cache marks where none may go out, and on blocks that only one provider has."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_unified import ChatUnified, cached
from tests.caching.golden import (
    CALLS,
    CHAT_TOOL,
    MARK,
    OF_CACHING,
    POINT,
    RESULT,
    SPELLINGS,
    SYSTEM,
    USE,
    at,
    build,
    golden,
    keys_in,
    said,
    text,
)
from tests.support.histories import problems

# --- where nothing may go out -----------------------------------------------------------------------------------------

AZURE = "https://mine.openai.azure.com/openai/v1"
VLLM = "https://vllm.example/v1"
NOWHERE: dict[str, tuple[str, dict[str, Any], str]] = {
    "gpt-4o": ("openai/gpt-4o", {}, "has no breakpoints"),
    "gpt-5.1": ("openai/gpt-5.1", {"use_responses_api": True}, "has no breakpoints"),
    "gpt-5.5": ("openai/gpt-5.5", {"use_responses_api": True}, "has no breakpoints"),
    "an unknown server": ("openai/gpt-5.6", {"base_url": VLLM}, "not known to take them"),
    "an unknown server, responses": (
        "openai/gpt-5.6", {"base_url": VLLM, "use_responses_api": True}, "not known to take them"
    ),
    "Azure": ("openai/gpt-5.6", {"base_url": AZURE}, "not known to take them"),
    "Azure, responses": ("openai/gpt-5.6", {"base_url": AZURE, "use_responses_api": True}, "not known to take them"),
}  # fmt: skip


@pytest.mark.parametrize("server", NOWHERE)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_models_and_servers_without_breakpoints_get_nothing(server: str, spelling: str) -> None:
    name, fields, why = NOWHERE[server]
    model = ChatUnified(name, api_key="any", **fields)
    _, messages = SPELLINGS[spelling]
    report = model.check(messages, tools=[{**CHAT_TOOL, **MARK}])
    assert report.body == model.check(unmarked_like(spelling), tools=[CHAT_TOOL]).body
    assert OF_CACHING.isdisjoint(keys_in(report.body))
    (note,) = [item for item in report.adjustments if "cache" in item["what"]]
    assert note["what"] == "the prompt-cache marks"
    assert why in note["why"]


def unmarked_like(spelling: str) -> list[BaseMessage]:
    """The conversation in the form of a spelling, without its marks."""
    return [plain(message) for message in SPELLINGS[spelling][1]]


def plain(message: BaseMessage) -> BaseMessage:
    content = message.content if isinstance(message.content, str) else [bare(block) for block in message.content]
    return message.model_copy(update={"content": content, "additional_kwargs": {}})


def bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if key not in (*MARK, *POINT, "extras")}
    return [bare(item) for item in value] if isinstance(value, list) else value


def test_a_gateway_to_claude_gets_the_marks() -> None:
    model = ChatUnified("anthropic/claude-opus-5", api_key="any", max_tokens=100, base_url="https://gateway.example")
    body = model.check(at(0, cached(SYSTEM)), tools=[CHAT_TOOL]).body
    assert body == golden("anthropic", ["system.0"])


# --- what Claude alone says -------------------------------------------------------------------------------------------

CLAUDE = {"model_provider": "anthropic", "model_name": "claude-opus-5"}
CALLER = {"type": "code_execution_20260521", "tool_id": "srvtoolu_1"}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
HITS: dict[str, Any] = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
LISTING = {"type": "mcp_tool_listing", "mcp_server_name": "docs", "tools": []}


def reply(*blocks: Any, calls: list[Any] | None = None) -> AIMessage:
    return AIMessage(list(blocks), tool_calls=calls or [], response_metadata=CLAUDE)


OWN_BLOCKS: dict[str, tuple[list[dict[str, Any]], int]] = {
    "a call of a server tool": ([{**SEARCH, **MARK}, HITS, text("A.")], 0),
    "the result of a server tool": ([SEARCH, {**HITS, **MARK}, text("A.")], 1),
    "extras of a server tool's result": ([SEARCH, {**HITS, "extras": MARK}, text("A.")], 1),
    "thinking": ([text("A."), {**THOUGHT, **MARK}, text("B.")], 0),
    "thinking after a server tool": ([SEARCH, HITS, {**THOUGHT, **MARK}, text("A.")], 1),
    "redacted thinking": ([text("A."), {"type": "redacted_thinking", "data": "x", **MARK}, text("B.")], 0),
    "an empty text": ([text("A."), {**text(""), **MARK}, text("B.")], 0),
    "a listing of tools": ([text("A."), {**LISTING, **MARK}, text("B.")], 0),
}


@pytest.mark.parametrize("case", OWN_BLOCKS)
def test_a_mark_on_a_block_that_only_claude_has(case: str) -> None:
    blocks, place = OWN_BLOCKS[case]
    body = build("anthropic").check([HumanMessage("Q?"), reply(*blocks), HumanMessage("And?")]).body
    sent = [block for block in map(bare, blocks) if block != text("")]
    sent[place] = {**sent[place], **MARK}
    assert body["messages"][1]["content"] == sent
    assert body["messages"][0]["content"] == [text("Q?")]
    assert body["messages"][2]["content"] == [text("And?")]


def test_a_mark_on_first_thinking_goes_to_the_message_before() -> None:
    answer = reply({**THOUGHT, **MARK}, text("A."))
    body = build("anthropic").check([HumanMessage("Q?"), answer, HumanMessage("R?")]).body
    assert [message["content"] for message in body["messages"]] == [
        [{**text("Q?"), **MARK}],
        [THOUGHT, text("A.")],
        [text("R?")],
    ]


@pytest.mark.parametrize("on", ["call", "result"])
def test_calls_that_code_made_and_their_results_carry_no_mark(on: str) -> None:
    """The API refuses marks on both: they go to the last block before that the code did not make."""
    code = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "look_up(1)"}}
    use = {**USE, "caller": CALLER, **(MARK if on == "call" else {})}
    result = ToolMessage([{**text("42"), **(MARK if on == "result" else {})}], tool_call_id="call_1")
    body = build("anthropic").check([HumanMessage("Q?"), reply(text("A."), code, use, calls=CALLS), result]).body
    assert body["messages"][1]["content"] == [text("A."), {**code, **MARK}, {**USE, "caller": CALLER}]
    assert body["messages"][2]["content"] == [{**RESULT, "content": "42"}]


@pytest.mark.parametrize("holder", ["document", "search_result"])
def test_a_mark_inside_a_document_stands_on_the_document(holder: str) -> None:
    inner = [{**text("one"), **MARK}, text("two")]
    block: dict[str, Any] = {"type": "search_result", "source": "s", "title": "t", "content": inner}
    if holder == "document":
        block = {"type": "document", "source": {"type": "content", "content": inner}}
    asked = HumanMessage([block, text("Q?")])
    body = build("anthropic").check([asked]).body
    (first, _) = body["messages"][0]["content"]
    assert first == {**bare(block), **MARK}
    for name in ("chat", "responses"):
        parts = build(name).check([asked]).body
        parts = parts.get("messages", parts.get("input"))[0]["content"]
        assert ["prompt_cache_breakpoint" in part for part in parts][-2:] == [True, False]


@pytest.mark.parametrize("key", [MARK, POINT], ids=["cache_control", "breakpoint"])
def test_a_mark_in_a_raw_block_is_placed_like_any_other(key: dict[str, Any]) -> None:
    """Given raw, the provider's own block goes out as it is; its mark counts, and goes out in the provider's words."""
    raw_text = {"type": "non_standard", "value": {**text("Doc."), **key}}
    body = build("anthropic").check([HumanMessage([raw_text, "Q?"])]).body
    assert body["messages"][0]["content"] == [{**text("Doc."), **MARK}, text("Q?")]
    body = build("chat").check([HumanMessage([raw_text, "Q?"])]).body
    assert body["messages"][0]["content"] == [{**text("Doc."), **POINT}, text("Q?")]
    raw_said = {"type": "non_standard", "value": {**said("Doc."), **key}}
    body = build("responses").check([HumanMessage([raw_said, "Q?"])]).body
    assert body["input"][0]["content"] == [{**said("Doc."), **POINT}, said("Q?")]


def test_a_mark_inside_a_raw_block_stands_on_the_block() -> None:
    value = {"type": "search_result", "source": "s", "title": "t", "content": [{**text("Found."), **MARK}]}
    asked = [HumanMessage([{"type": "non_standard", "value": value}, "Q?"])]
    (first, _) = build("anthropic").check(asked).body["messages"][0]["content"]
    assert first == {**value, "content": [text("Found.")], **MARK}


# --- results of OpenAI's own tools ------------------------------------------------------------------------------------

SHELL = {"type": "shell_call", "id": "sh_1", "call_id": "call_1", "action": {"commands": ["ls"]}, "status": "completed"}
SCREEN = {
    "type": "computer_call", "id": "cu_1", "call_id": "call_1", "action": {"type": "screenshot"},
    "pending_safety_checks": [], "status": "completed",
}  # fmt: skip
GPT = {"model_provider": "openai", "model_name": "gpt-5.6"}


@pytest.mark.parametrize("call", [SHELL, SCREEN], ids=["shell", "computer"])
def test_results_in_another_form_carry_no_breakpoint(call: dict[str, Any]) -> None:
    answer = "https://x.test/screen.png"
    asked = [
        HumanMessage("Q?"),
        AIMessage([call], response_metadata=GPT),
        cached(ToolMessage(answer, tool_call_id="call_1")),
    ]
    body = build("responses").check(asked).body
    assert body["input"][0]["content"] == [{**said("Q?"), **POINT}]
    assert "prompt_cache_breakpoint" not in set(keys_in(body["input"][1:]))
    output = body["input"][2]["output"]
    if call is SCREEN:
        assert output == {"type": "computer_screenshot", "image_url": answer}
    else:
        assert output == [{"stdout": answer, "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    assert problems("openai_responses", body) == []
