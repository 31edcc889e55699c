"""JSON schemas in the subset that constrained decoding takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.request import JsonObject

FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
)


def adapt_schema(schema: Mapping[str, Any]) -> JsonObject:
    """The schema with every object closed, and what the API refuses (bounds, patterns, defaults) told in descriptions.

    The model may follow what the description says; nothing enforces it.
    """
    definitions = {key: _each(schema[key]) for key in ("$defs", "definitions") if key in schema}
    if "$ref" in schema:
        return {**definitions, "$ref": schema["$ref"]}
    kept: JsonObject = dict(definitions)
    told: dict[str, Any] = {}
    for key, value in schema.items():
        if key in kept or key == "additionalProperties":
            continue
        writer = KEYWORDS.get(key)
        written = None if writer is None else writer(value)
        if written is None:
            told[key] = value
        else:
            kept["anyOf" if key == "oneOf" else key] = written
    if schema.get("type") == "object":
        kept |= {"properties": kept.get("properties", {}), "additionalProperties": False}
        if isinstance(schema.get("additionalProperties"), Mapping):
            told["additionalProperties"] = schema["additionalProperties"]
    return _described(kept, told)


def _described(kept: JsonObject, told: Mapping[str, Any]) -> JsonObject:
    if not told:
        return kept
    hint = ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in told.items())
    return {**kept, "description": "\n\n".join(filter(None, [kept.get("description"), f"{{{hint}}}"]))}


def _same(value: Any) -> Any:
    return value


def _each(value: Mapping[str, Any]) -> JsonObject:
    return {name: _sub(schema) for name, schema in value.items()}


def _all(value: list[Any]) -> list[Any]:
    return [_sub(schema) for schema in value]


def _sub(schema: Any) -> Any:
    return adapt_schema(schema) if isinstance(schema, Mapping) else schema


# A writer returns None for a value that the API refuses.
KEYWORDS: Mapping[str, Callable[[Any], Any]] = {
    "type": _same,
    "title": _same,
    "description": _same,
    "enum": _same,
    "const": _same,
    "required": _same,
    "properties": _each,
    "items": _sub,
    "anyOf": _all,
    "oneOf": _all,
    "allOf": _all,
    "format": lambda value: value if value in FORMATS else None,
    "minItems": lambda value: value if value in (0, 1) else None,
}
