"""Whether a JSON schema is one. An error names the field, before anything is made of the schema."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import orjson

from langchain_unified.errors import InvalidToolError
from langchain_unified.schemas.check import TYPES, resolve, short
from langchain_unified.schemas.subset import (
    COMBINATIONS,
    CONDITIONS,
    DEFINITIONS,
    LISTS_OF_SCHEMAS,
    MAPS_OF_SCHEMAS,
    SINGLE_SCHEMAS,
    has_items,
    leads_back,
    place_of,
    subschemas,
)


class CheckedSchema(dict[str, Any]):
    """A well-formed schema. `check_schema` does not check it again."""

    every_array_has_items = False
    """Whether each array in it is known to have a schema for its items; `False` where that is not known."""


def checked_schema(schema: Mapping[str, Any], name: str) -> CheckedSchema:
    """The schema, checked. Raises `InvalidToolError`, with `name` and the field, if it is not well-formed.

    A reference must point into the schema itself. A schema that was checked before is recognised by its digest.
    """
    key = _digest(schema)
    itemized = _CHECKED.get(key) if key else None
    if itemized is None:
        found = [*subschemas(schema, definitions=True)]
        _check(found, schema, name)
        itemized = all(has_items(part) for _, part in found)
        if key:
            _remember(key, itemized=itemized)
    checked = CheckedSchema(schema)
    checked.every_array_has_items = itemized
    return checked


def check_schema(schema: Mapping[str, Any], name: str) -> None:
    """Raise as `checked_schema` does."""
    if not isinstance(schema, CheckedSchema):
        _check(subschemas(schema, definitions=True), schema, name)


_CHECKED: dict[bytes, bool] = {}
"""The digests of checked schemas -> `every_array_has_items`. Agents bind the same tools before each call."""

MAX_CHECKED = 2048


def _digest(schema: Mapping[str, Any]) -> bytes | None:
    try:
        return hashlib.blake2b(orjson.dumps(schema), digest_size=16).digest()
    except TypeError:
        return None  # not JSON: the check raises, or core's own types do


def _remember(key: bytes, *, itemized: bool) -> None:
    if len(_CHECKED) >= MAX_CHECKED:
        _CHECKED.clear()
    _CHECKED[key] = itemized


def _check(found: Iterable[tuple[str, Mapping[str, Any]]], schema: Mapping[str, Any], name: str) -> None:
    for path, part in found:
        for key, value in part.items():
            rule = RULES.get(key)
            if rule is not None and not rule[0](value, schema):
                where = f"an unusable `{key}` at {place_of(path)}: {short(value)}"
                raise InvalidToolError(f"The schema of {name} has {where}. {rule[1]}")


# --- the values of keywords -------------------------------------------------------------------------------------------

Test: TypeAlias = Callable[[Any, Any], bool]
"""Whether a keyword's value is one. The second argument is the whole schema."""


def _is_type(value: Any, root: Any) -> bool:
    names = value if isinstance(value, list | tuple) and value else [value]
    return all(isinstance(name, str) and name in TYPES for name in names)


def _is_reference(value: Any, root: Any) -> bool:
    local = isinstance(value, str) and value.startswith("#")
    return local and isinstance(resolve(value, root), Mapping) and not leads_back(value, root, _references_to_itself)


def _references_to_itself(schema: Any) -> Iterator[str]:
    """The references that a schema applies to the same value, not to a part of it: a circle of these never ends."""
    if not isinstance(schema, Mapping):
        return
    if isinstance(schema.get("$ref"), str):
        yield schema["$ref"]
    combinations = (schema[key] for key in COMBINATIONS if isinstance(schema.get(key), list))
    for each in (*(inner for listed in combinations for inner in listed), *map(schema.get, CONDITIONS)):
        yield from _references_to_itself(each)


def _is_enum(value: Any, root: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value)


def _is_schema(value: Any, root: Any) -> bool:
    return isinstance(value, Mapping | bool)


def _is_map_of_schemas(value: Any, root: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, Mapping | bool) for each in value.values())


def _is_list_of_schemas(value: Any, root: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping | bool) for each in value)


def _is_list_of_names(value: Any, root: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _is_number(value: Any, root: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_step(value: Any, root: Any) -> bool:
    return _is_number(value, root) and value > 0


def _is_count(value: Any, root: Any) -> bool:
    return _is_number(value, root) and value >= 0 and float(value).is_integer()


def _is_text(value: Any, root: Any) -> bool:
    return isinstance(value, str)


NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
COUNTS = (
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains",
)  # fmt: skip

RULES: Mapping[str, tuple[Test, str]] = {
    "type": (_is_type, f"Types are {', '.join(TYPES)}."),
    "$ref": (_is_reference, "A reference points into the schema itself, '#/$defs/…', and not in a circle."),
    "enum": (_is_enum, "It lists at least one value."),
    **dict.fromkeys((*MAPS_OF_SCHEMAS, *DEFINITIONS), (_is_map_of_schemas, "It maps names to schemas.")),
    **dict.fromkeys(SINGLE_SCHEMAS, (_is_schema, "It is a schema.")),
    "required": (_is_list_of_names, "It lists names."),
    **dict.fromkeys(LISTS_OF_SCHEMAS, (_is_list_of_schemas, "It lists at least one schema.")),
    **dict.fromkeys(NUMBERS, (_is_number, "It is a number.")),
    "multipleOf": (_is_step, "It is a number above 0."),
    **dict.fromkeys(COUNTS, (_is_count, "It is a whole number, 0 or more.")),
    **dict.fromkeys(("pattern", "format", "title", "description"), (_is_text, "It is a text.")),
}
"""Keyword -> the test of its value, and the sentence for a value that fails."""
