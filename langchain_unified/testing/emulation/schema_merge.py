"""Merges two JSON schemas into one that requires what both require."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def merge_schemas(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """One schema that requires what both require, as far as their keywords can be merged."""
    result = dict(one)
    for key, item in other.items():
        result[key] = MERGED_KEYWORDS.get(key, _second)(result[key], item) if key in result else item
    return result


def _second(one: Any, other: Any) -> Any:
    return other


def _merge_types(one: Any, other: Any) -> Any:
    first, second = ([types] if isinstance(types, str) else list(types) for types in (one, other))
    if "integer" in second and "number" in first:
        first = [*first, "integer"]
    both = [each for each in first if each in second or (each == "integer" and "number" in second)]
    return both or other


def _merge_properties(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    shared = {key: {"allOf": [one[key], other[key]]} for key in one if key in other}
    return {**one, **other, **shared}


MERGED_KEYWORDS: Mapping[str, Callable[[Any, Any], Any]] = {
    "type": _merge_types,
    "properties": _merge_properties,
    "required": lambda one, other: list(dict.fromkeys([*one, *other])),
    "enum": lambda one, other: [item for item in one if item in other],
    "allOf": lambda one, other: [*one, *other],
    "items": lambda one, other: {"allOf": [one, other]},
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}
"""By keyword that both schemas have, how the values are merged; for other keywords the second value is taken."""
