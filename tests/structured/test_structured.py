"""Schemas per provider, types to schemas and back, incomplete values, and how an answer is read: no network."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import enum
import pickle
import typing
import uuid
from typing import Annotated, Any, Literal

import anthropic
import jsonschema
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator
from pydantic.v1 import BaseModel as BaseModelV1
from pydantic.v1 import Field as FieldV1

from langchain_unified import InvalidToolError, RefusalError, StructuredOutputError, TruncatedOutputError
from langchain_unified.schemas.anthropic import adapt_schema
from langchain_unified.schemas.check import problem, valid, without_nulls
from langchain_unified.schemas.openai import for_openai, nullable, with_items
from langchain_unified.structured.parser import Target, read
from langchain_unified.structured.partial import MISSING, grow


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    """A part."""

    size: int = Field(ge=1, le=5, description="in mm")
    made: dt.date | None = None


class Machine(BaseModel):
    """A machine."""

    name: str
    colour: Colour = Colour.RED
    kind: Literal["press"]
    model: Literal["a", 3]
    main: Part = Field(description="the main part")
    parts: list[Part] = Field(min_length=1, max_length=4)
    number: int | str | None
    code: str = Field(pattern="^[a-z]+$")
    serial: uuid.UUID
    labels: list[str] = Field(default_factory=list)


class Node(BaseModel):
    value: int
    children: list[Node] = []


class Wrapper(RootModel[Part]):
    pass


class NodeV1(BaseModelV1):
    """A node."""

    value: int
    note: str | None = None
    child: NodeV1 | None = FieldV1(None, description="below")


NodeV1.update_forward_refs()


class PairV1(BaseModelV1):
    pair: tuple[int, str]


class Joke(typing.TypedDict):
    """A joke.

    Args:
        score: from 1 to 10
    """

    setup: Annotated[str, ..., "the question"]
    punchline: Annotated[str | None, None, "the answer"]
    score: typing.NotRequired[int]


class Folder(typing_extensions.TypedDict):
    name: str
    inside: list[Folder]


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    start: Point
    end: Point
    tags: list[str] = dataclasses.field(default_factory=list)


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


# --- the SDKs' helpers ------------------------------------------------------------------------------------------------

MODELS = [Part, Machine, Node, Wrapper, Cat, Dog]


@pytest.mark.parametrize("model", MODELS)
def test_anthropic_schemas_are_those_of_the_sdk(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    before = copy.deepcopy(schema)
    assert adapt_schema(schema).schema == anthropic.transform_schema(schema)
    assert schema == before


@pytest.mark.parametrize("model", MODELS)
def test_openai_schemas_are_those_of_the_sdk(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    before = copy.deepcopy(schema)
    assert for_openai(schema).schema == to_strict_json_schema(model)
    assert schema == before


def test_what_is_not_enforced_is_named() -> None:
    assert adapt_schema(Machine.model_json_schema()).loose == [
        "maximum of Part.size", "minimum of Part.size", "maxItems of parts", "pattern of code",
    ]  # fmt: skip

    class Strings(BaseModel):
        short: str = Field(max_length=3)
        words: set[str]

    adapted = for_openai(Strings.model_json_schema())
    assert adapted.loose == ["maxLength of short", "uniqueItems of words"]
    assert adapted.schema["properties"]["short"]["description"] == "{maxLength: 3}"
    assert adapted.reasons == []
    odd = {"type": "object", "properties": {"odd": {"type": "string", "pattern": "^(?!a)"}}}
    assert for_openai(odd).loose == ["pattern of odd"]


def test_what_keeps_a_provider_from_holding_an_answer() -> None:
    anything = {"type": "object", "properties": {"a": {}, "m": {"type": "object", "additionalProperties": True}}}
    assert adapt_schema(anything).reasons == ["a may be of any type", "m is a map of open keys"]
    assert for_openai(anything).reasons == ["a may be of any type", "m is a map of open keys"]
    assert adapt_schema(Node.model_json_schema()).reasons == ["Node refers to itself"]
    assert for_openai(Node.model_json_schema()).reasons == []
    pair = {"type": "object", "properties": {"p": {"type": "array", "prefixItems": [{"type": "string"}]}}}
    assert for_openai(pair).reasons == ["the items of p may be of any type"]
    both = {"type": "object", "properties": {"b": {"allOf": [{"type": "object"}, {"type": "object"}]}}}
    assert "b joins several schemas (allOf)" in for_openai(both).reasons
    unsaid = {"type": "object", "properties": {}, "required": ["x"]}
    assert adapt_schema(unsaid).reasons == for_openai(unsaid).reasons == ["x may be of any type"]
    joined = {"allOf": [{"$ref": "#/$defs/N"}, {"type": "object", "properties": {}}]}
    schema = {"$defs": {"N": {"type": "object", "properties": {}}}, "type": "object", "properties": {"j": joined}}
    assert adapt_schema(schema).reasons == ["j joins a reference with other schemas (allOf)"]
    joined["allOf"].pop()
    assert adapt_schema(schema).schema["properties"]["j"] == {"$ref": "#/$defs/N"}


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
    assert adapt_schema(with_properties(most, each, required)).reasons == []
    reasons = adapt_schema(with_properties(most + 1, each, required)).reasons
    assert reasons == [f"it has {most + 1} {what} ({most} is the most)"]


class Tagged(BaseModel):
    pair: tuple[int, str]
    place: tuple[float, float]
    rest: tuple[int, ...]


def test_a_tuple_is_held_to_the_types_of_its_items() -> None:
    schema = Tagged.model_json_schema()
    either = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    for adapted in (adapt_schema(schema), for_openai(schema)):
        properties = adapted.schema["properties"]
        assert [properties[name]["items"] for name in properties] == [either, {"type": "number"}, {"type": "integer"}]
        assert "prefixItems" in properties["pair"]["description"]
        assert adapted.reasons == []
        assert {"prefixItems of pair", "prefixItems of place"} <= {*adapted.loose}
    assert for_openai(schema).schema["properties"]["pair"]["minItems"] == 2
    rest = {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}}
    adapted = for_openai({"type": "object", "properties": {"p": rest}})
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
    assert for_openai(schema).schema["properties"]["pet"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}


def test_a_reference_to_itself_with_a_description_stays_a_reference() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/N", "description": "the next"}}}
    adapted = for_openai({"$defs": {"N": node}, "type": "object", "properties": {"first": {"$ref": "#/$defs/N"}}})
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
    for adapted in (adapt_schema(schema), for_openai(schema)):
        jsonschema.Draft202012Validator.check_schema(adapted.schema)
    assert schema == before


# --- types ------------------------------------------------------------------------------------------------------------


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
    assert target.grow(value) == wanted
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
        ({}, "says nothing about the answer"),
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


# --- incomplete values ------------------------------------------------------------------------------------------------


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


# --- reading ----------------------------------------------------------------------------------------------------------


def message(content: Any = "", finish: str = "stop", **kwargs: Any) -> AIMessage:
    metadata = {"finish_reason": finish, "model_provider": "openai", "model_name": "m", "request_id": "r"}
    return AIMessage(content, response_metadata={**metadata, **kwargs.pop("metadata", {})}, **kwargs)


def call(name: str, args: Any, call_id: str = "1") -> dict[str, Any]:
    return {"name": name, "args": args, "id": call_id, "type": "tool_call"}


def test_answers_that_are_read() -> None:
    target = Target(Part)
    for said in (
        message('{"size": 2}'),
        message([{"type": "text", "text": '{"size": 2}'}]),
        message('Here it is:\n```json\n{"size": 2}\n```\nDone.'),
        message("thinking aloud", tool_calls=[call("Part", {"size": 2})]),
        message('{"size": 2}', "length"),
        message('{"size": 2, "note": "two\nlines"}'),
        # gpt-4o has been seen to say its answer twice, in one block and in two.
        message('{"size": 2}\n{"size": 2}'),
        message([{"type": "text", "text": '{"size": 2}'}, {"type": "text", "text": '{"size": 2}'}]),
        # A reasoning model may comment first.
        message([{"type": "text", "text": "Let me see {it}."}, {"type": "text", "text": '{"size": 2}'}]),
    ):
        assert read(said, target) == Part(size=2)


def test_a_message_that_calls_other_tools_comes_back() -> None:
    said = message('{"size": 2}', "tool_calls", tool_calls=[call("weather", {})])
    assert read(said, Target(Part)) is said
    both = message("", "tool_calls", tool_calls=[call("weather", {}), call("Part", {"size": 3}, "2")])
    assert read(both, Target(Part)) == Part(size=3)
    assert read(message("…", "pause"), Target(Part)).text == "…"


REFUSALS = [
    message("", "refusal", additional_kwargs={"refusal": "I cannot."}),
    message([{"type": "refusal", "refusal": "I cannot."}], "refusal"),
    message(
        "", "refusal", metadata={"stop_details": {"type": "refusal", "category": "bio", "explanation": "I cannot."}}
    ),
    message('{"size": 2', "content_filter"),
]


@pytest.mark.parametrize("said", REFUSALS)
def test_refusals(said: AIMessage) -> None:
    with pytest.raises(RefusalError, match=r"refused to answer.*: (I cannot|a content filter)") as caught:
        read(said, Target(Part))
    assert caught.value.raw_message is said
    assert (caught.value.provider, caught.value.model, caught.value.request_id) == ("openai", "m", "r")
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args


@pytest.mark.parametrize("finish, where", [("length", "max_tokens"), ("context_window", "context window")])
def test_truncated_answers(finish: str, where: str) -> None:
    with pytest.raises(TruncatedOutputError, match=where) as caught:
        read(message('{"size": ', finish), Target(Part))
    assert caught.value.partial_text == '{"size": '
    assert isinstance(caught.value, OutputParserException)
    broken = [{"name": "Part", "args": '{"si', "id": "1", "error": None, "type": "invalid_tool_call"}]
    with pytest.raises(TruncatedOutputError) as caught:
        read(message("", finish, invalid_tool_calls=broken), Target(Part))
    assert caught.value.partial_text == '{"si'
    assert pickle.loads(pickle.dumps(caught.value)).partial_text == '{"si'


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "no text and no call of 'Part'"),
        ("Sorry, no.", "'Part' is not JSON: 'Sorry, no.'"),
        ('{"size": 7}', "'Part': size: Input should be less than or equal to 5"),
        ("[1]", "a JSON object was asked for, not list"),
        ('{"size": NaN}', "NaN is no JSON"),
        ('{"size": 2} {"size": 3}', "does not fit 'Part': it is 2 different values"),
        ('{"size": ' + "[" * 5000 + "]" * 5000 + "}", "'Part': RecursionError"),
    ],
)
def test_answers_that_do_not_fit(text: str, words: str) -> None:
    with pytest.raises(StructuredOutputError, match=words) as caught:
        read(message(text), Target(Part))
    assert not isinstance(caught.value, TruncatedOutputError)
    assert caught.value.llm_output == text
    assert caught.value.is_retryable


class Broken(BaseModel):
    size: int

    @field_validator("size")
    @classmethod
    def divided(cls, size: int) -> float:
        return 1 / size


def test_what_a_class_raises_itself_is_told_too() -> None:
    with pytest.raises(StructuredOutputError, match="does not fit 'Broken': ZeroDivisionError: division by zero"):
        read(message('{"size": 0}'), Target(Broken))
