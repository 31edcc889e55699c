"""Types to schemas and back."""

from __future__ import annotations

import pickle
import typing
from typing import Any

import jsonschema
import pytest
import typing_extensions
from pydantic import BaseModel, ConfigDict
from pydantic.v1 import BaseModel as BaseModelV1

from langchain_unified import InvalidToolError
from langchain_unified.schemas.check import without_nulls
from langchain_unified.structured.answer import Target
from tests.support.typed import Cat, Colour, Dog, Joke, Line, Node, NodeV1, Part, Point, Wrapper


class PairV1(BaseModelV1):
    pair: tuple[int, str]


class Folder(typing_extensions.TypedDict):
    name: str
    inside: list[Folder]


def test_a_typed_dict_is_read_as_langchain_writes_it() -> None:
    target = Target(Joke)
    assert (target.name, target.wrapped) == ("Joke", False)
    assert target.schema["required"] == ["setup"]
    assert target.schema["properties"]["setup"] == {"type": "string", "description": "the question"}
    assert target.schema["properties"]["punchline"]["description"] == "the answer"
    assert target.schema["properties"]["score"] == {"type": "integer", "description": "from 1 to 10"}
    assert target.load({"setup": "a", "score": None}) == {"setup": "a"}
    with pytest.raises(ValueError, match="setup is 1"):
        target.load({"setup": 1})


VALUES: list[tuple[Any, Any, Any]] = [
    (Part, {"size": 2}, Part(size=2)),
    (Node, {"value": 1, "children": [{"value": 2}]}, Node(value=1, children=[Node(value=2)])),
    (Wrapper, {"size": 2}, Wrapper(Part(size=2))),
    (NodeV1, {"value": 1, "note": None, "child": {"value": 2}}, NodeV1(value=1, child=NodeV1(value=2))),
    (
        Folder,
        {"name": "a", "inside": [{"name": "b", "inside": []}]},
        {"name": "a", "inside": [{"name": "b", "inside": []}]},
    ),
    (Line, {"start": {"x": 1}, "end": {"x": 2, "y": 3}}, Line(Point(1), Point(2, 3))),
    (Cat | Dog, {"value": {"kind": "dog", "tricks": ["sit"]}}, Dog(kind="dog", tricks=["sit"])),
    (Cat | NodeV1, {"value": {"value": 3}}, NodeV1(value=3)),
    (Cat | Joke, {"value": {"setup": "a"}}, {"setup": "a"}),
    (list[Cat], {"value": [{"kind": "cat", "lives": 9}]}, [Cat(kind="cat", lives=9)]),
    (list[Joke], {"value": [{"setup": "a"}]}, [{"setup": "a"}]),
    (Colour, {"value": "blue"}, Colour.BLUE),
    (int, {"value": 3}, 3),
    (tuple[int, str], {"value": [1, "a"]}, (1, "a")),
    (PairV1, {"pair": [1, "a"]}, PairV1(pair=(1, "a"))),
    ({"title": "T", "type": "object", "properties": {"a": {"type": "string"}}}, {"a": "x"}, {"a": "x"}),
    ({"title": "T", "type": "array", "items": {"type": "string"}}, {"value": ["x"]}, ["x"]),
    ({"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}, {"a": "x"}, {"a": "x"}),
    ({"name": "f", "input_schema": {"type": "object"}}, {"a": "x"}, {"a": "x"}),
]


@pytest.mark.parametrize("asked, value, wanted", VALUES, ids=lambda case: str(case)[:40])
def test_each_kind_of_type(asked: Any, value: Any, wanted: Any) -> None:
    target = Target(asked)
    assert target.schema["type"] == "object"
    jsonschema.Draft202012Validator.check_schema(target.schema)
    assert jsonschema.Draft202012Validator(target.schema).is_valid(without_nulls(target.schema, value))
    assert target.load(value) == wanted
    assert type(target.load(value)) is type(wanted)
    assert target.load_partial(value) == wanted
    again = pickle.loads(pickle.dumps(target))
    assert (again.name, again.schema, again.load(value)) == (target.name, target.schema, wanted)


def test_names_fit_for_a_tool() -> None:
    assert Target({"title": "My answer: ü!", "type": "object", "properties": {}}).name == "My_answer"
    assert Target({"name": "__answer__", "parameters": {"type": "object", "properties": {}}}).name == "__answer__"
    assert Target({"title": "x" * 80, "type": "object", "properties": {}}).name == "x" * 64
    assert Target(Cat | Dog).name == "response"


def having(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: schema}}


CIRCLE = {"A": {"anyOf": [{"$ref": "#/$defs/B"}]}, "B": {"not": {"$ref": "#/$defs/A"}}}


class Strange(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    fine: int
    run: typing.Callable[[], int]


@pytest.mark.parametrize(
    "asked, words",
    [
        ({}, "allows any answer"),
        ({"type": "objekt"}, "unusable `type` at the root: 'objekt'"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/Gone"}}}, r"unusable `\$ref` at a"),
        ({"type": "object", "properties": {"a": {"$ref": "https://a/b"}}}, r"unusable `\$ref` at a"),
        ({"type": "object", "properties": {"a": {"enum": []}}}, "unusable `enum` at a"),
        ({"type": "object", "properties": ["a"]}, "unusable `properties`"),
        (having("a", {"type": "integer", "minimum": "1"}), "unusable `minimum` at a: '1'. It is a number"),
        (having("a", {"type": "number", "exclusiveMinimum": True}), "unusable `exclusiveMinimum` at a: True"),
        (having("a", {"type": "number", "maximum": float("nan")}), "unusable `maximum` at a: nan"),
        (having("a", {"type": "number", "multipleOf": 0}), "unusable `multipleOf` at a: 0"),
        (having("a", {"type": "string", "maxLength": -1}), "unusable `maxLength` at a: -1"),
        (having("a", {"type": "string", "description": None}), "unusable `description` at a: None"),
        (having("a", {"type": "array", "items": [{"type": "string"}]}), "unusable `items` at a"),
        ({"$ref": "#"}, r"unusable `\$ref` at the root: '#'.*not in a circle"),
        ({**having("a", {"$ref": "#/$defs/A"}), "$defs": {"A": {"$ref": "#/$defs/A"}}}, r"unusable `\$ref` at a"),
        ({**having("a", {"$ref": "#/$defs/A"}), "$defs": CIRCLE}, r"unusable `\$ref` at a"),
        (Strange, "Strange has no JSON schema at field 'run'"),
        ("a text", "'a text' cannot be a schema. Give a pydantic class"),
        (7, "7 cannot be a schema. Give a pydantic class"),
        (Part(size=1), r"Part\(size=1, made=None\) cannot be a schema. Give a pydantic class"),
        ([Part, Node], "cannot be a schema. Give a pydantic class"),
    ],
)
def test_what_is_no_schema_is_named(asked: Any, words: str) -> None:
    with pytest.raises(InvalidToolError, match=words):
        Target(asked)
