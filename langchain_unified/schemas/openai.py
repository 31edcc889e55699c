"""JSON schemas as OpenAI's two wires send them, strict and not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import Adjustment, JsonObject, OutputFormat, ToolSpec
from langchain_unified.schemas.check import resolve, valid
from langchain_unified.schemas.subset import (
    CHOICES,
    DEFINITIONS,
    Adapted,
    has_items,
    inside,
    is_recursive,
    itemized,
    place_of,
    tuple_items,
)
from langchain_unified.schemas.wellformed import Sound, check_schema

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
KEYWORDS = frozenset(
    {
        "type", "title", "description", "enum", "const", "default", "multipleOf", "maximum", "exclusiveMaximum",
        "minimum", "exclusiveMinimum", "minItems", "maxItems",
    }
)  # fmt: skip
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LOOKS_AROUND = re.compile(r"\(\?<?[=!]")
_SILENT = frozenset({"$anchor", "$comment", "$id", "$schema", "discriminator"})


def for_openai(schema: Mapping[str, Any]) -> Adapted:
    """The schema for `strict: true`: objects closed, every property required, references without siblings."""
    adapted = Adapted()
    adapted.schema = _adapt(schema, "", adapted, schema)
    return adapted


def format_schema(output: OutputFormat, adjustments: list[Adjustment]) -> tuple[JsonObject, bool | None]:
    """The schema of an output format, and whether it is strict: one that cannot be goes out as it is."""
    name = f"response_format {output.name!r}"
    return _schema(output.schema, output.strict, name, adjustments, checked=output.checked)


def checked_name(name: str) -> str:
    """The name of a function or a custom tool. Raises `InvalidToolError` for one that the API refuses."""
    if not TOOL_NAME.fullmatch(name):
        raise InvalidToolError(
            f"OpenAI refuses the tool name {name!r}: it takes letters, digits, _ and -, at most 64 of them."
        )
    return name


def function_schema(spec: ToolSpec, adjustments: list[Adjustment]) -> tuple[JsonObject, bool | None]:
    """The parameters of a function, and whether they are strict. The API wants an object's schema, with properties.

    Raises `InvalidToolError` for a schema that is a choice among several.
    """
    wrong = next((key for key in (*CHOICES, "enum", "const", "not") if key in spec.parameters), None)
    if wrong is not None:
        raise InvalidToolError(
            f"OpenAI refuses `{wrong}` at the root of the schema of tool {spec.name!r}: "
            "put it under a property, or make it several tools."
        )
    parameters = spec.parameters
    if "properties" not in parameters:
        parameters = {**parameters, "type": "object", "properties": {}}
    return _schema(parameters, spec.strict, f"tool {spec.name!r}", adjustments, checked=spec.checked)


def _schema(
    schema: JsonObject, strict: bool | None, name: str, adjustments: list[Adjustment], *, checked: bool
) -> tuple[JsonObject, bool | None]:
    if not strict:
        return with_items(schema), strict
    check_schema(schema, name)
    adapted = for_openai(schema)
    if adapted.reasons:
        adapted.note_open(name, "OpenAI", adjustments, checked=checked)
        return with_items(schema), False
    adapted.note_loose(name, "OpenAI", adjustments, checked=checked)
    return adapted.schema, True


def with_items(schema: JsonObject) -> JsonObject:
    """The schema, every array in it with `items`: the API refuses one without. The same object where all have them."""
    known = isinstance(schema, Sound) and schema.itemized
    return schema if known or itemized(schema) else cast("JsonObject", _with_items(schema))


def _with_items(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    result = inside(schema, _with_items)
    return result if has_items(result) else {**result, "items": tuple_items(result) or {}}


def _adapt(schema: Any, path: str, adapted: Adapted, root: Mapping[str, Any]) -> Any:
    left = dict(schema) if isinstance(schema, Mapping) else {}
    kept: JsonObject = {
        key: {name: _adapt(each, name, adapted, root) for name, each in left.pop(key).items()}
        for key in DEFINITIONS
        if key in left
    }
    if "$ref" in left:
        return {**kept, **_reference(left, path, adapted, root)}
    if len(left.get("allOf") or ()) == 1:
        (only,) = left.pop("allOf")
        inner = _adapt({**left, **only}, path, adapted, root)
        return {**kept, **inner}
    left |= {"items": items} if (items := tuple_items(left)) else {}
    _look_at(left, path, adapted)
    for key in CHOICES:
        if key in left:
            each = [_adapt(inner, path, adapted, root) for inner in left.pop(key)]
            kept["allOf" if key == "allOf" else "anyOf"] = each
    if "items" in left:
        kept["items"] = _adapt(left.pop("items"), f"{path}[]", adapted, root)
    kept |= _object(left, path, adapted, root)
    if left.get("default", ()) is None:
        del left["default"]
    kept |= {key: left.pop(key) for key in [*left] if _takes(key, left[key])}
    return adapted.tell(kept, {key: value for key, value in left.items() if key not in _SILENT}, path)


def _takes(key: str, value: Any) -> bool:
    if key == "format":
        return value in FORMATS
    if key == "pattern":
        return not _LOOKS_AROUND.search(str(value))
    return key in KEYWORDS


def _look_at(schema: Mapping[str, Any], path: str, adapted: Adapted) -> None:
    adapted.look_at(schema, path)
    if not has_items(schema):
        adapted.block(f"the items of {place_of(path)} may be of any type")
    if schema.get("allOf"):
        adapted.block(f"{place_of(path)} joins several schemas (allOf)")


def _object(left: JsonObject, path: str, adapted: Adapted, root: Mapping[str, Any]) -> JsonObject:
    kinds = left.get("type")
    if "properties" not in left and "object" not in (kinds if isinstance(kinds, list) else [kinds]):
        return {}
    properties = left.pop("properties", None)
    if left.pop("additionalProperties", False) is not False and properties:
        adapted.loose.append(f"additionalProperties of {place_of(path)}")
    required = left.pop("required", None) or []
    written: JsonObject = {"additionalProperties": False}
    if properties is not None:
        each = {name: _adapt(inner, f"{path}.{name}", adapted, root) for name, inner in properties.items()}
        written |= {"properties": each, "required": required if {*required} == {*properties} else [*properties]}
    return written


def _reference(left: JsonObject, path: str, adapted: Adapted, root: Mapping[str, Any]) -> JsonObject:
    """A reference alone, or what it refers to with its siblings: the API takes no other keyword beside a reference."""
    reference = left.pop("$ref")
    found = resolve(reference, root)
    if left.get("default", ()) is None:
        del left["default"]
    at_root = not path and is_root(reference, root)
    if not isinstance(found, Mapping) or not (left or at_root) or (is_recursive(reference, root) and not at_root):
        return {"$ref": reference}
    inner: JsonObject = _adapt({**found, **left}, path, adapted, root)
    return inner


def is_root(reference: str, root: Mapping[str, Any]) -> bool:
    """Whether a schema is nothing but this reference and its definitions: the API wants an object there."""
    return root.get("$ref") == reference


def nullable(schema: Any, root: Any = None) -> Any:
    """The schema with every optional property nullable, unless it has a default.

    Where every property is required, the model can then say that one is absent; `without_nulls` takes that back.
    """
    if not isinstance(schema, Mapping):
        return schema
    root = schema if root is None else root
    result = inside(schema, lambda each: nullable(each, root))
    required = schema.get("required") or ()
    for name, each in (result.get("properties") or {}).items():
        if name not in required and isinstance(each, Mapping) and "default" not in each:
            result["properties"][name] = _or_null(each, root)
    return result


def _or_null(schema: Mapping[str, Any], root: Any) -> JsonObject:
    return dict(schema) if valid(schema, None, root) else {"anyOf": [schema, {"type": "null"}]}
