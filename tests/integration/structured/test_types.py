"""`with_structured_output` with each kind of schema, on both providers and all three wires, against the emulator."""

from __future__ import annotations

import json
import typing
from typing import Annotated, Any, Literal

import pytest
import typing_extensions
from pydantic import BaseModel, Field

from langchain_unified.testing import Emulator, emulator
from tests.integration.structured.helpers import (
    JSON_SCHEMA,
    QUESTION,
    Cat,
    Joke,
    JokeData,
    JokeV1,
    Scores,
    Tree,
    build,
    each_method,
    each_wire,
    format_of,
    sent,
)
from tests.support.models import each_class

# --- each kind of schema ----------------------------------------------------------------------------------------------


class JokeDict(typing.TypedDict):
    """A joke to tell."""

    setup: Annotated[str, ..., "the question"]
    punchline: Annotated[str | None, None, "the answer"]


class OtherDict(typing_extensions.TypedDict):
    setup: str
    score: typing_extensions.NotRequired[int]


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


KINDS: dict[str, tuple[Any, Any]] = {
    "pydantic": (Joke, Joke),
    "pydantic v1": (JokeV1, JokeV1),
    "typed dict": (JokeDict, dict),
    "typing extensions": (OtherDict, dict),
    "dataclass": (JokeData, JokeData),
    "json schema": (JSON_SCHEMA, dict),
    "openai function": ({"name": "joke", "description": "A joke.", "parameters": JSON_SCHEMA}, dict),
    "anthropic tool": ({"name": "joke", "input_schema": JSON_SCHEMA}, dict),
    "union": (Cat | Dog, (Cat, Dog)),
    "old union": (typing.Union[Cat, Dog], (Cat, Dog)),  # noqa: UP007 - the form is what is tested
    "discriminated": (Annotated[Cat | Dog, Field(discriminator="kind")], (Cat, Dog)),
    "mixed union": (Cat | JokeV1, (Cat, JokeV1)),
    "list": (list[Cat], list),
    "recursive": (Tree, Tree),
    "map": (Scores, Scores),
    "number": (int, int),
}


@each_class
@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_of_schema(name: str, kind: str, server: Emulator) -> None:
    schema, wanted = KINDS[kind]
    model = build(name, server).with_structured_output(schema)
    whole = model.invoke(QUESTION)
    assert isinstance(whole, wanted)
    assert await model.ainvoke(QUESTION) == whole
    pieces = list(model.stream(QUESTION))
    assert all(isinstance(piece, wanted) for piece in pieces)
    assert pieces[-1] == whole
    assert [piece async for piece in model.astream(QUESTION)] == pieces
    assert model.batch([QUESTION, QUESTION]) == [whole, whole]


@each_class
@each_method
def test_each_method(name: str, method: str | None, server: Emulator) -> None:
    schema = JokeV1 if method == "json_mode" else Joke
    model = build(name, server).with_structured_output(schema, method=method)
    assert isinstance(model.invoke(QUESTION), schema)
    body = sent(server)
    forms = {"json_schema": "json_schema", None: "json_schema", "json_mode": "json_object", "function_calling": None}
    expected = forms[method]
    if method == "json_mode" and "anthropic" in name:
        expected = "json_schema"
    assert format_of(body).get("type") == expected
    assert bool(body.get("tools")) == (method == "function_calling")
    pieces = list(model.stream(QUESTION))
    assert all(isinstance(piece, schema) for piece in pieces)


def test_any_json_object(server: Emulator) -> None:
    model = build("chat", server).with_structured_output(method="json_mode")
    assert model.invoke(QUESTION).keys() == {"setup", "punchline"}


# --- streaming --------------------------------------------------------------------------------------------------------


@each_wire
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
@pytest.mark.parametrize("schema", [Joke, JokeV1, JokeDict, JokeData], ids=lambda schema: schema.__name__)
def test_the_answer_grows(name: str, method: str, schema: Any) -> None:
    args = {"setup": "Why did the chicken cross the road at night?"}
    answer = (
        {"tool_calls": [{"name": schema.__name__, "args": args}]} if method == "function_calling" else json.dumps(args)
    )
    with emulator(script=[answer]) as server:
        model = build(name, server).with_structured_output(schema, method=method)
        pieces = list(model.stream("hi"))
    setups = [piece["setup"] if isinstance(piece, dict) else piece.setup for piece in pieces]
    assert len(pieces) >= 3
    assert setups == sorted(setups, key=len)
    assert setups[-1] == args["setup"]
    assert len(setups[0]) < len(setups[-1])
    assert all(isinstance(piece, dict if schema is JokeDict else schema) for piece in pieces)
