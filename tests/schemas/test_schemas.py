"""Schemas per provider, and values checked against them."""

from __future__ import annotations

import copy
from typing import Any

import anthropic
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel, Field

from langchain_unified.request import JsonObject
from langchain_unified.schemas import anthropic as for_anthropic
from langchain_unified.schemas import openai as for_openai
from langchain_unified.schemas.check import problem, valid, without_nulls
from langchain_unified.schemas.openai import nullable, with_items
from tests.support.typed import Cat, Dog, Machine, Node, Part, Wrapper

# --- the SDKs' helpers ------------------------------------------------------------------------------------------------

MODELS = [Part, Machine, Node, Wrapper, Cat, Dog]


@pytest.mark.parametrize("model", MODELS)
def test_anthropic_schemas_are_those_of_the_sdk(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    before = copy.deepcopy(schema)
    adapted = for_anthropic.adapt_schema(schema).schema
    assert _without_types_of_literals(adapted) == anthropic.transform_schema(schema)
    assert schema == before


def _without_types_of_literals(schema: Any) -> Any:
    """The SDK's helper takes the `type` beside an `enum` or a `const` away; the API takes it."""
    if isinstance(schema, list):
        return [_without_types_of_literals(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    literal = not {"enum", "const"}.isdisjoint(schema)
    return {k: _without_types_of_literals(v) for k, v in schema.items() if not (literal and k == "type")}


@pytest.mark.parametrize(
    "given, type_",
    [
        ({"type": "string", "enum": ["C", "F"]}, "string"),
        ({"enum": ["C", "F"]}, "string"),
        ({"const": 1}, "integer"),
        ({"enum": ["C", None]}, None),
        ({"type": ["string", "null"], "enum": ["C", None]}, None),
    ],
)
def test_an_enum_has_its_type_on_anthropic(given: JsonObject, type_: str | None) -> None:
    schema = {"type": "object", "properties": {"unit": given}, "required": ["unit"]}
    assert for_anthropic.adapt_schema(schema).schema["properties"]["unit"].get("type") == type_


@pytest.mark.parametrize("model", MODELS)
def test_openai_schemas_are_those_of_the_sdk(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    before = copy.deepcopy(schema)
    assert for_openai.adapt_schema(schema).schema == to_strict_json_schema(model)
    assert schema == before


def test_what_is_not_enforced_is_named() -> None:
    assert for_anthropic.adapt_schema(Machine.model_json_schema()).not_enforced == [
        "maximum of Part.size", "minimum of Part.size", "maxItems of parts", "pattern of code",
    ]  # fmt: skip

    class Strings(BaseModel):
        short: str = Field(max_length=3)
        words: set[str]

    adapted = for_openai.adapt_schema(Strings.model_json_schema())
    assert adapted.not_enforced == ["maxLength of short", "uniqueItems of words"]
    assert adapted.schema["properties"]["short"]["description"] == "{maxLength: 3}"
    assert adapted.why_not_strict == []
    odd = {"type": "object", "properties": {"odd": {"type": "string", "pattern": "^(?!a)"}}}
    assert for_openai.adapt_schema(odd).not_enforced == ["pattern of odd"]


def test_what_keeps_a_provider_from_holding_an_answer() -> None:
    anything = {"type": "object", "properties": {"a": {}, "m": {"type": "object", "additionalProperties": True}}}
    assert for_anthropic.adapt_schema(anything).why_not_strict == ["a may be of any type", "m is a map of open keys"]
    assert for_openai.adapt_schema(anything).why_not_strict == ["a may be of any type", "m is a map of open keys"]
    assert for_anthropic.adapt_schema(Node.model_json_schema()).why_not_strict == ["Node refers to itself"]
    assert for_openai.adapt_schema(Node.model_json_schema()).why_not_strict == []
    pair = {"type": "object", "properties": {"p": {"type": "array", "prefixItems": [{"type": "string"}]}}}
    assert for_openai.adapt_schema(pair).why_not_strict == ["the items of p may be of any type"]
    both = {"type": "object", "properties": {"b": {"allOf": [{"type": "object"}, {"type": "object"}]}}}
    assert "b joins several schemas (allOf)" in for_openai.adapt_schema(both).why_not_strict
    unsaid = {"type": "object", "properties": {}, "required": ["x"]}
    for wire in (for_anthropic, for_openai):
        assert wire.adapt_schema(unsaid).why_not_strict == ["x may be of any type"]
    joined = {"allOf": [{"$ref": "#/$defs/N"}, {"type": "object", "properties": {}}]}
    schema = {"$defs": {"N": {"type": "object", "properties": {}}}, "type": "object", "properties": {"j": joined}}
    assert for_anthropic.adapt_schema(schema).why_not_strict == ["j joins a reference with other schemas (allOf)"]
    joined["allOf"].pop()
    assert for_anthropic.adapt_schema(schema).schema["properties"]["j"] == {"$ref": "#/$defs/N"}


def with_properties(number: int, each: dict[str, Any], required: bool) -> dict[str, Any]:
    properties = {f"p{at}": each for at in range(number)}
    return {"type": "object", "properties": properties, "required": [*properties] if required else []}


@pytest.mark.parametrize(
    "each, required, most, what",
    [
        ({"type": "string"}, False, 24, "optional properties"),
        ({"type": ["string", "null"]}, True, 16, "choices among types"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, True, 16, "choices among types"),
    ],
)
def test_what_is_too_much_for_claude(each: dict[str, Any], required: bool, most: int, what: str) -> None:
    assert for_anthropic.adapt_schema(with_properties(most, each, required)).why_not_strict == []
    reasons = for_anthropic.adapt_schema(with_properties(most + 1, each, required)).why_not_strict
    assert reasons == [f"it has {most + 1} {what} ({most} is the most)"]


class Tagged(BaseModel):
    pair: tuple[int, str]
    place: tuple[float, float]
    rest: tuple[int, ...]


def test_a_tuple_is_held_to_the_types_of_its_items() -> None:
    schema = Tagged.model_json_schema()
    either = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    for adapted in (for_anthropic.adapt_schema(schema), for_openai.adapt_schema(schema)):
        properties = adapted.schema["properties"]
        assert [properties[name]["items"] for name in properties] == [either, {"type": "number"}, {"type": "integer"}]
        assert "prefixItems" in properties["pair"]["description"]
        assert adapted.why_not_strict == []
        assert {"prefixItems of pair", "prefixItems of place"} <= {*adapted.not_enforced}
    assert for_openai.adapt_schema(schema).schema["properties"]["pair"]["minItems"] == 2
    rest = {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}}
    adapted = for_openai.adapt_schema({"type": "object", "properties": {"p": rest}})
    assert adapted.schema["properties"]["p"]["items"] == {"anyOf": [{"type": "string"}, {"type": "integer"}]}


def test_what_is_not_strict_still_says_what_the_items_of_an_array_are() -> None:
    """OpenAI refuses arrays that do not, strict or not."""
    schema = {"type": "object", "properties": {"a": {"type": "array"}, "b": {"type": ["array", "null"], "minItems": 1}}}
    before = copy.deepcopy(schema)
    items = {name: each["items"] for name, each in with_items(schema)["properties"].items()}
    assert items == {"a": {}, "b": {}}
    assert schema == before
    pair = Tagged.model_json_schema()
    assert with_items(pair)["properties"]["place"]["items"] == {"type": "number"}
    assert with_items(with_items(pair)) == with_items(pair)
    whole = Part.model_json_schema()
    assert with_items(whole) is whole


def test_a_choice_of_one_is_anyof_on_openai() -> None:
    schema = {"type": "object", "properties": {"pet": {"oneOf": [{"type": "string"}, {"type": "null"}]}}}
    assert for_openai.adapt_schema(schema).schema["properties"]["pet"] == {
        "anyOf": [{"type": "string"}, {"type": "null"}]
    }


def test_a_reference_to_itself_with_a_description_stays_a_reference() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/N", "description": "the next"}}}
    adapted = for_openai.adapt_schema(
        {"$defs": {"N": node}, "type": "object", "properties": {"first": {"$ref": "#/$defs/N"}}}
    )
    assert adapted.schema["$defs"]["N"]["properties"]["next"] == {"$ref": "#/$defs/N"}


def test_optional_properties_become_nullable() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer", "default": 1}, "c": {"type": ["null"]}},
        "required": [],
    }
    assert nullable(schema)["properties"] == {
        **schema["properties"],
        "a": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    }
    assert without_nulls(schema, {"a": None, "b": None, "c": None}) == {"c": None}


# --- checking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schema, value, wrong",
    [
        ({"type": "integer"}, "1", "the answer is '1', which fails type: 'integer'"),
        (Part.model_json_schema(), {"size": 7}, "size is 7, which fails maximum: 5"),
        (Part.model_json_schema(), {}, "the answer has no 'size'"),
        (Node.model_json_schema(), {"value": 1, "children": [{"value": "x"}]}, "children[0].value is 'x'"),
        ({"type": "object", "properties": {"a": False}}, {"a": 1}, "a is not allowed"),
    ],
)
def test_the_place_of_a_problem(schema: dict[str, Any], value: Any, wrong: str) -> None:
    assert (problem(schema, value) or "").startswith(wrong)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "ab"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "null", "boolean", "object", "array", ["string", "null"]]),
        "enum": st.lists(JSON, min_size=1, max_size=2),
        "const": JSON,
        "minimum": st.integers(-2, 2),
        "maxLength": st.integers(0, 2),
        "minItems": st.integers(0, 2),
        "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
    },
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array"]),
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "additionalProperties": inner | st.booleans(),
        },
    ),
    max_leaves=5,
)


@given(SCHEMAS, JSON)
def test_checking_agrees_with_jsonschema(schema: dict[str, Any], value: Any) -> None:
    accepted = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert valid(schema, value) == accepted
    assert (problem(schema, value) is None) == accepted


@given(SCHEMAS, JSON)
def test_what_is_valid_stays_so_without_nulls(schema: dict[str, Any], value: Any) -> None:
    if valid(schema, value):
        assert valid(schema, without_nulls(schema, value))


@given(SCHEMAS)
def test_adapting_takes_any_schema_and_leaves_it_alone(schema: dict[str, Any]) -> None:
    before = copy.deepcopy(schema)
    for adapted in (for_anthropic.adapt_schema(schema), for_openai.adapt_schema(schema)):
        jsonschema.Draft202012Validator.check_schema(adapted.schema)
    assert schema == before
