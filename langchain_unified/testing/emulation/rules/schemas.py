"""What the providers refuse in a JSON schema, and where.

This is independent of the package `schemas`, which adapts schemas to the providers, so that the tests can compare the
two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.schemas.check import TYPES

NAMED_SUBSCHEMAS = ("properties", "$defs", "definitions")
LISTED_SUBSCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
SINGLE_SUBSCHEMAS = ("items", "additionalProperties", "not", "contains")


def subschemas(schema: Any, path: str = "") -> Iterator[tuple[str, JsonObject]]:
    """A schema and all schemas inside it, each with its path (`'properties', 'a'`)."""
    if not isinstance(schema, dict):
        return
    yield path.removeprefix(", "), schema
    for key in NAMED_SUBSCHEMAS:
        named = schema.get(key)
        for name, item in named.items() if isinstance(named, dict) else ():
            yield from subschemas(item, f"{path}, '{key}', '{name}'")
    for key in LISTED_SUBSCHEMAS:
        listed = schema.get(key)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            yield from subschemas(item, f"{path}, '{key}', '{index}'")
    for key in SINGLE_SUBSCHEMAS:
        yield from subschemas(schema.get(key), f"{path}, '{key}'")


def object_schemas(schema: Any) -> Iterator[tuple[str, JsonObject]]:
    """The subschemas that describe objects, each with its path."""
    return ((path, each) for path, each in subschemas(schema) if _allows_type(each, "object") or "properties" in each)


def _allows_type(schema: Mapping[str, Any], kind: str) -> bool:
    kinds = schema.get("type")
    return kind in (kinds if isinstance(kinds, list) else [kinds])


# --- Anthropic --------------------------------------------------------------------------------------------------------

UNSUPPORTED_KEYWORDS = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "maxItems", "uniqueItems", "contains", "prefixItems", "patternProperties", "propertyNames", "minProperties",
        "maxProperties", "dependentRequired", "dependentSchemas", "oneOf", "not", "if", "then", "else",
    }
)  # fmt: skip


def unsupported_keywords(schema: Any) -> Iterator[tuple[str, str]]:
    """`(type, keyword)` for each keyword that structured outputs do not support."""
    for _, each in subschemas(schema):
        yield from ((str(each.get("type", "any")), key) for key in each if key in UNSUPPORTED_KEYWORDS)
        if any("$ref" in part for part in each.get("allOf") or ()):
            yield "allOf", "$ref"


def unsupported_min_items(schema: Any) -> Iterator[int]:
    """Each value of `minItems` other than 0 and 1."""
    return (each["minItems"] for _, each in subschemas(schema) if each.get("minItems", 0) not in (0, 1))


def mistyped_enum_values(schema: Any) -> Iterator[tuple[Any, Any]]:
    """`(value, type)` for each `enum` value that is not of the declared type."""
    for _, each in subschemas(schema):
        kind = each.get("type")
        for value in each.get("enum") or () if kind else ():
            if not (isinstance(kind, str) and kind in TYPES and TYPES[kind](value)):
                yield value, kind


def reference_cycle(schema: Any) -> str:
    """The first circle of references between definitions (`A -> B -> A`); empty if there is none."""
    references = {
        name: _references(inner) for key in ("$defs", "definitions") for name, inner in (schema.get(key) or {}).items()
    }
    references["#"] = _references({key: item for key, item in schema.items() if key not in ("$defs", "definitions")})
    return next((" -> ".join(path) for name in references if (path := _path_back(name, references))), "")


def _references(schema: Any) -> set[str]:
    """The names of the definitions that a schema refers to; `#` is the root schema."""
    return {each["$ref"].rpartition("/")[2] for _, each in subschemas(schema) if isinstance(each.get("$ref"), str)}


def _path_back(name: str, references: Mapping[str, set[str]]) -> list[str]:
    """A path of references from a definition to itself; empty if there is none."""
    paths = [[name]]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        for each in sorted(references.get(path[-1], ())):
            if each == name:
                return [*path, name]
            if each not in seen:
                seen.add(each)
                paths.append([*path, each])
    return []


def count_optional_properties(schema: Any) -> int:
    """The number of properties that are not required, in all objects."""
    objects = [each for _, each in object_schemas(schema)]
    return sum(len({*(each.get("properties") or ())} - {*(each.get("required") or ())}) for each in objects)


def count_union_types(schema: Any) -> int:
    """The number of subschemas with several types or `anyOf`."""
    return sum(isinstance(each.get("type"), list) or "anyOf" in each for _, each in subschemas(schema))


# --- OpenAI -----------------------------------------------------------------------------------------------------------

FORBIDDEN_AT_ROOT = ("oneOf", "anyOf", "allOf", "enum", "const", "not")
FORBIDDEN_WHEN_STRICT = (
    "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties",
    "propertyNames", "unevaluatedProperties", "unevaluatedItems", "minProperties", "maxProperties", "contains",
    "minContains", "maxContains", "uniqueItems", "prefixItems",
)  # fmt: skip
STRICT_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")
NEEDS_NO_TYPE = ("type", "$ref", "anyOf", "enum", "const", *FORBIDDEN_WHEN_STRICT)


def root_errors(schema: Any, *, reference: bool = True) -> Iterator[tuple[str, str]]:
    """`(path, error)` for what is refused at the root of a schema. `reference`: whether the root may be a `$ref`."""
    if not isinstance(schema, dict) or (schema.get("type") != "object" and not (reference and "$ref" in schema)):
        kind = schema.get("type") if isinstance(schema, dict) else None
        yield "", f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'"
    elif any(key in schema for key in FORBIDDEN_AT_ROOT):
        names = "/".join(f"'{key}'" for key in FORBIDDEN_AT_ROOT)
        yield "", f"schema must have type 'object' and not have {names} at the top level"


def function_schema_errors(schema: Any) -> Iterator[tuple[str, str]]:
    """`(path, error)` for what is refused in the schema of any function, strict or not."""
    yield from root_errors(schema, reference=False)
    if isinstance(schema, dict) and schema.get("type") == "object" and "properties" not in schema:
        yield "", "object schema missing properties"
    yield from arrays_without_items(schema)


def arrays_without_items(schema: Any) -> Iterator[tuple[str, str]]:
    """`(path, error)` for each array without `items`."""
    for path, each in subschemas(schema):
        if _allows_type(each, "array") and "items" not in each:
            yield path, "array schema missing items"


def strict_schema_errors(schema: Any) -> Iterator[tuple[str, str]]:
    """`(path, error)` where a strict schema has an open object, an optional property or a forbidden keyword."""
    for path, each in subschemas(schema):
        yield from ((path, f"'{key}' is not permitted") for key in FORBIDDEN_WHEN_STRICT if key in each)
        if "$ref" in each and len(each) > 1 and path:
            yield path, "$ref cannot have keywords beside it"
        if not any(key in each for key in NEEDS_NO_TYPE):
            yield path, "schema must have a 'type' key"
        if each.get("format") is not None and _allows_type(each, "string") and each["format"] not in STRICT_FORMATS:
            yield path, f"'{each['format']}' is not a valid format"
    for path, each in object_schemas(schema):
        if each.get("additionalProperties") is not False:
            yield path, "'additionalProperties' is required to be supplied and to be false"
        optional = [name for name in (each.get("properties") or {}) if name not in (each.get("required") or ())]
        if optional:
            error = "'required' is required to be supplied and to be an array including every key in properties."
            yield path, f"{error} Missing '{optional[0]}'"
        extra = [name for name in (each.get("required") or ()) if name not in (each.get("properties") or {})]
        if extra:
            yield path, f"Extra required key '{extra[0]}' supplied"
    yield from _size_errors(schema)


def _size_errors(schema: Any) -> Iterator[tuple[str, str]]:
    """Limits of a strict schema (structured outputs guide)."""
    found = [each for _, each in subschemas(schema)]
    names = [name for each in found for name in each.get("properties") or ()]
    values = [value for each in found for value in each.get("enum") or ()]
    for what, number, limit in (
        ("object properties", len(names), 5000),
        ("levels of nesting", _depth(schema), 10),
        ("enum values", len(values), 1000),
        ("characters of names and values", sum(len(str(each)) for each in (*names, *values)), 120_000),
    ):
        if number > limit:
            yield "", f"{number} {what} exceed the limit of {limit}"


def _depth(schema: Any) -> int:
    """The number of objects and arrays around the deepest subschema."""
    if not isinstance(schema, dict):
        return 0
    depths = [1 + _depth(each) for each in (schema.get("properties") or {}).values()]
    depths += [1 + _depth(schema["items"])] if isinstance(schema.get("items"), dict) else []
    for key in ("$defs", "definitions"):
        depths += [_depth(each) for each in (schema.get(key) or {}).values()]
    depths += [_depth(each) for key in LISTED_SUBSCHEMAS for each in schema.get(key) or ()]
    return max(depths, default=0)
