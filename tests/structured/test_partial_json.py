"""JSON that is still received: every prefix of a text, in pieces of any size."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.utils.json import parse_partial_json

from langchain_unified.structured.partial_json import MISSING, PartialJson

HALF_ESCAPE = re.compile(r"(\\u[dD][89abAB][0-9a-fA-F]{2})?\\(u[0-9a-fA-F]{0,3})?$|\\u[dD][89abAB][0-9a-fA-F]{2}$")


def pieces_of(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def so_far(text: str, size: int = 1) -> Any:
    """What a stream of `text` gives last."""
    partial = PartialJson()
    found = [value for piece in pieces_of(text, size) if (value := partial.feed(piece)) is not MISSING]
    return found[-1] if found else MISSING


def without_half_escape(text: str) -> str:
    """The text before an incomplete escape at its end. A backslash that is escaped itself begins none."""
    plain = re.sub(r"\\\\", "--", text)
    found = HALF_ESCAPE.search(plain)
    return text[: found.start()] if found else text


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)  # 1 is not 1.0, and NaN is NaN


JSON_TEXTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["\\", "\\\\", 'say "hi"', "a\nb\t", "\U0001f600\U0001f600", "é\u2028", "u12", "\\ud83d", "1.", "2e+"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
).flatmap(
    lambda value: st.builds(
        json.dumps,
        st.just({"answer": value, "end": 1}),
        ensure_ascii=st.booleans(),
        indent=st.sampled_from([None, 1]),
        separators=st.sampled_from([None, (",", ":")]),
    )
)


@settings(max_examples=150, deadline=None)
@given(JSON_TEXTS)
def test_every_prefix_of_a_json_text_has_the_value_that_langchain_core_finds(text: str) -> None:
    """But for an incomplete escape, for which core drops the whole string: here the string ends before the escape."""
    partial = PartialJson()
    last = MISSING
    for at, char in enumerate(text, 1):
        value = partial.feed(char)
        last = last if value is MISSING else value
        assert same(last, parse_partial_json(without_half_escape(text[:at])))
    assert same(last, json.loads(text))


@settings(max_examples=100, deadline=None)
@given(JSON_TEXTS, st.integers(1, 9))
def test_the_size_of_the_pieces_changes_no_value(text: str, size: int) -> None:
    partial = PartialJson()
    last = MISSING
    for at, piece in enumerate(pieces_of(text, size), 1):
        value = partial.feed(piece)
        last = last if value is MISSING else value
        assert same(last, so_far(text[: at * size]))


@pytest.mark.parametrize(
    "text, value",
    [
        ('{"a": "x\\', {"a": "x"}),
        ('{"a": "x\\u00', {"a": "x"}),
        ('{"a": "x\\ud83d', {"a": "x"}),
        ('{"a": "x\\ud83d\\ude0', {"a": "x"}),
        ('{"a": "x\\ud83d\\ude00', {"a": "x\U0001f600"}),
        ('{"a": "x\\\\u00', {"a": "x\\u00"}),
        ('{"a": "\\ud83d!", "b": "\\ude00', {"a": "\ufffd!", "b": "\ufffd"}),
        ('{"a": "two\nlines\tand', {"a": "two\nlines\tand"}),
        ('{\n\t"a": 1,\n', {"a": 1}),
        ('{"a": -', {}),
        ('{"a": -2.', {"a": -2}),
        ('{"a": -2.5e', {"a": -2.5}),
        ('{"a": -2.5e+', {"a": -2.5}),
        ('{"a": "v2.', {"a": "v2."}),
        ('{"a": tru', {}),
        ('{"a": [nul', {"a": []}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": 1, "b":', {"a": 1}),
        ('{"a": 1, "b": {', {"a": 1, "b": {}}),
        ('```json\n{"a": "`x` ', {"a": "`x` "}),
        ('```json\n{"a": 1}\n```\nDone.', {"a": 1}),
        ('{"a": 1}\n{"a": 1}', {"a": 1}),
        ('{"a" 1', {}),
        ("Let me see: {it}.", MISSING),
        ("[1, 2]", MISSING),
        ("``", MISSING),
        ("", MISSING),
    ],
)
def test_the_value_of_an_incomplete_text(text: str, value: Any) -> None:
    assert so_far(text) is value if value is MISSING else same(so_far(text), value)


def test_a_text_that_is_nested_too_deeply_gives_no_more_values() -> None:
    partial = PartialJson()
    assert partial.feed('{"a": [') == {"a": []}
    assert partial.feed("[" * 5000) is MISSING
    assert partial.feed("]" * 5000 + ', "b": 1}') is MISSING


def test_pieces_that_change_no_value_give_none() -> None:
    partial = PartialJson()
    pieces = ("\n", "```", "json\n", '{"a"', ":", " ", "1", "}", ",\n ", "\n", "```")
    assert [value for piece in pieces if (value := partial.feed(piece)) is not MISSING] == [{}, {"a": 1}]


def test_a_value_that_was_given_does_not_change() -> None:
    text = json.dumps({"a": [{"b": "one"}, {"b": "two", "c": [1, 23, {"d": None}]}], "e": "end", "f": 1.5})
    partial, given_so_far = PartialJson(), []
    for char in text:
        value = partial.feed(char)
        if value is not MISSING:
            given_so_far.append((value, repr(value)))
    assert len({text for _, text in given_so_far}) > 20
    assert all(repr(value) == text for value, text in given_so_far)
    assert given_so_far[-1][0]["a"][0] is given_so_far[-2][0]["a"][0]


def test_the_open_objects_and_lists_are_named() -> None:
    partial = PartialJson()
    value = partial.feed('{"a": [1], "b": [{"c": ')
    assert partial.open_ids == {id(value), id(value["b"]), id(value["b"][0])}
    value = partial.feed("2}]")
    assert partial.open_ids == {id(value)}


def test_each_character_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0
    read = PartialJson._read

    def count(self: PartialJson, text: str) -> None:
        nonlocal seen
        seen += len(text)
        read(self, text)

    monkeypatch.setattr(PartialJson, "_read", count)
    text = json.dumps({"rows": [{"n": at, "text": "word"} for at in range(200)]})
    partial = PartialJson()
    for piece in pieces_of(text, 3):
        partial.feed(piece)
    assert seen == len(text)
