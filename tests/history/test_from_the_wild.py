"""What stopped streams, edits and other programs leave in a message, as the next call sends it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage

from langchain_unified import ChatUnified
from langchain_unified.chat_models import _plan
from langchain_unified.errors import UnsupportedContentError
from langchain_unified.testing.emulation.rules import refusals
from langchain_unified.testing.emulation.rules.rule import EmulatedCall
from tests.support.corpus import ENDPOINT_OF

MODELS = {
    "messages": ChatUnified("anthropic/claude-opus-5-5", api_key="any", on_unsupported="ignore"),
    "chat": ChatUnified("openai/gpt-4o", api_key="any", on_unsupported="ignore"),
    "responses": ChatUnified("openai/gpt-5.6", api_key="any", on_unsupported="ignore", use_responses_api=True),
}
each_model = pytest.mark.parametrize("name", MODELS)
BY = {"anthropic": {"model_provider": "anthropic"}, "openai": {"model_provider": "openai"}, "nobody": {}}
HEADERS = {"x-api-key": "any", "authorization": "Bearer any", "anthropic-version": "2023-06-01"}


def sent(model: ChatUnified, *messages: BaseMessage) -> str:
    """The conversation as it is sent. The emulator takes it."""
    plan = _plan.make(model, list(messages), {}, stream=False)
    call = EmulatedCall(ENDPOINT_OF[plan.wire.name], plan.call.body, {**HEADERS, **plan.call.headers})
    assert [found.message for found in refusals(call)] == []
    return str(plan.call.body.get("messages") or plan.call.body.get("input"))


def around(content: Any, metadata: dict[str, Any], **fields: Any) -> list[BaseMessage]:
    answer = AIMessage("", response_metadata=metadata, **fields).model_copy(update={"content": content})
    return [HumanMessage("Ask."), answer, HumanMessage("And now?")]


@each_model
@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("content", [None, 5, True, {"a": 1}, (), [None], [5], [[]], [{}], [{"type": None}],
                                     [{"type": "text"}], [{"type": "thinking"}],
                                     [{"type": "tool_result"}]])  # fmt: skip
def test_any_content_that_was_set_into_an_answer(name: str, by: str, content: Any) -> None:
    assert "And now?" in sent(MODELS[name], *around(content, BY[by]))


@each_model
@pytest.mark.parametrize("content", [5, {"a": 1}, [{}], [None], [{"type": None}]])
def test_content_that_a_caller_set_is_refused_with_its_place(name: str, content: Any) -> None:
    question = HumanMessage("").model_copy(update={"content": content})
    with pytest.raises(UnsupportedContentError, match="in message 2 "):
        sent(MODELS[name], HumanMessage("Ask."), AIMessage("Answer."), question)


WRAPPED = {
    "thinking": {"type": "thinking", "thinking": "hm", "signature": "s"},
    "tool_use": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"q": "v"}},
    "server_tool_use": {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
    "web_search_call": {
        "type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"},
        "index": 3,
    },
    "refusal": {"type": "refusal", "refusal": "No."},
}  # fmt: skip


@each_model
@pytest.mark.parametrize("kind", WRAPPED)
def test_a_block_that_core_wrapped_because_nobody_is_named(name: str, kind: str) -> None:
    """Core puts what it does not recognise into `non_standard`, and the call beside it."""
    answer = AIMessage([WRAPPED[kind], {"type": "text", "text": "Said."}])
    if kind == "tool_use":
        answer.tool_calls = [{"name": "f", "args": {"q": "v"}, "id": "toolu_1", "type": "tool_call"}]
    stored = answer.model_copy(update={"content": answer.content_blocks, "response_metadata": {"output_version": "v1"}})
    found = sent(MODELS[name], HumanMessage("Ask."), stored, HumanMessage("And now?"))
    assert "Said." in found
    assert "non_standard" not in found
    assert found.count("'v'") + found.count('"v"') == (1 if kind == "tool_use" else 0)


@each_model
@pytest.mark.parametrize("args", ["", '{"query": "wea', '{"query": "weather"}'])
def test_a_server_tools_call_that_stopped(name: str, args: str) -> None:
    chunk = {"type": "server_tool_call_chunk", "id": "srvtoolu_1", "name": "web_search", "args": args, "index": 0}
    stopped = AIMessageChunk([chunk], response_metadata={"model_provider": "anthropic", "output_version": "v1"})
    found = sent(MODELS[name], HumanMessage("Ask."), stopped, HumanMessage("And now?"))
    assert "web_search" in found
    assert ("weather" in found) == (args == '{"query": "weather"}')


@each_model
def test_a_list_of_mcp_tools_that_stopped(name: str) -> None:
    listed = {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "wiki", "index": 0}
    content = [listed, {"type": "text", "text": "Said.", "id": "msg_1", "index": 1}]
    assert "Said." in sent(MODELS[name], *around(content, BY["openai"]))


def test_a_started_answer_keeps_no_thinking_where_claude_does_not_think() -> None:
    content = [WRAPPED["thinking"], {"type": "text", "text": "The answer is"}]
    answer = around(content, BY["anthropic"])[:2]
    found = sent(ChatUnified("anthropic/claude-sonnet-4-5", api_key="any"), *answer)
    assert "The answer is" in found
    assert "hm" not in found
    thinks = ChatUnified(
        "anthropic/claude-sonnet-4-5", api_key="any", thinking={"type": "enabled", "budget_tokens": 2000}
    )
    assert "hm" in sent(thinks, *answer)


def test_output_only_keys_in_the_result_of_a_server_tool() -> None:
    ran = {"type": "code_execution_result", "stdout": "5", "stderr": "", "return_code": 0, "content": [],
           "abort_reason": None}  # fmt: skip
    content = [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "5"}},
        {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": ran},
        {"type": "text", "text": "It is 5."},
    ]
    found = sent(MODELS["messages"], *around(content, BY["anthropic"]))
    assert "'stdout': '5'" in found
    assert "abort_reason" not in found


RAN = [
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"q": "v"}'},
    {"type": "function_call_output", "id": "fco_1", "call_id": "call_1", "output": "42"},
    {"type": "text", "text": "It is 42.", "id": "msg_1"},
]


@each_model
@pytest.mark.parametrize("streamed", [False, True])
def test_a_call_that_the_same_answer_has_a_result_for(name: str, streamed: bool) -> None:
    """Nobody runs it again, and no other provider hears that it was not run."""
    broken = [{"name": "f", "args": '{"q": "v"}]', "id": "call_1", "error": None, "type": "invalid_tool_call"}]
    answer = AIMessage(RAN, invalid_tool_calls=broken if streamed else [], response_metadata=BY["openai"])
    found = sent(MODELS[name], HumanMessage("Ask."), answer, HumanMessage("And now?"))
    assert "42" in found
    assert "not run" not in found
    if name != "responses":
        assert "[f was called with v]\\n\\n[f returned: 42]\\n\\nIt is 42." in found


def test_a_trailing_answer_that_ends_in_thinking_is_continued() -> None:
    answer = around([{"type": "text", "text": "The answer is"}, WRAPPED["thinking"]], BY["anthropic"])[:2]
    assert "Continue from exactly where" in sent(MODELS["messages"], *answer)
