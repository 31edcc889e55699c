"""Messages that name no provider: stored before core 1.0, or made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_unified import ChatAnthropic
from langchain_unified.chat_models import _plan
from langchain_unified.messages.assistant import as_claudes

COMPACTION = {"type": "compaction", "content": "Sum."}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
CITED = {"type": "text", "text": "a", "citations": [{"type": "page_location", "cited_text": "a"}]}
TEXT = {"type": "text", "text": "Hi"}


@pytest.mark.parametrize("block", [COMPACTION, THOUGHT, CITED])
def test_a_message_without_a_provider_is_claudes_on_its_class(block: dict[str, Any]):
    messages = [HumanMessage("Hi"), AIMessage([block, TEXT]), HumanMessage("Go on")]
    body = _plan.make(ChatAnthropic("claude-sonnet-4-5", api_key="k"), messages, {}, stream=False).call.body
    assert body["messages"][1]["content"] == [block, TEXT]


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("a"),
        AIMessage([TEXT], response_metadata={"model_provider": "openai"}),
        AIMessage([{"type": "web_search_call", "id": "ws_1"}, TEXT]),
        AIMessage([{"type": "reasoning", "summary": [], "encrypted_content": "x"}, TEXT]),
        HumanMessage([TEXT]),
    ],
)
def test_another_message_stays_as_it_is(message: Any):
    assert as_claudes(message) is message
