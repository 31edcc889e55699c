"""`with_structured_output`: answers without the form, refusals, and raw messages."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core import exceptions as core
from langchain_core.messages import AIMessage

from langchain_unified import RefusalError, StructuredOutputError, TruncatedOutputError
from langchain_unified.testing import Emulator, emulator
from langchain_unified.wires._completion import Completion
from tests.integration.structured.helpers import QUESTION, Joke, JokeV1, build, each_method, each_wire
from tests.support.models import each_class


@each_class
@each_method
async def test_include_raw(name: str, method: str | None, server: Emulator) -> None:
    model = build(name, server).with_structured_output(JokeV1, method=method, include_raw=True)
    found = model.invoke(QUESTION)
    assert found.keys() == {"raw", "parsed", "parsing_error"}
    assert isinstance(found["raw"], AIMessage)
    assert isinstance(found["parsed"], JokeV1)
    assert found["parsing_error"] is None
    assert (await model.ainvoke(QUESTION))["parsed"] == found["parsed"]
    pieces = list(model.stream(QUESTION))
    total = pieces[0]
    for piece in pieces[1:]:
        total += piece
    assert total["parsed"] == found["parsed"]
    assert total["raw"].text == found["raw"].text
    assert [call["args"] for call in total["raw"].tool_calls] == [call["args"] for call in found["raw"].tool_calls]
    assert total["parsing_error"] is None


BAD_ANSWERS: dict[str, tuple[Any, type[Exception]]] = {
    "refused": ({"refusal": "I cannot help with that."}, RefusalError),
    "cut": (Completion("", "", ({"type": "text", "text": '{"setup": "Why did'},), "length"), TruncatedOutputError),
    "words": ("I would rather not use JSON.", StructuredOutputError),
    "another form": ('{"question": 1}', StructuredOutputError),
    "nothing": (Completion("", "", (), "stop"), StructuredOutputError),
}


@each_class
@pytest.mark.parametrize("case", BAD_ANSWERS)
async def test_answers_without_the_form(name: str, case: str) -> None:
    answer, error = BAD_ANSWERS[case]
    with emulator(script=[answer] * 6) as server:
        model = build(name, server)
        plain = model.with_structured_output(Joke)
        with pytest.raises(error) as caught:
            plain.invoke("hi")
        assert caught.value.provider == ("anthropic" if "anthropic" in name else "openai")
        assert caught.value.request_id
        with pytest.raises(error):
            await plain.ainvoke("hi")
        with pytest.raises(error):
            list(plain.stream("hi"))
        with pytest.raises(error):
            [piece async for piece in plain.astream("hi")]
        raw = model.with_structured_output(Joke, include_raw=True)
        found = raw.invoke("hi")
        assert (found["parsed"], type(found["parsing_error"])) == (None, error)
        last = list(raw.stream("hi"))[-1]
        assert (last["parsed"], type(last["parsing_error"])) == (None, error)


@each_wire
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_cut_answer_keeps_its_text(name: str, method: str) -> None:
    broken = {"type": "invalid_tool_call", "id": "call_1", "name": "Joke", "args": '{"setup": "Why did'}
    block = broken if method == "function_calling" else {"type": "text", "text": '{"setup": "Why did'}
    with emulator(script=[Completion("", "", (block,), "length")] * 2) as server:
        model = build(name, server).with_structured_output(Joke, method=method)
        with pytest.raises(TruncatedOutputError) as caught:
            model.invoke("hi")
        # Claude's call is shown as an object, whatever had come of it.
        assert caught.value.partial_text.startswith('{"setup": "Why did')
        pieces = []
        with pytest.raises(TruncatedOutputError) as caught:
            pieces.extend(model.stream("hi"))
        assert caught.value.partial_text.startswith('{"setup": "Why did')


@each_wire
def test_a_refusal_is_cores_where_core_has_one(name: str) -> None:
    with emulator(script=[{"refusal": "I cannot help with that."}]) as server:
        with pytest.raises(
            getattr(core, "ModelRefusalError", core.ModelError), match="I cannot help with that"
        ) as caught:
            build(name, server).with_structured_output(Joke).invoke("hi")
        assert not caught.value.is_retryable
        assert isinstance(caught.value.raw_message, AIMessage)
