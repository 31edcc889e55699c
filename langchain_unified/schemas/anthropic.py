"""JSON schemas as the Messages API takes them, strict and not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import Adjustment, JsonObject, OutputFormat, ToolSpec
from langchain_unified.schemas.root import without_root_keywords
from langchain_unified.schemas.subset import (
    COMBINATIONS,
    AdaptedSchema,
    is_recursive,
    place_of,
    pop_definitions,
    subschemas,
    tuple_items,
)
from langchain_unified.schemas.wellformed import check_schema

PROVIDER = "Anthropic"

FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
)
LITERAL_TYPES: Mapping[type, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null",
}  # fmt: skip
"""The types of values that `enum` and `const` take."""
LITERALS = tuple(LITERAL_TYPES)
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
PROPERTY_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def adapt_schema(schema: Mapping[str, Any]) -> AdaptedSchema:
    """The schema in the strict subset: objects closed, keywords outside the subset in descriptions.

    A schema that refers to itself is an obstacle, and one over `LIMITS` is too: the API answers 400.
    """
    adapted = AdaptedSchema(PROVIDER)
    everything = [part for _, part in subschemas(schema, definitions=True)]
    for part in everything:
        reference = part.get("$ref")
        if isinstance(reference, str) and is_recursive(reference, schema):
            adapted.add_obstacle(f"{reference.rsplit('/', 1)[-1].lstrip('#') or 'the root'} refers to itself")
    for what, most, count in LIMITS:
        found = sum(map(count, everything))
        if found > most:
            adapted.limits.append(f"it has {found} {what} ({most} is the most)")
    adapted.schema = _adapt(schema, "", adapted)
    return adapted


def output_schema(output: OutputFormat, adjustments: list[Adjustment]) -> JsonObject:
    """The schema of an output format, which is always strict.

    Raises `InvalidToolError`, with the field, for what a strict schema cannot express. A map becomes an object without
    properties, the nearest strict schema, and is an adjustment.
    """
    name = f"response_format {output.name!r}"
    check_schema(output.schema, name)
    adapted = adapt_schema(output.schema)
    if adapted.obstacles:
        raise InvalidToolError(
            f"Anthropic cannot hold an answer to the schema {output.name!r}: {'; '.join(adapted.obstacles)}. "
            "Use a tool (method='function_calling'), or give the field a type."
        )
    if adapted.maps:
        why = f"{'; '.join(adapted.maps)}: Anthropic takes no maps, so the answer leaves it empty. A tool takes maps."
        adjustments.append(Adjustment(what=f"the schema of {name}", why=why))
    adapted.report_not_enforced(name, adjustments, checked=output.checked)
    described = {"description": output.description} if output.description else {}
    return {**described, **adapted.schema}


def function_schema(spec: ToolSpec, adjustments: list[Adjustment]) -> tuple[JsonObject, bool | None]:
    """The schema of a function's arguments, and whether it is strict: one that cannot be is sent as it is.

    The API takes no combinator at the root. Raises `InvalidToolError` for a schema that is not well-formed, and for
    property names at the root that the API refuses.
    """
    name = f"tool {spec.name!r}"
    check_schema(spec.parameters, name)
    schema = spec.parameters or {"type": "object", "properties": {}}
    if any(key in schema for key in COMBINATIONS):
        schema = without_root_keywords(schema, COMBINATIONS, spec.name, PROVIDER, adjustments)
    wrong = next((key for key in schema.get("properties") or () if not PROPERTY_NAME.fullmatch(key)), None)
    if wrong is not None:
        raise InvalidToolError(
            f"Anthropic refuses the property name {wrong!r} of tool {spec.name!r}: "
            "use 1 to 64 letters, digits, underscores, dots and hyphens."
        )
    schema = {"type": "object", **schema}
    if not spec.strict:
        return schema, spec.strict
    adapted = adapt_schema(schema)
    if adapted.why_not_strict:
        adapted.report_not_strict(name, adjustments, checked=spec.checked)
        return schema, False
    adapted.report_not_enforced(name, adjustments, checked=spec.checked)
    return adapted.schema, True


def check_tool_name(name: str) -> str:
    """The name of a function. Raises `InvalidToolError` for one that the API refuses."""
    if not TOOL_NAME.fullmatch(name):
        raise InvalidToolError(
            f"Anthropic refuses the tool name {name!r}: use 1 to 128 letters, digits, underscores and hyphens."
        )
    return name


# --- the strict subset ------------------------------------------------------------------------------------------------


def _optional_properties(schema: Mapping[str, Any]) -> int:
    return len((schema.get("properties") or {}).keys() - {*(schema.get("required") or ())})


def _alternatives(schema: Mapping[str, Any]) -> int:
    return isinstance(schema.get("type"), list) or any(schema.get(key) for key in ("anyOf", "oneOf"))


LIMITS: tuple[tuple[str, int, Callable[[Mapping[str, Any]], int]], ...] = (
    ("optional properties", 24, _optional_properties),
    ("choices among types", 16, _alternatives),
)
"""What the API compiles only so many of per request, and how many one subschema has."""


def _adapt(schema: Any, path: str, adapted: AdaptedSchema) -> JsonObject:
    """Adapt the schema at `path`. What is left in `rest` at the end goes into the description."""
    rest = dict(schema) if isinstance(schema, Mapping) else {}
    definitions = pop_definitions(rest, lambda each, name: _adapt(each, name, adapted))
    if len(rest.get("allOf") or ()) == 1:
        rest |= rest.pop("allOf")[0]
    if "$ref" in rest:
        return {**definitions, "$ref": rest["$ref"]}
    if items := tuple_items(rest):
        rest["items"] = items
    adapted.inspect(rest, path)
    types = rest.pop("type", None)
    result = _literals(rest)
    described_types = [] if result else types if isinstance(types, list) else [types]
    result |= _combination(rest, path, adapted)
    if result and "anyOf" not in result and "allOf" not in result:
        result = {**_type_of_literals(result, types), **result}
    elif not result and types is not None:
        result["type"] = types
    result |= {key: rest.pop(key) for key in ("description", "title") if key in rest}
    for name in described_types:
        if name in TYPES:
            result |= TYPES[name](rest, path, adapted)
    return {**definitions, **adapted.describe(result, rest, path)}


def _literals(rest: JsonObject) -> JsonObject:
    result = {}
    if rest.get("enum") and all(isinstance(value, LITERALS) for value in rest["enum"]):
        result["enum"] = rest.pop("enum")
    if isinstance(rest.get("const", ()), LITERALS):
        result["const"] = rest.pop("const")
    return result


def _type_of_literals(literals: Mapping[str, Any], types: Any) -> JsonObject:
    """The type beside an `enum` or a `const`, also where the caller left it out; empty where there are several."""
    if types is not None:
        return {"type": types} if isinstance(types, str) else {}
    values = [*literals.get("enum", ()), *([literals["const"]] if "const" in literals else ())]
    kinds = {LITERAL_TYPES[type(value)] for value in values}
    return {"type": kinds.pop()} if len(kinds) == 1 else {}


def _combination(rest: JsonObject, path: str, adapted: AdaptedSchema) -> JsonObject:
    """The first of `anyOf`, `oneOf` and `allOf`; the API takes one of them, and no `oneOf`."""
    chosen = next((key for key in COMBINATIONS if isinstance(rest.get(key), list)), None)
    found = {key: rest.pop(key, None) for key in COMBINATIONS}
    adapted.add_not_enforced((key for key in COMBINATIONS if key != chosen and found[key]), path)
    if chosen is None:
        return {}
    if chosen == "allOf" and any("$ref" in each for each in found[chosen]):
        adapted.add_obstacle(f"{place_of(path)} joins a reference with other schemas (allOf)")
    return {"allOf" if chosen == "allOf" else "anyOf": [_adapt(each, path, adapted) for each in found[chosen]]}


def _object(rest: JsonObject, path: str, adapted: AdaptedSchema) -> JsonObject:
    properties = rest.pop("properties", {})
    others = rest.pop("additionalProperties", False)
    if properties and others is not False:
        adapted.add_not_enforced(["additionalProperties"], path)
    result = {name: _adapt(each, f"{path}.{name}", adapted) for name, each in properties.items()}
    required = {"required": rest.pop("required")} if rest.get("required") is not None else {}
    return {"properties": result, "additionalProperties": False, **required}


def _array(rest: JsonObject, path: str, adapted: AdaptedSchema) -> JsonObject:
    items = {"items": _adapt(rest.pop("items"), f"{path}[]", adapted)} if "items" in rest else {}
    return items | _pop_if(rest, "minItems", lambda value: value in (0, 1))


def _string(rest: JsonObject, path: str, adapted: AdaptedSchema) -> JsonObject:
    return _pop_if(rest, "format", FORMATS.__contains__)


def _pop_if(rest: JsonObject, key: str, takes: Callable[[Any], bool]) -> JsonObject:
    """The keyword, taken out of `rest`, if the API takes its value; else it moves to the end of `rest`."""
    if key not in rest:
        return {}
    value = rest.pop(key)
    if takes(value):
        return {key: value}
    rest[key] = value
    return {}


TYPES: Mapping[str, Callable[[JsonObject, str, AdaptedSchema], JsonObject]] = {
    "object": _object,
    "array": _array,
    "string": _string,
}
"""The keywords of each type that the API enforces, taken out of `rest`."""
