"""Combinators at the root of a tool's schema: what the folded object allows, and what the schema itself does."""

from __future__ import annotations

import itertools

import pytest

from langchain_unified.request import JsonObject
from langchain_unified.schemas.check import valid
from langchain_unified.schemas.root import fold_root

A = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
B = {"properties": {"b": {"type": "integer"}}, "required": ["b"]}
BOTH = {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
CLOSED = {"additionalProperties": False}
OBJECT = {"type": "object"}

VALUES: list[JsonObject] = [
    {name: value for name, value in zip("abc", values, strict=True) if value is not None}
    for values in itertools.product((None, "x", 1), (None, 1, "y"), (None, 1))
]
TYPED = [value for value in VALUES if value.get("a") != 1 and value.get("b") != "y"]
"""The values whose properties have the types that one of the alternatives gives them."""


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [A, B]},
        {**OBJECT, **A, "allOf": [B]},
        {**OBJECT, **BOTH, **CLOSED, "allOf": [{"required": ["a"]}]},
        {**OBJECT, **BOTH, "anyOf": [{"required": ["a"]}, {"required": ["a", "b"]}]},
        {**OBJECT, **A, "anyOf": [{**OBJECT, **BOTH}, {**OBJECT, **BOTH, "required": ["b"]}]},
        {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}], "$defs": {"A": {**OBJECT, **A, **CLOSED}}},
        {"oneOf": [{**OBJECT, **A}, {"type": "string"}]},
        {"oneOf": [{"allOf": [A, {"anyOf": [B]}]}]},
        {"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"minLength": 1}}}]},
        {"allOf": [{"minProperties": 1}, A]},
        {"allOf": [True, A]},
    ],
)
def test_a_fold_is_exact_where_nothing_is_lost(schema: JsonObject) -> None:
    folded = fold_root(schema)
    assert folded.lost == ()
    assert folded.schema.keys().isdisjoint({"anyOf", "oneOf", "allOf"})
    assert [valid(folded.schema, value) for value in VALUES] == [valid(schema, value) for value in VALUES]


@pytest.mark.parametrize(
    "schema, lost",
    [
        ({**OBJECT, "anyOf": [A, B]}, ("anyOf",)),
        ({**OBJECT, **BOTH, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, ("anyOf",)),
        ({**OBJECT, **BOTH, "oneOf": [{"required": ["a"]}, {"required": ["a", "b"]}]}, ("oneOf",)),
        ({"oneOf": [{**A, **CLOSED}, {**B, **CLOSED}]}, ("oneOf",)),
        ({**OBJECT, **A, "anyOf": [B], "oneOf": [A, B]}, ("oneOf",)),
        ({"anyOf": [{**A, "minProperties": 2}, A]}, ("anyOf",)),
        ({"anyOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": {"allOf": [A, {"$ref": "#/$defs/A"}]}}}, ("anyOf",)),
        ({"anyOf": []}, ("anyOf",)),
    ],
)
def test_a_fold_that_loses_something_names_it_and_allows_whatever_was_allowed(
    schema: JsonObject, lost: tuple[str, ...]
) -> None:
    folded = fold_root(schema)
    assert folded.lost == lost
    assert folded.schema.keys().isdisjoint({"anyOf", "oneOf", "allOf"})
    if "$defs" not in schema:
        assert all(valid(folded.schema, value) for value in TYPED if valid(schema, value))


def test_different_schemas_of_one_property_are_alternatives() -> None:
    sides = [{"properties": {"kind": {"const": kind}}, "required": ["kind"]} for kind in ("cat", "dog")]
    assert fold_root({"oneOf": sides}).schema == {
        "type": "object",
        "properties": {"kind": {"anyOf": [{"const": "cat"}, {"const": "dog"}]}},
        "required": ["kind"],
    }
