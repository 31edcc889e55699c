"""The container of code execution that a call names."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified import ChatAnthropic
from langchain_unified.chat_models import _answer, _plan

CODE = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "x"}}
CALL = {
    "type": "tool_use",
    "id": "toolu_1",
    "name": "f",
    "input": {},
    "caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"},
}
DONE = {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {}}
SKILLS = {"skills": [{"type": "anthropic", "skill_id": "pptx"}]}


def history(*blocks: Any) -> list[Any]:
    metadata = {"model_provider": "anthropic", "container": {"id": "container_1", "expires_at": "2030-01-01T00:00:00Z"}}
    calls = [{"id": "toolu_1", "name": "f", "args": {}}]
    reply = AIMessage([*blocks], tool_calls=calls, response_metadata=metadata)
    return [HumanMessage("q"), reply, ToolMessage("r", tool_call_id="toolu_1")]


def container_of(messages: list[Any], **fields: Any) -> Any:
    model = ChatAnthropic("claude-opus-5", api_key="k", on_unsupported="ignore", **fields)
    return _plan.make(model, messages, {}, stream=False).call.body.get("container")


def test_code_that_waits_for_a_result_needs_its_container():
    """anthropic-sdk-typescript#1114: container_id is required when there are pending tool uses."""
    assert container_of(history(CODE, CALL)) == "container_1"
    assert container_of(history(CODE, {**CALL, "caller": {"type": "direct"}})) is None
    assert container_of(history(CODE, CALL, DONE)) is None
    assert container_of([*history(CODE, CALL), AIMessage("a"), HumanMessage("b")]) is None


@pytest.mark.parametrize("fields", [{}, {"reuse_last_container": True}])
def test_skills_and_the_container_of_the_last_reply_go_together(fields: dict[str, Any]):
    assert container_of(history(CODE, CALL), container=SKILLS, **fields) == {"id": "container_1", **SKILLS}
    assert container_of(history(CODE, CALL), container="mine", **fields) == "mine"


def test_thinking_that_the_server_dropped_is_listed():
    found = {"type": "thinking_dropped", "path": "messages.1.content.0", "reason": "prefix_binding_mismatch"}
    message = AIMessage("a", response_metadata={"input_transformations": [found]})
    plan = _plan.make(ChatAnthropic("claude-opus-5-5", api_key="k"), [HumanMessage("q")], {}, stream=False)
    _answer.add_cache_report(plan, message)
    (listed,) = message.response_metadata["adjustments"]
    assert listed["what"] == "earlier thinking (messages.1.content.0)"
