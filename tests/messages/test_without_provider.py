"""Messages that name no provider: stored before core 1.0, or made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.messages.unnamed import with_provider
from langchain_unified.request import WireName
from langchain_unified.wires import WIRES
from tests.support.corpus import ENDPOINT_OF, needs_corpus, replies

MODELS: dict[str, tuple[WireName, Any]] = {
    "ChatAnthropic": ("anthropic_messages", ChatAnthropic("claude-sonnet-4-5", api_key="k")),
    "ChatOpenAI-chat": ("openai_chat", ChatOpenAI("gpt-4o", api_key="k")),
    "ChatOpenAI-responses": ("openai_responses", ChatOpenAI("gpt-5", api_key="k", use_responses_api=True)),
    "ChatUnified-anthropic": ("anthropic_messages", ChatUnified("anthropic/claude-sonnet-4-5", api_key="k")),
    "ChatUnified-responses": ("openai_responses", ChatUnified("openai/gpt-5", api_key="k", use_responses_api=True)),
}

COMPACTION = {"type": "compaction", "content": "Sum."}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
CITED = {"type": "text", "text": "a", "citations": [{"type": "page_location", "cited_text": "a"}]}
TEXT = {"type": "text", "text": "Hi"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
ANSWER = {"type": "text", "text": "Hi", "id": "msg_1", "phase": "final_answer"}
REFUSAL = {"type": "refusal", "refusal": "No.", "id": "msg_1", "phase": "final_answer"}
COMPACTED = {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}


def sent(model: Any, message: AIMessage) -> list[Any]:
    """What goes out for an answer between two questions, and after it."""
    body = model.check([HumanMessage("Hi"), message, HumanMessage("Go on")]).body
    return list(body.get("messages") or body.get("input"))[1:-1]


def unnamed(message: AIMessage, content: Any) -> AIMessage:
    return AIMessage(
        content=content,
        tool_calls=message.tool_calls,
        invalid_tool_calls=message.invalid_tool_calls,
        additional_kwargs=message.additional_kwargs,
        usage_metadata=message.usage_metadata,
    )


def recorded(wire: WireName) -> Iterator[AIMessage]:
    for exchange in replies(ENDPOINT_OF[wire]):
        message = WIRES[wire].decode(exchange["response"]["body"])[0]
        del message.response_metadata["model_name"]  # thinking of another model is left out
        yield message


@needs_corpus
@pytest.mark.parametrize("name", MODELS)
def test_a_recorded_reply_without_metadata_is_replayed_as_it_is_with_it(name: str) -> None:
    wire, model = MODELS[name]
    for message in recorded(wire):
        assert sent(model, unnamed(message, message.content)) == sent(model, message)


@needs_corpus
@pytest.mark.parametrize("name", MODELS)
def test_a_recorded_reply_in_standard_blocks_without_metadata_is_replayed_as_well(name: str) -> None:
    wire, model = MODELS[name]
    for message in recorded(wire):
        standard = message.model_copy(update={"content": message.content_blocks})
        standard.response_metadata = {**message.response_metadata, "output_version": "v1"}
        assert sent(model, unnamed(message, message.content_blocks)) == sent(model, standard)


@pytest.mark.parametrize("name", ["ChatAnthropic", "ChatUnified-anthropic"])
@pytest.mark.parametrize("block", [COMPACTION, THOUGHT, CITED])
def test_claudes_blocks_stay(name: str, block: dict[str, Any]) -> None:
    assert sent(MODELS[name][1], AIMessage([block, TEXT]))[0]["content"] == [block, TEXT]


@pytest.mark.parametrize("name", ["ChatOpenAI-responses", "ChatUnified-responses"])
@pytest.mark.parametrize(
    "blocks, items",
    [
        ([REASONING, ANSWER], ["rs_1", "msg_1"]),
        ([REASONING, REFUSAL], ["rs_1", "msg_1"]),
        ([COMPACTED, ANSWER], ["cmp_1", "msg_1"]),
    ],
)
def test_openais_ids_and_phase_stay(name: str, blocks: list[Any], items: list[str]) -> None:
    found = sent(MODELS[name][1], AIMessage(blocks))
    assert [item.get("id") for item in found] == items
    assert found[-1]["phase"] == "final_answer"


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("metadata", [{}, {"model_provider": "anthropic"}])
@pytest.mark.parametrize("arguments", ['{"a', [1]])
def test_a_call_with_other_arguments_than_an_object_is_invalid(name: str, metadata: Any, arguments: Any) -> None:
    block = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": arguments}
    found = sent(MODELS[name][1], AIMessage([block], response_metadata=metadata))
    rest = MODELS[name][1].check(
        [HumanMessage("Hi"), AIMessage([block], response_metadata=metadata), HumanMessage("Go on")]
    )
    assert "toolu_1" in str(found)
    assert "the arguments of this call are not valid JSON" in str(rest.body)


@pytest.mark.parametrize(
    "message, provider",
    [
        (AIMessage("a"), None),
        (AIMessage([TEXT]), None),
        (AIMessage([{"type": "image", "url": "https://example.com/a.png"}]), None),
        (AIMessage([{"type": "tool_use", "id": "call_1", "name": "f", "input": {}}]), "anthropic"),
        (AIMessage([{"type": "web_search_call", "id": "ws_1"}, TEXT]), "openai"),
        (AIMessage([REASONING, TEXT]), "openai"),
        (AIMessage([THOUGHT, TEXT]), "anthropic"),
        (AIMessage([THOUGHT, REASONING]), None),
        (AIMessage([TEXT, THOUGHT], response_metadata={"model_provider": "openai"}), "openai"),
    ],
)
def test_the_blocks_tell_the_provider(message: AIMessage, provider: str | None) -> None:
    assert with_provider(message).response_metadata.get("model_provider") == provider
