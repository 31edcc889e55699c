"""Incomplete values of a type."""

from __future__ import annotations

import uuid

from langchain_unified.structured.partial import MISSING, grow
from tests.support.typed import Cat, Colour, Dog, Joke, Line, Machine, NodeV1, Part


def test_a_model_grows() -> None:
    part = grow(Machine, {"name": "pr", "main": {}, "parts": [{"size": 2}, {}], "serial": "12"})
    assert isinstance(part, Machine)
    assert part.model_fields_set == {"name", "main", "parts"}
    assert (part.name, part.colour, part.kind, part.labels, part.serial) == ("pr", Colour.RED, None, [], None)
    assert part.main.size is None
    assert [each.size for each in part.parts] == [2, None]


def test_other_classes_grow() -> None:
    old = grow(NodeV1, {"child": {"note": "a"}})
    assert isinstance(old, NodeV1)
    assert (old.value, old.note, old.child.note) == (None, None, "a")
    line = grow(Line, {"start": {"y": 2}})
    assert (line.start.x, line.start.y, line.end, line.tags) == (None, 2, None, [])
    assert grow(Joke, {"setup": "W"}) == {"setup": "W"}


def test_a_union_waits_until_it_is_known() -> None:
    pets = Cat | Dog
    assert grow(pets, {}) is MISSING
    assert grow(pets, {"kind": "d"}) is MISSING
    assert isinstance(grow(pets, {"kind": "dog"}), Dog)
    assert grow(pets, {"kind": "dog", "tricks": ["si"]}).tricks == ["si"]
    assert isinstance(grow(Cat | None, {"lives": 3}), Cat)


def test_every_prefix_of_an_answer_is_of_the_type() -> None:
    from langchain_core.utils.json import parse_partial_json

    whole = Machine(
        name="press", kind="press", model=3, main=Part(size=1), parts=[Part(size=2)], number=None, code="ab",
        serial=uuid.UUID(int=1),
    )  # fmt: skip
    text = whole.model_dump_json()
    seen = [grow(Machine, parse_partial_json(text[:at])) for at in range(2, len(text) + 1)]
    assert all(isinstance(each, Machine) for each in seen)
    assert seen[-1] == whole
