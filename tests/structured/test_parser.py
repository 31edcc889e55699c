"""How a structured answer is read."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from pydantic import BaseModel, field_validator

from langchain_unified import RefusalError, StructuredOutputError, TruncatedOutputError
from langchain_unified.structured.answer import Target, parse_answer
from tests.support.typed import Part


def message(content: Any = "", finish: str = "stop", **kwargs: Any) -> AIMessage:
    metadata = {"finish_reason": finish, "model_provider": "openai", "model_name": "m", "request_id": "r"}
    return AIMessage(content, response_metadata={**metadata, **kwargs.pop("metadata", {})}, **kwargs)


def call(name: str, args: Any, call_id: str = "1") -> dict[str, Any]:
    return {"name": name, "args": args, "id": call_id, "type": "tool_call"}


def test_answers_that_are_read() -> None:
    target = Target(Part)
    for said in (
        message('{"size": 2}'),
        message([{"type": "text", "text": '{"size": 2}'}]),
        message('Here it is:\n```json\n{"size": 2}\n```\nDone.'),
        message("thinking aloud", tool_calls=[call("Part", {"size": 2})]),
        message('{"size": 2}', "length"),
        message('{"size": 2, "note": "two\nlines"}'),
        # gpt-4o has been seen to say its answer twice, in one block and in two.
        message('{"size": 2}\n{"size": 2}'),
        message([{"type": "text", "text": '{"size": 2}'}, {"type": "text", "text": '{"size": 2}'}]),
        # A reasoning model may comment first.
        message([{"type": "text", "text": "Let me see {it}."}, {"type": "text", "text": '{"size": 2}'}]),
    ):
        assert parse_answer(said, target) == Part(size=2)


def test_a_message_that_calls_other_tools_comes_back() -> None:
    said = message('{"size": 2}', "tool_calls", tool_calls=[call("weather", {})])
    assert parse_answer(said, Target(Part)) is said
    both = message("", "tool_calls", tool_calls=[call("weather", {}), call("Part", {"size": 3}, "2")])
    assert parse_answer(both, Target(Part)) == Part(size=3)
    assert parse_answer(message("…", "pause"), Target(Part)).text == "…"


REFUSALS = [
    message("", "refusal", additional_kwargs={"refusal": "I cannot."}),
    message([{"type": "refusal", "refusal": "I cannot."}], "refusal"),
    message(
        "", "refusal", metadata={"stop_details": {"type": "refusal", "category": "bio", "explanation": "I cannot."}}
    ),
    message('{"size": 2', "content_filter"),
]


@pytest.mark.parametrize("said", REFUSALS)
def test_refusals(said: AIMessage) -> None:
    with pytest.raises(RefusalError, match=r"refused to answer.*: (I cannot|a content filter)") as caught:
        parse_answer(said, Target(Part))
    assert caught.value.raw_message is said
    assert (caught.value.provider, caught.value.model, caught.value.request_id) == ("openai", "m", "r")
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args


@pytest.mark.parametrize(
    "metadata",
    [
        {"stop_reason": "refusal", "stop_details": {"category": "bio"}},
        {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
    ],
)
def test_a_refusal_in_an_answer_of_the_partner_packages(metadata):
    answer = AIMessage("", response_metadata=metadata)
    with pytest.raises(RefusalError, match=r"bio|content filter"):
        parse_answer(answer, Target(Part))


@pytest.mark.parametrize("finish, where", [("length", "max_tokens"), ("context_window", "context window")])
def test_truncated_answers(finish: str, where: str) -> None:
    with pytest.raises(TruncatedOutputError, match=where) as caught:
        parse_answer(message('{"size": ', finish), Target(Part))
    assert caught.value.partial_text == '{"size": '
    assert isinstance(caught.value, OutputParserException)
    broken = [{"name": "Part", "args": '{"si', "id": "1", "error": None, "type": "invalid_tool_call"}]
    with pytest.raises(TruncatedOutputError) as caught:
        parse_answer(message("", finish, invalid_tool_calls=broken), Target(Part))
    assert caught.value.partial_text == '{"si'
    assert pickle.loads(pickle.dumps(caught.value)).partial_text == '{"si'


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "no text and no call of 'Part'"),
        ("Sorry, no.", "'Part' is not JSON: 'Sorry, no.'"),
        ('{"size": 7}', "'Part': size: Input should be less than or equal to 5"),
        ("[1]", "a JSON object was asked for, not list"),
        ('{"size": NaN}', "NaN is not JSON"),
        ('{"size": 2} {"size": 3}', "does not fit 'Part': it is 2 different values"),
        ('{"size": ' + "[" * 5000 + "]" * 5000 + "}", "'Part': (RecursionError|Invalid JSON: recursion limit)"),
    ],
)
def test_answers_that_do_not_fit(text: str, words: str) -> None:
    with pytest.raises(StructuredOutputError, match=words) as caught:
        parse_answer(message(text), Target(Part))
    assert not isinstance(caught.value, TruncatedOutputError)
    assert caught.value.llm_output == text
    assert caught.value.is_retryable


class Broken(BaseModel):
    size: int

    @field_validator("size")
    @classmethod
    def divided(cls, size: int) -> float:
        return 1 / size


def test_what_a_class_raises_itself_is_told_too() -> None:
    with pytest.raises(StructuredOutputError, match="does not fit 'Broken': ZeroDivisionError: division by zero"):
        parse_answer(message('{"size": 0}'), Target(Broken))
