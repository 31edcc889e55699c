"""JSON schemas, and what of them the providers hold an answer to.

Both providers decode by a subset of JSON Schema. What is outside of it goes into descriptions, where the model may
read it, and is named in `Adapted.loose`. What cannot be said at all (a map of open keys, a value of any type) is named
in `Adapted.obstacles`.

`openai.py` writes schemas for OpenAI's two wires, `anthropic_messages/schema.py` for Anthropic's. The results are
those of the SDKs' own helpers (`to_strict_json_schema` of the OpenAI SDK, `anthropic.transform_schema`) on what these
take, but for tuples; the wires cannot call them, because they know no SDK.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_unified.request import Adjustment, JsonObject
from langchain_unified.schemas.check import resolve

PRIMITIVES = (str, int, float, bool, type(None))

ANNOTATIONS = frozenset(
    {
        "$anchor", "$comment", "$id", "$schema", "default", "deprecated", "description", "discriminator", "examples",
        "readOnly", "title", "writeOnly",
    }
)  # fmt: skip
"""Keywords that restrict nothing."""

TYPE_KEYWORDS = ("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref")
"""A schema has one of these, or it takes values of any type."""


@dataclass(slots=True)
class Adapted:
    """A schema in a provider's subset.

    `loose`: the keywords that are told and not enforced, with their place (`minimum of age`). `maps`, `limits` and
    `obstacles`: why answers cannot be held to the schema, in words that follow "because"; `limits` are of size only.
    """

    schema: JsonObject = field(default_factory=dict)
    loose: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> list[str]:
        """All that keeps the provider from holding an answer to the schema; empty where it does."""
        return [*self.obstacles, *self.maps, *self.limits]

    def look_at(self, schema: Mapping[str, Any], path: str) -> None:
        """Note what neither provider's decoding can say of a schema by itself."""
        if not any(key in schema for key in TYPE_KEYWORDS):
            self.block(f"{place_of(path)} may be of any type")
        # An object at the root about which nothing else is said is one without fields, as for a tool without arguments.
        if is_map(schema) and (path or schema.keys() - ANNOTATIONS != {"type"}):
            self.maps.append(f"{place_of(path)} is a map of open keys")
        for name in _unsaid(schema):
            self.block(f"{place_of(f'{path}.{name}')} may be of any type")

    def note_loose(self, name: str, provider: str, adjustments: list[Adjustment], *, checked: bool) -> None:
        """Add an adjustment that says what is told only, where anything is. `name`: whose schema it is."""
        if self.loose:
            why = f"{provider} does not enforce {', '.join(self.loose)}: descriptions tell the model"
            adjustments.append(note(f"the schema of {name}", why, checked=checked))

    def note_open(self, name: str, provider: str, adjustments: list[Adjustment], *, checked: bool) -> None:
        """Add an adjustment that says why the model is not held to the schema."""
        why = f"{provider} cannot hold the model to the schema, because {'; '.join(self.reasons)}: sent as not strict"
        adjustments.append(note(f"the schema of {name}", why, checked=checked))

    def tell(self, schema: JsonObject, told: Mapping[str, Any], path: str) -> JsonObject:
        """The schema with the keywords in `told` moved into its description."""
        self.loose += [f"{key} of {place_of(path)}" for key in told if key not in ANNOTATIONS]
        if not told:
            return schema
        hint = "{" + ", ".join(f"{key}: {value}" for key, value in told.items()) + "}"
        return {**schema, "description": "\n\n".join(filter(None, [schema.get("description"), hint]))}

    def block(self, why: str) -> None:
        if why not in self.obstacles:
            self.obstacles.append(why)


def note(what: str, why: str, *, checked: bool) -> Adjustment:
    """An adjustment of a schema. Nothing is lost by it where the answer is checked here. `why` has no full stop."""
    if not checked:
        return Adjustment(what=what, why=f"{why}.")
    return Adjustment(what=what, why=f"{why}, and the answer is checked here.", lossless=True)


def place_of(path: str) -> str:
    return path.lstrip(".") or "the root"


def _unsaid(schema: Mapping[str, Any]) -> list[str]:
    """The properties that a schema requires and says nothing of."""
    if schema.get("type") != "object" or isinstance(schema.get("additionalProperties"), Mapping):
        return []
    return [name for name in schema.get("required") or () if name not in (schema.get("properties") or {})]


def is_map(schema: Mapping[str, Any]) -> bool:
    """Whether a schema is of an object that has no named properties, and takes others."""
    kinds = schema.get("type")
    named = "object" in (kinds if isinstance(kinds, list) else [kinds])
    closed = schema.get("additionalProperties", "properties" not in schema) is False
    return named and not schema.get("properties") and not closed


def is_object(schema: Mapping[str, Any]) -> bool:
    """Whether a schema is an object's, and no choice among several."""
    return schema.get("type") == "object" and not any(key in schema for key in ("anyOf", "oneOf"))


def is_recursive(reference: str, root: Any) -> bool:
    """Whether what `reference` points at leads back to it."""
    return returns(reference, root, _references)


def returns(reference: str, root: Any, references: Callable[[Any], Iterator[str]]) -> bool:
    """Whether one comes back to `reference` by following `references`."""
    seen: set[str] = set()
    todo = [*references(resolve(reference, root))]
    while todo:
        found = todo.pop()
        if found == reference:
            return True
        if found not in seen:
            seen.add(found)
            todo += references(resolve(found, root))
    return False


def _references(schema: Any) -> Iterator[str]:
    """The references inside a schema; its definitions are no part of it."""
    for _, each in parts(schema):
        if isinstance(each.get("$ref"), str):
            yield each["$ref"]


SEVERAL = ("properties", "patternProperties", "dependentSchemas")
ONE = (
    "items",
    "additionalProperties",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedProperties",
)
CONDITIONS = ("not", "if", "then", "else")
CHOICES = ("anyOf", "oneOf", "allOf")
LISTS = (*CHOICES, "prefixItems")
DEFINITIONS = ("$defs", "definitions")


def parts(schema: Any, path: str = "", *, definitions: bool = False) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A schema and all that are inside it, with their places, its definitions only where they are asked for."""
    if not isinstance(schema, Mapping):
        return
    yield path, schema
    for key, inner in schema.items():
        step = STEPS.get(key)
        if step is not None and (definitions or key not in DEFINITIONS):
            for place, each in step(key, inner, path):
                yield from parts(each, place, definitions=definitions)


Places = Iterable[tuple[str, Any]]


def _named(key: str, inner: Any, path: str) -> Places:
    prefix = "" if key in DEFINITIONS else f"{path}."
    return [(f"{prefix}{name}", each) for name, each in inner.items()] if isinstance(inner, Mapping) else ()


def _listed(key: str, inner: Any, path: str) -> Places:
    return [(path, each) for each in inner] if isinstance(inner, list) else ()


def _single(key: str, inner: Any, path: str) -> Places:
    return ((f"{path}[]" if key == "items" else path, inner),)


STEPS: Mapping[str, Callable[[str, Any, str], Places]] = {
    **dict.fromkeys((*SEVERAL, *DEFINITIONS), _named),
    **dict.fromkeys(LISTS, _listed),
    **dict.fromkeys(ONE, _single),
}
"""Keyword -> the schemas inside of it, with their places."""


def inside(schema: Mapping[str, Any], change: Callable[[Any], Any]) -> JsonObject:
    """A copy of a schema, each schema directly inside of it changed."""
    result = dict(schema)
    for key in (*SEVERAL, *DEFINITIONS):
        if isinstance(schema.get(key), Mapping):
            result[key] = {name: change(each) for name, each in schema[key].items()}
    for key in LISTS:
        if isinstance(schema.get(key), list):
            result[key] = [change(each) for each in schema[key]]
    return result | {key: change(schema[key]) for key in ONE if key in schema}


def rooted(schema: Mapping[str, Any]) -> JsonObject:
    """The schema without a reference at its root: an API that wants an object there does not follow it."""
    reference = schema.get("$ref")
    holder, _, name = str(reference).removeprefix("#/").partition("/")
    found = schema.get(holder, {}).get(name) if holder in DEFINITIONS else None
    if not isinstance(found, Mapping):
        return dict(schema)
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def tuple_items(schema: Mapping[str, Any]) -> Any:
    """What any item of a tuple's schema is, whatever its place; `None` where it is no tuple's, or an open one's."""
    listed = schema.get("prefixItems")
    if not listed:
        return None
    rest = schema.get("items", schema.get("maxItems", math.inf) > len(listed))
    if rest is True:
        return None
    found = listed if rest is False else [*listed, rest]
    different = [each for at, each in enumerate(found) if each not in found[:at]]
    return {"anyOf": different} if len(different) > 1 else different[0]


def has_items(schema: Mapping[str, Any]) -> bool:
    """Whether a schema is no array's, or says what its items are."""
    kinds = schema.get("type")
    return "items" in schema or "array" not in (kinds if isinstance(kinds, list) else [kinds])


def itemized(schema: Mapping[str, Any]) -> bool:
    """Whether every array in a schema says what its items are."""
    return all(has_items(part) for _, part in parts(schema, definitions=True))
