"""Values for JSON Schemas, checked by an independent validator."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_unified.schemas.check import valid
from langchain_unified.testing.emulation.schema_values import instance


def satisfied(schema: Any, value: Any) -> bool:
    return jsonschema.Draft202012Validator(schema).is_valid(value)


NODE: dict[str, Any] = {
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer", "minimum": 3},
                "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            },
            "required": ["value", "next", "children"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/Node",
}

SCHEMAS: list[Any] = [
    {},
    True,
    NODE,
    {"const": {"a": [1, None]}},
    {"enum": [3, "x", None]},
    {"type": ["null", "string"], "minLength": 5},
    {"type": "string", "maxLength": 2},
    {"type": "string", "pattern": r"^[A-Z]{3}-\d{4}$"},
    {"type": "string", "pattern": r"^(red|green)+\.(?:x|y)?$"},
    {"type": "string", "pattern": "^[^a-z]+$", "minLength": 6},
    {"type": "string", "pattern": r"^\S+@\S+$"},
    {"type": "integer", "minimum": 10, "multipleOf": 7},
    {"type": "integer", "exclusiveMinimum": -3, "maximum": -1},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
    {"type": "number", "minimum": 2.5, "multipleOf": 0.5},
    {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "uniqueItems": True},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
    {"type": "array", "contains": {"const": 7}, "minContains": 2},
    {"type": "array", "maxItems": 0},
    {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
    {"type": "object", "required": ["free"], "additionalProperties": {"type": "integer"}},
    {"type": "object", "properties": {"a": {"type": "string"}}, "maxProperties": 0},
    {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "integer", "minimum": 4}}}]},
    {"properties": {"a": {"type": "string"}}, "allOf": [{"properties": {"a": {"minLength": 9}}, "required": ["a"]}]},
    {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "number", "minimum": 0}]},
    {"oneOf": [{"type": "object", "required": ["kind"], "properties": {"kind": {"const": "x"}}},
               {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "y"}}}]},
    {"anyOf": [False, {"type": "string"}]},
    {"type": "string", "not": {"const": "text"}},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"],
     "if": {"properties": {"a": {"minimum": 0}}}, "then": {"required": ["b"]}},
    {"type": "object", "properties": {"a": {"default": "word", "type": "string"}}, "required": ["a"]},
    {"properties": {"a/b": {"type": "integer"}, "c": {"$ref": "#/properties/a~1b"}}, "required": ["c"]},
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_a_value_satisfies_its_schema(schema):
    value = instance(schema, 'Tell me about 12 cities, like Paris and "Rome".')
    assert satisfied(schema, value), value
    assert valid(schema, value)


@pytest.mark.parametrize(
    "form,value",
    [
        ("date", "2026-01-02"),
        ("date-time", "2026-01-02T03:04:05Z"),
        ("email", "user@example.com"),
        ("ipv4", "192.0.2.1"),
        ("uri", "https://example.com/"),
        ("uuid", "00000000-0000-4000-8000-000000000001"),
    ],
)
def test_formats(form, value):
    assert instance({"type": "string", "format": form}) == value


WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "maximum": 10},
        "unit": {"enum": ["celsius", "fahrenheit"]},
        "note": {"type": "string"},
    },
    "required": ["city", "days", "unit"],
}


@pytest.mark.parametrize(
    "text,value",
    [
        ("use get_weather for New York, 3 days in Fahrenheit", {"city": "New York", "days": 3, "unit": "fahrenheit"}),
        ("The weather of 'oslo'?", {"city": "oslo", "days": 10, "unit": "celsius"}),
        ("city: Rome, days: 5, note is urgent.", {"city": "Rome", "days": 5, "unit": "celsius", "note": "urgent"}),
        ("99 days in Berlin", {"city": "Berlin", "days": 10, "unit": "celsius"}),
    ],
)
def test_values_come_from_the_text_where_they_fit(text, value):
    assert instance(WEATHER, text) == value


def test_the_same_schema_gives_the_same_value():
    assert instance(NODE, "Paris") == instance(NODE, "Paris")


def test_a_schema_that_requires_itself_has_an_end():
    endless = {"$defs": {"N": {"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}, "required": ["n"]}},
               "$ref": "#/$defs/N"}  # fmt: skip
    assert not satisfied(endless, instance(endless))


# --- generated --------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "city", "count", "x_y"])


@st.composite
def bounded(draw: st.DrawFn, low: str, high: str, most: int) -> dict[str, int]:
    first, second = sorted(draw(st.lists(st.integers(0, most), min_size=2, max_size=2)))
    return {key: bound for key, bound in ((low, first), (high, second)) if draw(st.booleans())}


@st.composite
def numbers(draw: st.DrawFn) -> dict[str, Any]:
    bounds = draw(bounded("minimum", "maximum", 50))
    step = {"multipleOf": draw(st.sampled_from([1, 0.5]))} if draw(st.booleans()) else {}
    return {"type": draw(st.sampled_from(["integer", "number"])), **bounds, **step}


@st.composite
def objects(draw: st.DrawFn, children: st.SearchStrategy[Any]) -> dict[str, Any]:
    properties = draw(st.dictionaries(NAMES, children, max_size=4))
    required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    closed = {"additionalProperties": False} if draw(st.booleans()) else {}
    return {"type": "object", "properties": properties, "required": required, **closed}


@st.composite
def arrays(draw: st.DrawFn, children: st.SearchStrategy[Any]) -> dict[str, Any]:
    return {"type": "array", "items": draw(children), **draw(bounded("minItems", "maxItems", 4))}


LEAVES = st.one_of(
    st.sampled_from([{"type": "null"}, {"type": "boolean"}, {"const": 1}, {"enum": ["x", 2, None]}]),
    numbers(),
    bounded("minLength", "maxLength", 8).map(lambda bounds: {"type": "string", **bounds}),
    st.sampled_from(["^a+$", "^[0-9]{2,4}$", "[xyz]"]).map(lambda pattern: {"type": "string", "pattern": pattern}),
)
TREES = st.recursive(
    LEAVES,
    lambda children: st.one_of(
        objects(children),
        arrays(children),
        st.lists(children, min_size=1, max_size=3).map(lambda options: {"anyOf": options}),
    ),
    max_leaves=12,
)
TEXTS = st.sampled_from(["", "use it for Paris with 7 and 'a quoted word'", "city: Rome count=3 x y is 9"])


@given(TREES, TEXTS)
@settings(max_examples=300)
def test_generated_schemas_are_satisfied(schema, text):
    value = instance(schema, text)
    assert satisfied(schema, value), (schema, value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 60) | st.sampled_from(["", "a", "aa", "12", "x"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(TREES, ANYTHING)
@settings(max_examples=300)
def test_our_check_agrees_with_a_validator(schema, value):
    assert valid(schema, value) == satisfied(schema, value)


DESCRIBED: list[tuple[dict[str, Any], Any]] = [
    ({"type": "integer", "description": "the age\n\n{minimum: 18, maximum: 90}"}, 18),
    ({"type": "integer", "description": "{default: 5, exclusiveMinimum: 3, multipleOf: 4}"}, 4),
    ({"type": "string", "description": "{minLength: 6, maxLength: 6}"}, "textxx"),
    ({"type": "string", "description": "{pattern: ^[0-9]{3}$}"}, "000"),
    (
        {
            "type": "array",
            "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "description": "{maxItems: 2, minItems: 2, prefixItems: [{'type': 'string'}, {'type': 'integer'}]}",
        },
        ["text", 1],
    ),
    # Invalid keywords and other braces are ignored.
    ({"type": "integer", "description": "{minimum: many}"}, 1),
    ({"type": "integer", "maximum": 3, "description": "{minimum: 9}"}, 3),
    ({"type": "integer", "description": "like {this}"}, 1),
]


@pytest.mark.parametrize("schema, value", DESCRIBED)
def test_keywords_in_a_description_are_kept(schema: dict[str, Any], value: Any) -> None:
    assert instance(schema) == value
