"""Chunks made without validation are those that LangChain's constructors make, whatever core is installed."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from langchain_core.load import dumps
from langchain_core.messages import AIMessageChunk, message_to_dict
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import ValidationError

from langchain_unified.messages import chunks
from langchain_unified.messages.chunks import generation_chunk, message_chunk

CASES: dict[str, dict[str, Any]] = {
    "text": {"content": "Hello"},
    "no text": {"content": ""},
    "block": {"content": [{"type": "text", "text": "Hello", "index": 0}]},
    "two blocks": {"content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Hello"}]},
    "a text among blocks": {"content": ["Hello", {"type": "text", "text": " you"}]},
    "a block without a type": {"content": [{"text": "Hello"}]},
    "reasoning": {"content": "", "additional_kwargs": {"reasoning_content": "Hm"}},
    "calls of the first age": {
        "content": "",
        "additional_kwargs": {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": '{"a": 1}'}}]},
    },
    "start of a call": {"content": [], "calls": [{"name": "f", "args": "", "id": "call_1", "index": 0}]},
    "start with a piece": {"content": "", "calls": [{"name": "f", "args": '{"a": [1, ', "id": "call_1", "index": 0}]},
    "spaces before it": {"content": "", "calls": [{"name": "f", "args": ' \n{"a": 1}', "id": "call_1", "index": 0}]},
    "piece of a call": {"content": "", "calls": [{"args": '": "Berl', "index": 1}]},
    "pieces that are JSON": {"content": "", "calls": [{"args": text, "index": 1} for text in ("1", "[]", "null")]},
    "only spaces": {"content": "", "calls": [{"args": "  ", "index": 1}]},
    "other spaces": {"content": "", "calls": [{"args": "\u00a0{}", "index": 1}]},
    "a byte order mark": {"content": "", "calls": [{"args": "\ufeff{}", "index": 1}]},
    "two calls": {
        "content": "",
        "calls": [{"args": "}", "index": 0}, {"name": "g", "args": None, "id": "call_2", "index": 1}],
    },
}

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def pair(case: dict[str, Any]) -> tuple[AIMessageChunk, AIMessageChunk]:
    """A chunk from here, and the constructor's."""
    kwargs, calls = case.get("additional_kwargs"), case.get("calls", ())
    made = message_chunk(
        copy.deepcopy(case["content"]), "anthropic", [tool_call_chunk(**call) for call in calls], copy.deepcopy(kwargs)
    )
    return made, AIMessageChunk(
        content=case["content"],
        additional_kwargs=kwargs or {},
        response_metadata={"model_provider": "anthropic"},
        tool_call_chunks=[tool_call_chunk(**call) for call in calls],
    )


def same(made: Any, constructed: Any) -> None:
    assert made == constructed
    assert repr(made) == repr(constructed)
    assert list(vars(made)) == list(vars(constructed))
    assert made.model_dump() == constructed.model_dump()
    assert made.model_dump_json() == constructed.model_dump_json()
    assert made.model_fields_set >= constructed.model_fields_set
    assert made.__pydantic_extra__ == constructed.__pydantic_extra__
    assert dumps(made) == dumps(constructed)


@each_case
def test_a_message_is_the_constructors(case: dict[str, Any]) -> None:
    made, constructed = pair(case)
    same(made, constructed)
    assert message_to_dict(made) == message_to_dict(constructed)
    assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == constructed
    assert made + made == constructed + constructed
    assert made.content_blocks == constructed.content_blocks


@each_case
@pytest.mark.parametrize("info", [None, {"finish_reason": "stop"}])
def test_a_generation_is_the_constructors(case: dict[str, Any], info: dict[str, Any] | None) -> None:
    made, constructed = pair(case)
    generation = generation_chunk(made, info)
    expected = ChatGenerationChunk(message=constructed, generation_info=info)
    same(generation, expected)
    assert type(generation.text) is type(expected.text)


@pytest.mark.parametrize("call", [{"name": 5}, {"id": {}}, {"args": []}])
def test_what_core_refuses_is_refused(call: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        message_chunk("", "openai", [{**tool_call_chunk(args="a"), **call}])
    with pytest.raises(ValidationError):
        message_chunk(5, "openai")


def test_chunks_share_nothing_that_can_change() -> None:
    """`stream` of core writes ids and metadata into each chunk."""
    one, other = message_chunk("a", "openai"), message_chunk("b", "openai")
    one.id = "run"
    one.response_metadata["id"] = "x"
    one.additional_kwargs["key"] = 1
    one.tool_calls.append({"name": "f", "args": {}, "id": "c", "type": "tool_call"})
    one.tool_call_chunks.append(tool_call_chunk(args="a"))
    one.invalid_tool_calls.append({"name": "f", "args": "", "id": "c", "error": None, "type": "invalid_tool_call"})
    same(other, AIMessageChunk(content="b", response_metadata={"model_provider": "openai"}))
    same(message_chunk("c", "openai"), AIMessageChunk(content="c", response_metadata={"model_provider": "openai"}))


@each_case
def test_a_core_with_fields_that_are_not_known_gets_the_constructors(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(AIMessageChunk):
        notes: list[str] = []  # noqa: RUF012 - a field

    assert chunks._shared(Later(content=""), chunks._MESSAGE_OWN) is None
    assert chunks._shared(AIMessageChunk(content=""), {*chunks._MESSAGE_OWN, "renamed"}) is None
    monkeypatch.setattr(chunks, "_MESSAGE", None)
    monkeypatch.setattr(chunks, "_GENERATION", None)
    made, constructed = pair(case)
    same(made, constructed)
    same(generation_chunk(made), ChatGenerationChunk(message=constructed))
