"""`with_structured_output` with generated schemas and types."""

from __future__ import annotations

import json
import typing
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from langchain_unified import InvalidToolError
from langchain_unified.request import Request
from langchain_unified.schemas import anthropic as for_anthropic
from langchain_unified.schemas import openai as for_openai
from langchain_unified.structured.answer import Target
from langchain_unified.testing import Emulator, emulator
from langchain_unified.testing.emulation.schema_values import instance
from tests.integration.structured.helpers import Cat, JokeData, Tree, build, each_wire, object_of

NAMES = st.sampled_from(["name", "size", "items", "note", "value"])


def some(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas that say `required`, and any of the rest."""
    rest = {key: each if isinstance(each, st.SearchStrategy) else st.just(each) for key, each in optional.items()}
    return st.fixed_dictionaries({key: st.just(each) for key, each in required.items()}, optional=rest)


PLAIN = st.one_of(
    some({"type": "string"}, minLength=st.integers(0, 3), maxLength=st.integers(4, 9), description="d"),
    some({"type": "string", "pattern": "^[a-z]{2,4}$"}),
    some({"type": "string", "pattern": "^(?!x)"}, default="y"),
    some({"type": "string"}, format=st.sampled_from(["date", "uuid", "email", "uri", "regex"])),
    some({"type": "integer"}, minimum=st.integers(-5, 5), multipleOf=2, maximum=st.integers(9, 12)),
    some({"type": "number"}, exclusiveMinimum=st.integers(-5, 0), exclusiveMaximum=st.integers(5, 9)),
    some({"type": "boolean"}),
    some({"type": ["string", "null"]}, maxLength=st.integers(4, 9)),
    st.lists(st.sampled_from(["a", "b", 1, None]), min_size=1, max_size=3, unique_by=str).map(lambda e: {"enum": e}),
    st.just({"type": ["string", "null"], "enum": ["a", None]}),
    st.just({"const": "fixed"}),
    st.sampled_from(["Node", "Tree", "Even"]).map(lambda name: {"$ref": f"#/$defs/{name}"}),
    st.just({"type": "object", "additionalProperties": {"type": "integer"}}),
    st.just({"type": "object", "patternProperties": {"^a": {"type": "integer"}}, "minProperties": 1}),
)


def extend(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    @st.composite
    def an_object(draw: st.DrawFn) -> dict[str, Any]:
        properties = draw(st.dictionaries(NAMES, inner, min_size=1, max_size=3))
        required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True, max_size=3))
        return {"type": "object", "properties": properties, "required": required}

    def tuple_of(items: list[Any]) -> dict[str, Any]:
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}

    members = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        an_object(),
        inner.flatmap(lambda items: some({"type": "array", "items": items}, minItems=st.integers(0, 2), maxItems=3)),
        members.map(tuple_of),
        members.map(lambda found: {"anyOf": [*found, {"type": "null"}]}),
        members.map(lambda found: {"anyOf": found}),
    )


def maybe(name: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]}


RECURSIVE = {
    "Node": object_of(label={"type": "string"}, next=maybe("Node")),
    "Tree": object_of(
        size={"type": "integer", "minimum": 1}, children={"type": "array", "items": {"$ref": "#/$defs/Tree"}}
    ),
    "Even": object_of(odd=maybe("Odd")),
    "Odd": object_of(even=maybe("Even")),
}
ROOTS = st.recursive(PLAIN, extend, max_leaves=6).map(
    lambda found: {**found, "$defs": RECURSIVE} if "$ref" in json.dumps(found) else found
)
METHODS = st.sampled_from([None, "function_calling", "json_schema"])
WAYS = st.one_of(
    st.sampled_from([{}, {"method": "json_mode"}]),
    st.fixed_dictionaries({"method": METHODS, "strict": st.sampled_from([None, True, False])}),
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


class Obedient:
    """A server whose model does what the descriptions tell, also where nothing holds it to that."""

    server: Emulator
    name = ""
    value: Any = None

    def answer(self, request: Request) -> dict[str, Any] | str:
        call = {"name": self.name, "args": self.value}
        return {"tool_calls": [call]} if request.tools else json.dumps(self.value)


@pytest.fixture(scope="module")
def obedient() -> Iterator[Obedient]:
    model = Obedient()
    with emulator(script=model.answer) as model.server:
        yield model


def held(name: str, schema: dict[str, Any]) -> bool:
    """Whether the provider holds the model to all of a schema: then what the emulator makes up is an answer."""
    adapted = (for_anthropic if name == "anthropic" else for_openai).adapt_schema(schema)
    return not (adapted.not_enforced or adapted.why_not_strict)


QUESTION_OF = "Say something about the size 12 and 'note', as JSON."


@each_wire
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(schema=ROOTS, way=WAYS)
@example(schema={"$ref": "#/$defs/Tree", "$defs": RECURSIVE}, way={})
@example(schema={**object_of(even={"$ref": "#/$defs/Even"}), "$defs": RECURSIVE}, way={"strict": True})
@example(schema=object_of(again={"anyOf": [{"$ref": "#"}, {"type": "null"}]}), way={"method": "function_calling"})
@example(schema={"type": "object", "properties": {f"p{at}": {"type": "string"} for at in range(30)}}, way={})
def test_generated_schemas(
    name: str, shared: Emulator, obedient: Obedient, schema: dict[str, Any], way: dict[str, Any]
) -> None:
    """Whatever a schema says: the provider takes what is made of it, and the answer satisfies the schema itself."""
    whole = {"title": "Thing", **schema}
    target = Target(whole)
    obedient.value, obedient.name = instance(target.schema), target.name
    strict = way.get("method") in (None, "json_schema") and way.get("strict") is not False
    server = shared if strict and held(name, target.schema) else obedient.server
    if (
        name == "anthropic"
        and way.get("method") == "json_schema"
        and for_anthropic.adapt_schema(target.schema).why_not_strict
    ):
        with pytest.raises(InvalidToolError, match="Anthropic cannot hold an answer to the schema 'Thing'"):
            build(name, server).with_structured_output(whole, **way)
        return
    model = build(name, server).with_structured_output(whole, **way)
    found = model.invoke(QUESTION_OF)
    jsonschema.Draft202012Validator(whole).validate(found)
    assert list(model.stream(QUESTION_OF))[-1] == found


TYPES = st.recursive(
    st.sampled_from([str, int, bool, float, Cat, Tree, JokeData, Literal["a", "b"], None]),
    lambda inner: st.one_of(
        inner.map(lambda each: list[each]),  # type: ignore[valid-type]
        st.tuples(inner, inner).map(lambda both: typing.Union[both]),  # noqa: UP007 - made at run time
        inner.map(lambda each: typing.Union[each, None]),  # noqa: UP007
    ),
    max_leaves=4,
)


@each_wire
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(hint=TYPES)
def test_generated_types(name: str, shared: Emulator, hint: Any) -> None:
    if hint is None:
        return
    found = build(name, shared).with_structured_output(hint).invoke("Say something.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        TypeAdapter(hint).validate_python(found)
