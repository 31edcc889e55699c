"""Whether a JSON schema is one: what is wrong with it is told with the field, before anything is made of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from langchain_unified.errors import InvalidToolError
from langchain_unified.schemas.check import TYPES, resolve, short
from langchain_unified.schemas.subset import (
    CHOICES,
    CONDITIONS,
    DEFINITIONS,
    LISTS,
    ONE,
    SEVERAL,
    has_items,
    parts,
    place_of,
    returns,
)


class Sound(dict[str, Any]):
    """A schema that was checked already, so that it need not be at each call."""

    itemized = False
    """Whether it is known that every array in it says what its items are."""


def sound(schema: Mapping[str, Any], name: str) -> Sound:
    """The schema, checked. Raises `InvalidToolError`, with the field, for what is none or points outside of itself."""
    key = _key(schema)
    itemized = _SEEN.get(key) if key else None
    if itemized is None:
        found = [*parts(schema, definitions=True)]
        _check(found, schema, name)
        itemized = all(has_items(part) for _, part in found)
        if key:
            _remember(key, itemized=itemized)
    checked = Sound(schema)
    checked.itemized = itemized
    return checked


_SEEN: dict[bytes, bool] = {}
"""What was checked: a schema's digest, and whether it is itemized. Agents bind the same tools before each call."""

MOST_SEEN = 2048


def _key(schema: Mapping[str, Any]) -> bytes | None:
    try:
        return hashlib.blake2b(orjson.dumps(schema), digest_size=16).digest()
    except TypeError:
        return None  # not JSON: the check says so, or core's own types do


def _remember(key: bytes, *, itemized: bool) -> None:
    if len(_SEEN) >= MOST_SEEN:
        _SEEN.clear()
    _SEEN[key] = itemized


def check_schema(schema: Mapping[str, Any], name: str) -> None:
    """Raise as `sound` does; nothing is done again for what was checked already."""
    if not isinstance(schema, Sound):
        _check(parts(schema, definitions=True), schema, name)


def _check(found: Iterable[tuple[str, Mapping[str, Any]]], schema: Mapping[str, Any], name: str) -> None:
    for path, part in found:
        for key, value in part.items():
            rule = RULES.get(key)
            if rule is not None and not rule[0](value, schema):
                words = f"an unusable `{key}` at {place_of(path)}: {short(value)}"
                raise InvalidToolError(f"The schema of {name} has {words}. {rule[1]}")


def _is_type(value: Any, root: Any) -> bool:
    kinds = value if isinstance(value, list | tuple) and value else [value]
    return all(isinstance(kind, str) and kind in TYPES for kind in kinds)


def _is_reference(value: Any, root: Any) -> bool:
    local = isinstance(value, str) and value.startswith("#")
    return local and isinstance(resolve(value, root), Mapping) and not returns(value, root, _same_value)


def _same_value(schema: Any) -> Iterator[str]:
    """The references that a schema applies to the value itself, not to something inside of it."""
    if not isinstance(schema, Mapping):
        return
    if isinstance(schema.get("$ref"), str):
        yield schema["$ref"]
    choices = (schema[key] for key in CHOICES if isinstance(schema.get(key), list))
    for each in (*(inner for listed in choices for inner in listed), *map(schema.get, CONDITIONS)):
        yield from _same_value(each)


def _is_enum(value: Any, root: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value)


def _is_schema(value: Any, root: Any) -> bool:
    return isinstance(value, Mapping | bool)


def _are_names(value: Any, root: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _are_named(value: Any, root: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, Mapping | bool) for each in value.values())


def _is_choice(value: Any, root: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping | bool) for each in value)


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

RULES: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "type": (_is_type, f"Types are {', '.join(TYPES)}."),
    "$ref": (_is_reference, "A reference points into the schema itself, '#/$defs/…', and not in a circle."),
    "enum": (_is_enum, "It lists at least one value."),
    **dict.fromkeys((*SEVERAL, *DEFINITIONS), (_are_named, "It maps names to schemas.")),
    **dict.fromkeys(ONE, (_is_schema, "It is a schema.")),
    "required": (_are_names, "It lists names."),
    **dict.fromkeys(LISTS, (_is_choice, "It lists at least one schema.")),
    **dict.fromkeys(NUMBERS, (_is_number, "It is a number.")),
    "multipleOf": (_is_step, "It is a number above 0."),
    **dict.fromkeys(COUNTS, (_is_count, "It is a whole number, 0 or more.")),
    **dict.fromkeys(("pattern", "format", "title", "description"), (_is_text, "It is a text.")),
}
"""Keyword -> whether its value is one that it can have in the schema, and what that would be."""
