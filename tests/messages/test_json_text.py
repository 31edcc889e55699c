"""What counts as a JSON object in what models write."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.messages.json_text import json_object, object_error


@pytest.mark.parametrize(
    "text, expected",
    [
        ('{"a": 1}', {"a": 1}),
        (' {"a": {"b": []}}\n', {"a": {"b": []}}),
        ('{"a": "one\ntwo\tthree"}', {"a": "one\ntwo\tthree"}),
        ("{}", {}),
        ("", None),
        ('{"a": ', None),
        ('{"a": 1} and more', None),
        ("[1]", None),
        ("null", None),
        ('"text"', None),
        ("[" * 100_000, None),
    ],
    ids=repr,
)
def test_the_object_in_a_text(text: str, expected: Any) -> None:
    assert json_object(text) == expected


@pytest.mark.parametrize(
    "text, error",
    [
        ('{"a": ', "Expecting value: line 1 column 7 (char 6)"),
        ("[1]", "a JSON array, not an object"),
        ("null", "a JSON null, not an object"),
        ("", "Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_the_error_of_a_text_that_is_no_object(text: str, error: str) -> None:
    assert json_object(text) is None
    assert object_error(text) == error
