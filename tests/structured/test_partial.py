"""Incomplete values of a type."""

from __future__ import annotations

import json
import sys
import uuid
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.utils.json import parse_partial_json
from pydantic import BaseModel

from langchain_unified.structured.answer import Target
from langchain_unified.structured.parser import StructuredParser
from langchain_unified.structured.partial import Memo, load_partial
from langchain_unified.structured.partial_json import MISSING
from tests.support.typed import Cat, Colour, Dog, Joke, Line, Machine, NodeV1, Part


def test_a_model_grows() -> None:
    part = load_partial(Machine, {"name": "pr", "main": {}, "parts": [{"size": 2}, {}], "serial": "12"})
    assert isinstance(part, Machine)
    assert part.model_fields_set == {"name", "main", "parts"}
    assert (part.name, part.colour, part.kind, part.labels, part.serial) == ("pr", Colour.RED, None, [], None)
    assert part.main.size is None
    assert [each.size for each in part.parts] == [2, None]


def test_other_classes_grow() -> None:
    old = load_partial(NodeV1, {"child": {"note": "a"}})
    assert isinstance(old, NodeV1)
    assert (old.value, old.note, old.child.note) == (None, None, "a")
    line = load_partial(Line, {"start": {"y": 2}})
    assert (line.start.x, line.start.y, line.end, line.tags) == (None, 2, None, [])
    assert load_partial(Joke, {"setup": "W"}) == {"setup": "W"}


def test_a_union_waits_until_it_is_known() -> None:
    pets = Cat | Dog
    assert load_partial(pets, {}) is MISSING
    assert load_partial(pets, {"kind": "d"}) is MISSING
    assert isinstance(load_partial(pets, {"kind": "dog"}), Dog)
    assert load_partial(pets, {"kind": "dog", "tricks": ["si"]}).tricks == ["si"]
    assert isinstance(load_partial(Cat | None, {"lives": 3}), Cat)


def test_every_prefix_of_an_answer_is_of_the_type() -> None:
    text = PRESS.model_dump_json()
    seen = [load_partial(Machine, parse_partial_json(text[:at])) for at in range(2, len(text) + 1)]
    assert all(isinstance(each, Machine) for each in seen)
    assert seen[-1] == PRESS


PRESS = Machine(
    name="press", kind="press", model=3, main=Part(size=1), parts=[Part(size=2)], number=None, code="ab",
    serial=uuid.UUID(int=1),
)  # fmt: skip


@pytest.mark.parametrize(
    "hint, value",
    [
        (Machine, json.loads(PRESS.model_dump_json())),
        (NodeV1, {"value": 1, "child": {"value": 2, "note": "x", "child": {"value": 3}}, "note": "y"}),
        (Line, {"start": {"x": 1, "y": 2}, "end": {"x": 3, "y": 4}, "tags": ["a", "bc"]}),
        (Joke, {"setup": "Why?", "punchline": "So.", "rating": 1}),
        (Cat | Dog, {"kind": "dog", "tricks": ["sit", "roll over"]}),
        (list[Annotated[Cat | Dog, "pets"]], [{"kind": "cat", "lives": 9}, {"kind": "dog", "tricks": ["sit"]}]),
        (list[list[Part]], [[{"size": 1}, {"size": 2}], [], [{"size": 3}, {"size": 4, "made": "2026-01-01"}]]),
        (dict[str, list[int]], {"a": [1, 2], "b": [3]}),
    ],
    ids=str,
)
def test_a_memo_changes_no_result(hint: Any, value: Any) -> None:
    text, memo = json.dumps(value), Memo()
    prefixes = [parse_partial_json(text[:at]) for at in range(1, len(text) + 1)]
    # The second stream of one memo begins with other values, and its list is longer at once.
    for prefix in [*prefixes, *([value[::-1]] if isinstance(value, list) else []), *prefixes[::-3]]:
        with_memo, without = load_partial(hint, prefix, memo), load_partial(hint, prefix)
        assert (with_memo, type(with_memo)) == (without, type(without))
        assert getattr(with_memo, "model_fields_set", None) == getattr(without, "model_fields_set", None)


class Report(BaseModel):
    title: str
    parts: list[Part]
    text: str


def test_a_streamed_answer_costs_python_calls_in_proportion_to_its_length() -> None:
    def calls_per_piece(size: int) -> float:
        report = {"title": "t", "parts": [{"size": 1 + at % 5} for at in range(size)], "text": "word " * size}
        text = json.dumps(report)
        chunks = [AIMessageChunk(text[at : at + 5]) for at in range(0, len(text), 5)]
        parser = StructuredParser(target=Target(Report))
        calls = 0

        def count(frame: Any, event: str, arg: Any) -> None:
            nonlocal calls
            calls += event == "call"

        sys.setprofile(count)
        try:
            answers = list(parser.transform(iter(chunks)))
        finally:
            sys.setprofile(None)
        assert answers[-1] == Report.model_validate(report)
        return calls / len(chunks)

    calls_per_piece(1)  # imports and caches
    assert calls_per_piece(120) < calls_per_piece(30) * 1.1
