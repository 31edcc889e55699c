"""JSON schemas as OpenAI's two APIs take them, strict and not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import Adjustment, JsonObject, OutputFormat, ToolSpec
from langchain_unified.schemas.check import resolve, valid
from langchain_unified.schemas.root import without_root_keywords
from langchain_unified.schemas.subset import (
    COMBINATIONS,
    AdaptedSchema,
    every_array_has_items,
    has_items,
    has_type,
    is_recursive,
    map_subschemas,
    place_of,
    pop_definitions,
    tuple_items,
)
from langchain_unified.schemas.wellformed import CheckedSchema, check_schema

PROVIDER = "OpenAI"

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
KEYWORDS = frozenset(
    {
        "type", "title", "description", "enum", "const", "default", "multipleOf", "maximum", "exclusiveMaximum",
        "minimum", "exclusiveMinimum", "minItems", "maxItems",
    }
)  # fmt: skip
"""The keywords that the API takes with any value."""
DROPPED = frozenset({"$anchor", "$comment", "$id", "$schema", "discriminator"})
"""The keywords that are neither sent nor described."""
REFUSED_AT_ROOT = frozenset({*COMBINATIONS, "enum", "const", "not"})
"""The keywords that the API refuses at the root of a function's schema."""
LOOKAROUND = re.compile(r"\(\?<?[=!]")
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]+")


def adapt_schema(schema: Mapping[str, Any]) -> AdaptedSchema:
    """The schema in the strict subset: objects closed, every property required, references without siblings."""
    adapted = AdaptedSchema(PROVIDER)
    adapted.schema = _adapt(schema, "", adapted, schema)
    return adapted


def output_schema(output: OutputFormat, adjustments: list[Adjustment]) -> tuple[JsonObject, bool | None]:
    """The schema of an output format, and whether it is strict: one that cannot be is sent as it is."""
    name = f"response_format {output.name!r}"
    return _schema(output.schema, output.strict, name, adjustments, checked=output.checked)


def function_schema(spec: ToolSpec, adjustments: list[Adjustment]) -> tuple[JsonObject, bool | None]:
    """The schema of a function's arguments, and whether it is strict: one that cannot be is sent as it is.

    The API takes only an object with `properties`, and no keyword of `REFUSED_AT_ROOT` beside them. Raises
    `InvalidToolError` for a schema that is not well-formed.
    """
    parameters, name = spec.parameters, f"tool {spec.name!r}"
    check_schema(parameters, name)
    if not REFUSED_AT_ROOT.isdisjoint(parameters):
        parameters = without_root_keywords(parameters, sorted(REFUSED_AT_ROOT), spec.name, PROVIDER, adjustments)
    if "properties" not in parameters:
        parameters = {**parameters, "type": "object", "properties": {}}
    return _schema(parameters, spec.strict, name, adjustments, checked=spec.checked)


def check_tool_name(name: str, longest: int) -> str:
    """The name of a function or a custom tool, of at most `longest` characters. Raises `InvalidToolError`."""
    if not TOOL_NAME.fullmatch(name) or len(name) > longest:
        raise InvalidToolError(
            f"OpenAI refuses the tool name {name!r}: use 1 to {longest} letters, digits, underscores and hyphens."
        )
    return name


def _schema(
    schema: JsonObject, strict: bool | None, name: str, adjustments: list[Adjustment], *, checked: bool
) -> tuple[JsonObject, bool | None]:
    if not strict:
        return with_items(schema), strict
    check_schema(schema, name)
    adapted = adapt_schema(schema)
    if adapted.why_not_strict:
        adapted.report_not_strict(name, adjustments, checked=checked)
        return with_items(schema), False
    adapted.report_not_enforced(name, adjustments, checked=checked)
    return adapted.schema, True


# --- not strict -------------------------------------------------------------------------------------------------------


def with_items(schema: JsonObject) -> JsonObject:
    """The schema with `items` in every array: the API refuses an array without. The same object where all have them."""
    known = isinstance(schema, CheckedSchema) and schema.every_array_has_items
    return schema if known or every_array_has_items(schema) else cast("JsonObject", _with_items(schema))


def _with_items(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    result = map_subschemas(schema, _with_items)
    return result if has_items(result) else {**result, "items": tuple_items(result) or {}}


# --- the strict subset ------------------------------------------------------------------------------------------------


def _adapt(schema: Any, path: str, adapted: AdaptedSchema, root: Mapping[str, Any]) -> JsonObject:
    """Adapt the schema at `path`. What is left in `rest` at the end goes into the description."""
    rest = dict(schema) if isinstance(schema, Mapping) else {}
    result = pop_definitions(rest, lambda each, name: _adapt(each, name, adapted, root))
    if "$ref" in rest:
        return {**result, **_reference(rest, path, adapted, root)}
    if len(rest.get("allOf") or ()) == 1:
        rest |= rest.pop("allOf")[0]
        return {**result, **_adapt(rest, path, adapted, root)}
    if items := tuple_items(rest):
        rest["items"] = items
    _inspect(rest, path, adapted)
    for key in COMBINATIONS:
        if key in rest:
            found = [_adapt(each, path, adapted, root) for each in rest.pop(key)]
            result["allOf" if key == "allOf" else "anyOf"] = found
    if "items" in rest:
        result["items"] = _adapt(rest.pop("items"), f"{path}[]", adapted, root)
    result |= _object(rest, path, adapted, root)
    if rest.get("default", ()) is None:
        del rest["default"]
    result |= {key: rest.pop(key) for key in [*rest] if _takes(key, rest[key])}
    return adapted.describe(result, {key: value for key, value in rest.items() if key not in DROPPED}, path)


def _inspect(schema: Mapping[str, Any], path: str, adapted: AdaptedSchema) -> None:
    adapted.inspect(schema, path)
    if not has_items(schema):
        adapted.add_obstacle(f"the items of {place_of(path)} may be of any type")
    if schema.get("allOf"):
        adapted.add_obstacle(f"{place_of(path)} joins several schemas (allOf)")


def _reference(rest: JsonObject, path: str, adapted: AdaptedSchema, root: Mapping[str, Any]) -> JsonObject:
    """A reference alone, or its schema merged with its siblings: the API takes no other keyword beside `$ref`.

    A reference at the root is always resolved: the API wants an object there.
    """
    reference = rest.pop("$ref")
    found = resolve(reference, root)
    if rest.get("default", ()) is None:
        del rest["default"]
    at_root = not path and root.get("$ref") == reference
    if not isinstance(found, Mapping) or not (rest or at_root) or (is_recursive(reference, root) and not at_root):
        return {"$ref": reference}
    return _adapt({**found, **rest}, path, adapted, root)


def _object(rest: JsonObject, path: str, adapted: AdaptedSchema, root: Mapping[str, Any]) -> JsonObject:
    if "properties" not in rest and not has_type(rest, "object"):
        return {}
    properties = rest.pop("properties", None)
    if rest.pop("additionalProperties", False) is not False and properties:
        adapted.add_not_enforced(["additionalProperties"], path)
    required = rest.pop("required", None) or []
    result: JsonObject = {"additionalProperties": False}
    if properties is not None:
        each = {name: _adapt(inner, f"{path}.{name}", adapted, root) for name, inner in properties.items()}
        result |= {"properties": each, "required": required if {*required} == {*properties} else [*properties]}
    return result


def _takes(key: str, value: Any) -> bool:
    if key == "format":
        return value in FORMATS
    if key == "pattern":
        return not LOOKAROUND.search(str(value))
    return key in KEYWORDS


# --- optional properties ----------------------------------------------------------------------------------------------


def nullable(schema: Any, root: Any = None) -> Any:
    """The schema with `null` allowed for every optional property, except for those with a default.

    A strict schema requires every property, so `null` is how the model leaves one out. `without_nulls` removes it.
    """
    if not isinstance(schema, Mapping):
        return schema
    root = schema if root is None else root
    result = map_subschemas(schema, lambda each: nullable(each, root))
    required = schema.get("required") or ()
    for name, each in (result.get("properties") or {}).items():
        if name not in required and isinstance(each, Mapping) and "default" not in each:
            result["properties"][name] = _or_null(each, root)
    return result


def _or_null(schema: Mapping[str, Any], root: Any) -> JsonObject:
    return dict(schema) if valid(schema, None, root) else {"anyOf": [schema, {"type": "null"}]}


def has_optional_properties(schema: Any) -> bool:
    """Whether an object in the schema has a property that it does not require, or takes properties without a name."""
    if isinstance(schema, list):
        return any(has_optional_properties(each) for each in schema)
    if not isinstance(schema, Mapping):
        return False
    properties = schema.get("properties")
    named = properties if isinstance(properties, Mapping) else {}
    if not named.keys() <= {*(schema.get("required") or ())} or schema.get("additionalProperties", False) is not False:
        return True
    inner = [value for key, value in schema.items() if key in ("items", "anyOf", "oneOf", "allOf", "prefixItems")]
    held = [value for key in ("$defs", "definitions") if isinstance(value := schema.get(key), Mapping)]
    return has_optional_properties([*named.values(), *inner, *(each for one in held for each in one.values())])
