"""`output_version` on the Responses API: what a call gives, whole and streamed, and how a stored message goes back."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified.messages.output_v0 import FUNCTION_CALL_IDS
from langchain_unified.wires.openai_responses.decode import decode
from langchain_unified.wires.openai_responses.versions import in_version
from tests.wires.openai_responses.helpers import sent

THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
PART = {"type": "output_text", "text": "Fine.", "annotations": []}
SAID = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [PART]}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "f",
    "arguments": "{}",
    "status": "completed",
}


def reply(*output: dict[str, Any]) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt-test", "output": list(output)}


def in_v0(*output: dict[str, Any]) -> AIMessage:
    return in_version(decode(reply(*output))[0], reply(*output), "v0")


def test_responses_v1_is_a_list_with_ids_and_annotations():
    (message,) = decode(reply(SAID))
    assert message.content == "Fine."
    found = in_version(message, reply(SAID), "responses/v1")
    assert found.content == [{"type": "text", "text": "Fine.", "annotations": [], "id": "msg_1"}]


def test_v0_puts_the_items_beside_the_text():
    found = in_v0(THOUGHT, SEARCH, SAID, CALL)
    assert [block["text"] for block in found.content] == ["Fine."]
    assert found.additional_kwargs == {
        "reasoning": THOUGHT,
        "tool_outputs": [SEARCH],
        FUNCTION_CALL_IDS: {"call_1": "fc_1"},
    }


def test_a_message_in_v0_goes_back_as_the_items_that_it_was():
    found = in_v0(THOUGHT, SEARCH, SAID, CALL)
    result = ToolMessage("1", tool_call_id="call_1")
    items = sent(HumanMessage("Hi"), found, result)
    assert [item.get("id") for item in items[1:5]] == ["rs_1", "ws_1", "msg_1", "fc_1"]


@pytest.mark.parametrize("provider", [{}, {"model_provider": "openai"}])
def test_a_message_that_langchain_openai_stored_in_v0(provider: dict[str, str]):
    stored = AIMessage(
        [{"type": "text", "text": "Fine.", "annotations": []}],
        id="msg_1",
        additional_kwargs={"reasoning": THOUGHT, "tool_outputs": [SEARCH]},
        response_metadata={"id": "resp_1", **provider},
    )
    items = sent(HumanMessage("Hi"), stored, HumanMessage("Go on"))
    assert [item.get("id") for item in items[1:4]] == ["rs_1", "ws_1", "msg_1"]


def test_an_approval_in_v0_is_there_to_be_answered():
    request = {"type": "mcp_approval_request", "id": "mcpr_1", "name": "f", "arguments": "{}", "server_label": "s"}
    stored = AIMessage("", additional_kwargs={"tool_outputs": [request]}, response_metadata={"id": "resp_1"})
    answer = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
    assert sent(HumanMessage("Hi"), stored, HumanMessage([answer]))[1:] == [request, answer]
