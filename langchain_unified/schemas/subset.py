"""What the strict subsets of both providers share: the record of a schema put into one, and a walk through a schema.

Both providers constrain decoding by a subset of JSON Schema. Keywords outside it move into descriptions, where the
model reads them, and are listed in `AdaptedSchema.not_enforced`. What no strict schema can express (a map of open
keys, a value of any type) is listed in `AdaptedSchema.obstacles`.

`openai.py` and `anthropic.py` write the two subsets. The results equal those of the SDKs' own helpers
(`to_strict_json_schema` of the OpenAI SDK, `anthropic.transform_schema`) for what these accept, except for tuples.
The wires cannot call the helpers, because they import no SDK.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_unified.request import Adjustment, JsonObject
from langchain_unified.schemas.check import resolve

ANNOTATIONS = frozenset(
    {
        "$anchor", "$comment", "$id", "$schema", "default", "deprecated", "description", "discriminator", "examples",
        "readOnly", "title", "writeOnly",
    }
)  # fmt: skip
"""Keywords that restrict nothing."""

TYPE_KEYWORDS = ("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref")
"""A schema without any of these allows values of any type."""


@dataclass(slots=True)
class AdaptedSchema:
    """A schema in the strict subset of a provider.

    `not_enforced`: the keywords that moved into descriptions, with their place (`minimum of age`). `maps`, `limits` and
    `obstacles`: why the provider cannot hold an answer to the schema, as words after "because"; `limits` concern size.
    """

    provider: str
    schema: JsonObject = field(default_factory=dict)
    not_enforced: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)

    @property
    def why_not_strict(self) -> list[str]:
        """All that keeps the provider from holding an answer to the schema; empty where it does."""
        return [*self.obstacles, *self.maps, *self.limits]

    def inspect(self, schema: Mapping[str, Any], path: str) -> None:
        """Record what neither provider can express of `schema`, which stands at `path`. Subschemas are not visited."""
        if not any(key in schema for key in TYPE_KEYWORDS):
            self.add_obstacle(f"{place_of(path)} may be of any type")
        # A root with nothing but `"type": "object"` is an object without fields, as for a tool without arguments.
        if is_map(schema) and (path or schema.keys() - ANNOTATIONS != {"type"}):
            self.maps.append(f"{place_of(path)} is a map of open keys")
        for name in _undescribed(schema):
            self.add_obstacle(f"{place_of(f'{path}.{name}')} may be of any type")

    def add_obstacle(self, why: str) -> None:
        if why not in self.obstacles:
            self.obstacles.append(why)

    def add_not_enforced(self, keywords: Iterable[str], path: str) -> None:
        self.not_enforced += [f"{keyword} of {place_of(path)}" for keyword in keywords if keyword not in ANNOTATIONS]

    def describe(self, schema: JsonObject, keywords: Mapping[str, Any], path: str) -> JsonObject:
        """The schema with `keywords`, which it cannot have, appended to its description."""
        self.add_not_enforced(keywords, path)
        if not keywords:
            return schema
        hint = "{" + ", ".join(f"{key}: {value}" for key, value in keywords.items()) + "}"
        return {**schema, "description": "\n\n".join(filter(None, [schema.get("description"), hint]))}

    def report_not_enforced(self, name: str, adjustments: list[Adjustment], *, checked: bool) -> None:
        """Add an adjustment that lists the keywords in descriptions, if any. `name`: whose schema it is."""
        if self.not_enforced:
            why = f"{self.provider} does not enforce {', '.join(self.not_enforced)}: descriptions tell the model"
            adjustments.append(schema_adjustment(f"the schema of {name}", why, checked=checked))

    def report_not_strict(self, name: str, adjustments: list[Adjustment], *, checked: bool) -> None:
        """Add an adjustment with the reasons for which the schema is sent as not strict."""
        because = "; ".join(self.why_not_strict)
        why = f"{self.provider} cannot hold the model to the schema, because {because}: sent as not strict"
        adjustments.append(schema_adjustment(f"the schema of {name}", why, checked=checked))


def schema_adjustment(what: str, why: str, *, checked: bool) -> Adjustment:
    """An adjustment of a schema, lossless where the answer is checked here. `why` has no full stop."""
    if not checked:
        return Adjustment(what=what, why=f"{why}.")
    return Adjustment(what=what, why=f"{why}, and the answer is checked here.", lossless=True)


def place_of(path: str) -> str:
    return path.lstrip(".") or "the root"


# --- what a schema describes ------------------------------------------------------------------------------------------


def has_type(schema: Mapping[str, Any], name: str) -> bool:
    """Whether a schema names a type, alone or in a list of types."""
    types = schema.get("type")
    return name in (types if isinstance(types, list) else [types])


def is_object(schema: Mapping[str, Any]) -> bool:
    """Whether a schema describes an object alone, not one of several alternatives."""
    return schema.get("type") == "object" and not any(key in schema for key in ("anyOf", "oneOf"))


def is_map(schema: Mapping[str, Any]) -> bool:
    """Whether a schema describes an object without named properties that allows others."""
    closed = schema.get("additionalProperties", "properties" not in schema) is False
    return has_type(schema, "object") and not schema.get("properties") and not closed


def _undescribed(schema: Mapping[str, Any]) -> list[str]:
    """The required properties without a schema."""
    if schema.get("type") != "object" or isinstance(schema.get("additionalProperties"), Mapping):
        return []
    return [name for name in schema.get("required") or () if name not in (schema.get("properties") or {})]


def has_items(schema: Mapping[str, Any]) -> bool:
    """Whether a schema describes the items of its array; `True` where it allows no array."""
    return "items" in schema or not has_type(schema, "array")


def every_array_has_items(schema: Mapping[str, Any]) -> bool:
    """Whether each array in a schema has a schema for its items."""
    return all(has_items(part) for _, part in subschemas(schema, definitions=True))


def tuple_items(schema: Mapping[str, Any]) -> Any:
    """One schema for all items of a tuple, whatever their place; `None` for no tuple, or one that may be longer."""
    listed = schema.get("prefixItems")
    if not listed:
        return None
    rest = schema.get("items", schema.get("maxItems", math.inf) > len(listed))
    if rest is True:
        return None
    found = listed if rest is False else [*listed, rest]
    different = [each for at, each in enumerate(found) if each not in found[:at]]
    return {"anyOf": different} if len(different) > 1 else different[0]


# --- references -------------------------------------------------------------------------------------------------------


def without_root_reference(schema: Mapping[str, Any]) -> JsonObject:
    """The schema with its root resolved: the APIs want an object there, and follow no reference to one."""
    reference = schema.get("$ref")
    holder, _, name = str(reference).removeprefix("#/").partition("/")
    found = schema.get(holder, {}).get(name) if holder in DEFINITIONS else None
    if not isinstance(found, Mapping):
        return dict(schema)
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def is_recursive(reference: str, root: Any) -> bool:
    """Whether the schema behind `reference` contains `reference`, directly or through others."""
    return leads_back(reference, root, _references_in)


def leads_back(reference: str, root: Any, references_in: Callable[[Any], Iterator[str]]) -> bool:
    """Whether following references leads back to `reference`. `references_in` lists the ones of a schema to follow."""
    seen: set[str] = set()
    todo = [*references_in(resolve(reference, root))]
    while todo:
        found = todo.pop()
        if found == reference:
            return True
        if found not in seen:
            seen.add(found)
            todo += references_in(resolve(found, root))
    return False


def _references_in(schema: Any) -> Iterator[str]:
    for _, part in subschemas(schema):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]


# --- subschemas -------------------------------------------------------------------------------------------------------

COMBINATIONS = ("anyOf", "oneOf", "allOf")
CONDITIONS = ("not", "if", "then", "else")
DEFINITIONS = ("$defs", "definitions")

MAPS_OF_SCHEMAS = ("properties", "patternProperties", "dependentSchemas")
LISTS_OF_SCHEMAS = (*COMBINATIONS, "prefixItems")
SINGLE_SCHEMAS = (
    "items", "additionalProperties", "contains", *CONDITIONS, "propertyNames", "unevaluatedProperties",
)  # fmt: skip


def subschemas(schema: Any, path: str = "", *, definitions: bool = False) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """`(path, schema)` of a schema and of all schemas in it. `definitions`: also of those in `$defs`."""
    if not isinstance(schema, Mapping):
        return
    yield path, schema
    for key, inner in schema.items():
        step = STEPS.get(key)
        if step is not None and (definitions or key not in DEFINITIONS):
            for place, each in step(key, inner, path):
                yield from subschemas(each, place, definitions=definitions)


def map_subschemas(schema: Mapping[str, Any], change: Callable[[Any], Any]) -> JsonObject:
    """A copy of a schema with `change` applied to each schema directly in it."""
    result = dict(schema)
    for key in (*MAPS_OF_SCHEMAS, *DEFINITIONS):
        if isinstance(schema.get(key), Mapping):
            result[key] = {name: change(each) for name, each in schema[key].items()}
    for key in LISTS_OF_SCHEMAS:
        if isinstance(schema.get(key), list):
            result[key] = [change(each) for each in schema[key]]
    return result | {key: change(schema[key]) for key in SINGLE_SCHEMAS if key in schema}


def pop_definitions(schema: JsonObject, adapt: Callable[[Any, str], Any]) -> JsonObject:
    """Take `$defs` and `definitions` out of `schema`, in place, and return them with `adapt(schema, name)` applied."""
    return {
        key: {name: adapt(each, name) for name, each in schema.pop(key).items()} for key in DEFINITIONS if key in schema
    }


Places: TypeAlias = Iterable[tuple[str, Any]]


def _in_map(key: str, inner: Any, path: str) -> Places:
    prefix = "" if key in DEFINITIONS else f"{path}."
    return [(f"{prefix}{name}", each) for name, each in inner.items()] if isinstance(inner, Mapping) else ()


def _in_list(key: str, inner: Any, path: str) -> Places:
    return [(path, each) for each in inner] if isinstance(inner, list) else ()


def _single(key: str, inner: Any, path: str) -> Places:
    return ((f"{path}[]" if key == "items" else path, inner),)


STEPS: Mapping[str, Callable[[str, Any, str], Places]] = {
    **dict.fromkeys((*MAPS_OF_SCHEMAS, *DEFINITIONS), _in_map),
    **dict.fromkeys(LISTS_OF_SCHEMAS, _in_list),
    **dict.fromkeys(SINGLE_SCHEMAS, _single),
}
"""Keyword -> the schemas in its value, with their paths."""
