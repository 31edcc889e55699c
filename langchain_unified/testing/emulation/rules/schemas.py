"""What the providers find wrong with JSON schemas, and where.

It is written apart from what the library makes of schemas, so that the one can be held against the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.schemas.check import TYPES

SEVERAL = ("properties", "$defs", "definitions")
LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
SINGLE = ("items", "additionalProperties", "not", "contains")


def schemas(schema: Any, path: str = "") -> Iterator[tuple[str, JsonObject]]:
    """A schema and all that are inside it, with where they stand (`'properties', 'a'`)."""
    if not isinstance(schema, dict):
        return
    yield path.removeprefix(", "), schema
    for key in SEVERAL:
        named = schema.get(key)
        for name, item in named.items() if isinstance(named, dict) else ():
            yield from schemas(item, f"{path}, '{key}', '{name}'")
    for key in LISTED:
        listed = schema.get(key)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            yield from schemas(item, f"{path}, '{key}', '{index}'")
    for key in SINGLE:
        yield from schemas(schema.get(key), f"{path}, '{key}'")


def objects(schema: Any) -> Iterator[tuple[str, JsonObject]]:
    """The objects among them."""
    return ((where, each) for where, each in schemas(schema) if _is(each, "object") or "properties" in each)


def _is(schema: Mapping[str, Any], kind: str) -> bool:
    kinds = schema.get("type")
    return kind in (kinds if isinstance(kinds, list) else [kinds])


# --- Anthropic --------------------------------------------------------------------------------------------------------

UNSUPPORTED = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "maxItems", "uniqueItems", "contains", "prefixItems", "patternProperties", "propertyNames", "minProperties",
        "maxProperties", "dependentRequired", "dependentSchemas", "oneOf", "not", "if", "then", "else",
    }
)  # fmt: skip


def unsupported(schema: Any) -> Iterator[tuple[str, str]]:
    """`(type, keyword)` for keywords that decoding does not know."""
    for _, each in schemas(schema):
        yield from ((str(each.get("type", "any")), key) for key in each if key in UNSUPPORTED)
        if any("$ref" in part for part in each.get("allOf") or ()):
            yield "allOf", "$ref"


def counts(schema: Any) -> Iterator[int]:
    """The values of `minItems` that it does not know."""
    return (each["minItems"] for _, each in schemas(schema) if each.get("minItems", 0) not in (0, 1))


def strays(schema: Any) -> Iterator[tuple[Any, Any]]:
    """`(value, type)` for listed values that are not of the one type that is declared beside them."""
    for _, each in schemas(schema):
        kind = each.get("type")
        for value in each.get("enum") or () if kind else ():
            if not (isinstance(kind, str) and kind in TYPES and TYPES[kind](value)):
                yield value, kind


def circle(schema: Any) -> str:
    """The definitions that lead back to the first of them (`A -> B -> A`); empty where none does."""
    leads = {
        name: _referred(inner) for key in ("$defs", "definitions") for name, inner in (schema.get(key) or {}).items()
    }
    leads["#"] = _referred({key: value for key, value in schema.items() if key not in ("$defs", "definitions")})
    return next((" -> ".join(found) for name in leads if (found := _way_back(name, leads))), "")


def _referred(schema: Any) -> set[str]:
    """The names of what a schema refers to; `#` is the whole."""
    return {each["$ref"].rpartition("/")[2] for _, each in schemas(schema) if isinstance(each.get("$ref"), str)}


def _way_back(name: str, leads: Mapping[str, set[str]]) -> list[str]:
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for each in sorted(leads.get(way[-1], ())):
            if each == name:
                return [*way, name]
            if each not in seen:
                seen.add(each)
                ways.append([*way, each])
    return []


def optional(schema: Any) -> int:
    """How many properties need not be there."""
    found = [each for _, each in objects(schema)]
    return sum(len({*(each.get("properties") or ())} - {*(each.get("required") or ())}) for each in found)


def unions(schema: Any) -> int:
    """How many values may be of several types."""
    return sum(isinstance(each.get("type"), list) or "anyOf" in each for _, each in schemas(schema))


# --- OpenAI -----------------------------------------------------------------------------------------------------------

NOT_AT_ROOT = ("oneOf", "anyOf", "allOf", "enum", "const", "not")
FORBIDDEN = ("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas")


def misshapen(schema: Any) -> Iterator[tuple[str, str]]:
    """`(where, what)` that no function's schema may be, strict or not."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        kind = schema.get("type") if isinstance(schema, dict) else None
        yield "", f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'"
        return
    if any(key in schema for key in NOT_AT_ROOT):
        names = "/".join(f"'{key}'" for key in NOT_AT_ROOT)
        yield "", f"schema must have type 'object' and not have {names} at the top level"
    if "properties" not in schema:
        yield "", "object schema missing properties"
    yield from unlisted(schema)


def unlisted(schema: Any) -> Iterator[tuple[str, str]]:
    """Arrays that do not say what their items are."""
    for where, each in schemas(schema):
        if _is(each, "array") and "items" not in each:
            yield where, "array schema missing items"


def loose(schema: Any) -> Iterator[tuple[str, str]]:
    """`(where, what)` that a strict schema lacks: closed objects, every property required, only known words."""
    for where, found in schemas(schema):
        yield from ((where, f"'{key}' is not permitted") for key in FORBIDDEN if key in found)
    for where, found in objects(schema):
        if found.get("additionalProperties") is not False:
            yield where, "'additionalProperties' is required to be supplied and to be false"
        names = [name for name in (found.get("properties") or {}) if name not in (found.get("required") or ())]
        if names:
            yield (
                where,
                (
                    "'required' is required to be supplied and to be an array including every key in properties. "
                    f"Missing '{names[0]}'"
                ),
            )
