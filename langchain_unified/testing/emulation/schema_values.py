"""A value for a JSON Schema: the same each time, as small as the schema allows, from a text if its values fit.

`instance(schema, text)` tries candidates in this order: constant, enum, examples, default, branches, type. It returns
the first one that the schema accepts. Keywords that a description lists in braces (`{minimum: 1}`) count too, since a
model reads them: clients move keywords there that an API does not take.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.schemas.check import Schema, resolve, valid
from langchain_unified.schemas.wellformed import checked_schema
from langchain_unified.testing.emulation.pattern_values import strings_for
from langchain_unified.testing.emulation.schema_merge import merge_schemas
from langchain_unified.testing.emulation.text_values import TextValues

MINIMAL_DEPTH = 3
"""From this depth on, the smallest branches and arrays are taken."""

MAX_DEPTH, MAX_VALUES = 24, 20_000
"""Limits on the depth and on the number of values that are tried, for schemas that require themselves."""

FORMATS: Mapping[str, str] = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "duration": "PT1H",
    "email": "user@example.com",
    "idn-email": "user@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uri-reference": "/example",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "json-pointer": "/example",
    "regex": "example",
    "binary": "ZXhhbXBsZQ==",
    "byte": "ZXhhbXBsZQ==",
}


def instance(schema: Schema, text: str = "") -> Any:
    """A value that satisfies `schema`, with names, numbers and quoted texts of `text` where they fit.

    If no candidate satisfies it, the last one; `None` if the schema requires itself without end.
    """
    try:
        return _ValueBuilder(schema, TextValues(text)).value_of(schema, "", 0)
    except _EndlessSchemaError:
        return None


class _EndlessSchemaError(Exception):
    """The schema requires itself without end."""


class _ValueBuilder:
    """Builds one value. `root` is the schema that references are resolved in."""

    def __init__(self, root: Schema, text_values: TextValues) -> None:
        self.root = root
        self.text_values = text_values
        self.built = 0

    def value_of(self, schema: Schema, name: str, depth: int) -> Any:
        """The first candidate that `schema` accepts, else the last one. `name`: the property's name."""
        self.built += 1
        if depth > MAX_DEPTH or self.built > MAX_VALUES:
            raise _EndlessSchemaError
        if isinstance(schema, bool):
            return None
        resolved = self._resolved(schema)
        described = _keywords_in_description(resolved)
        value = self._first_valid({**resolved, **described}, name, depth)
        if not described or valid(schema, value, self.root):
            return value
        return self._first_valid(resolved, name, depth)

    def _first_valid(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        value = None
        for value in self._candidates(schema, name, depth):
            if valid(schema, value, self.root):
                return value
        return value

    def _candidates(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        if "const" in schema:
            yield schema["const"]
        if "enum" in schema:
            yield from self.text_values.mentioned_first(schema["enum"])
        yield from schema.get("examples") or ()
        if schema.get("default") is not None:
            yield schema["default"]
        for branch in self._branches(schema, depth):
            with contextlib.suppress(_EndlessSchemaError):
                yield self.value_of(branch, name, depth + 1)
        for kind in _types_to_try(schema):
            yield from CANDIDATES_BY_TYPE[kind](self, schema, name, depth)

    def _branches(self, schema: Mapping[str, Any], depth: int) -> Iterator[Schema]:
        """The schema merged with each of its alternatives: null last; from `MINIMAL_DEPTH` on, the smallest first."""
        for key in ("anyOf", "oneOf"):
            rest = {name: item for name, item in schema.items() if name != key}
            order = self._size if depth >= MINIMAL_DEPTH else _is_null
            for option in sorted(schema.get(key) or (), key=order):
                yield merge_schemas(rest, self._resolved(option)) if isinstance(option, Mapping) else option
        if "then" in schema or "else" in schema:
            rest = {name: item for name, item in schema.items() if name not in ("if", "then", "else")}
            if_true = merge_schemas(_subschema(schema, "if"), _subschema(schema, "then"))
            yield merge_schemas(rest, self._resolved(if_true))
            yield merge_schemas(rest, self._resolved(_subschema(schema, "else")))

    def _size(self, option: Schema) -> int:
        """The size of a branch: null is the smallest, references are the largest."""
        return len(str(option)) + (1_000_000 if "$ref" in str(option) else 0) - (1_000_000 if _is_null(option) else 0)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema merged with its `$ref` and `allOf`."""
        for _ in range(MAX_DEPTH):
            parts = [resolve(schema["$ref"], self.root)] if "$ref" in schema else []
            parts += schema.get("allOf") or ()
            if not parts:
                break
            schema = {key: item for key, item in schema.items() if key not in ("$ref", "allOf")}
            for part in parts:
                schema = merge_schemas(schema, part) if isinstance(part, Mapping) else schema
        return schema

    # --- by type ------------------------------------------------------------------------------------------------------

    def null(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        yield None

    def boolean(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        yield True
        yield False

    def number(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        yield from self.text_values.numbers(name, lambda found: valid(schema, found, self.root))
        yield from _numbers(schema, integer=False)

    def integer(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        yield from self.text_values.numbers(name, lambda found: valid(schema, found, self.root))
        yield from _numbers(schema, integer=True)

    def string(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        form = FORMATS.get(schema.get("format", ""))
        if form is not None:
            yield form
        if "pattern" in schema:
            yield from strings_for(schema["pattern"], schema.get("minLength", 0))
        yield from self.text_values.strings(name, lambda found: valid(schema, found, self.root))
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        text = name or "text"
        text += "x" * (shortest - len(text))
        yield text if len(text) <= longest else text[: int(longest)]

    def array(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        items = [self.value_of(item, name, depth + 1) for item in schema.get("prefixItems") or ()]
        least = max(schema.get("minItems", 0), len(items))
        contained = schema.get("minContains", 1) if "contains" in schema else 0
        item_schema = schema.get("contains", schema.get("items", True))
        # An array that may be empty gets one item, to be of use as an example.
        one = least == 0 and depth < MINIMAL_DEPTH and item_schema is not True and schema.get("maxItems", 1) > 0
        count = max(least, len(items) + contained, int(one))
        items += [self.value_of(item_schema, name, depth + 1) for _ in range(count - len(items))]
        yield items
        if schema.get("uniqueItems"):
            yield self._unique(items, item_schema, name, depth)
        yield []

    def _unique(self, items: list[Any], schema: Schema, name: str, depth: int) -> list[Any]:
        """The items, each replaced if it equals one before it."""
        found: list[Any] = []
        for item in items:
            candidates = itertools.chain([item], self._variants(schema, item, name, depth))
            found.append(next((each for each in itertools.islice(candidates, 200) if each not in found), item))
        return found

    def _variants(self, schema: Schema, item: Any, name: str, depth: int) -> Iterator[Any]:
        resolved = self._resolved(schema) if isinstance(schema, Mapping) else {}
        variants = itertools.chain(self._candidates(resolved, name, depth), _similar_values(item))
        return (each for each in variants if valid(schema, each, self.root))

    def object(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        properties = schema.get("properties") or {}
        required = [*schema.get("required", ())]
        found = {key: self.value_of(self._property(schema, key), key, depth + 1) for key in required}
        optional = [key for key in properties if key not in found]
        for key in optional if depth < MINIMAL_DEPTH else ():
            if self.text_values.has_value_for(key):
                found[key] = self.value_of(properties[key], key, depth + 1)
        yield found
        spare = itertools.chain(optional, (f"key{at}" for at in itertools.count(1)))
        missing = max(0, schema.get("minProperties", 0) - len(found))
        more = {
            key: self.value_of(self._property(schema, key), key, depth + 1) for key in itertools.islice(spare, missing)
        }
        yield {**found, **more} if missing else {key: found[key] for key in required}
        everything = dict.fromkeys([*required, *optional])
        yield {key: self.value_of(self._property(schema, key), key, depth + 1) for key in everything}

    def _property(self, schema: Mapping[str, Any], key: str) -> Schema:
        named = (schema.get("properties") or {}).get(key)
        if named is None:
            named = schema.get("additionalProperties", True)
        return {"type": "string"} if named is True else named


_KEYWORD = re.compile(
    r"(?:^|, )(minimum|maximum|exclusiveMinimum|exclusiveMaximum|multipleOf|minLength|maxLength|pattern|minItems"
    r"|maxItems|uniqueItems|prefixItems): (.*?)(?=, \w+: |$)",
    re.DOTALL,
)


def _keywords_in_description(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords that a description lists in braces at its end; empty if they are not valid."""
    _, _, listed = f"\n\n{schema.get('description', '')}".rpartition("\n\n{")
    keywords = {key: _literal(value) for key, value in _KEYWORD.findall(listed.removesuffix("}"))}
    try:
        return checked_schema(keywords, "the description") if listed.endswith("}") else {}
    except InvalidToolError:
        return {}


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


CANDIDATES_BY_TYPE: Mapping[str, Callable[[_ValueBuilder, Mapping[str, Any], str, int], Iterator[Any]]] = {
    "object": _ValueBuilder.object,
    "array": _ValueBuilder.array,
    "string": _ValueBuilder.string,
    "integer": _ValueBuilder.integer,
    "number": _ValueBuilder.number,
    "boolean": _ValueBuilder.boolean,
    "null": _ValueBuilder.null,
}

# By keyword, the type that it applies to.
_TYPE_OF_KEYWORD: Mapping[str, str] = {
    "properties": "object", "required": "object", "minProperties": "object", "additionalProperties": "object",
    "items": "array", "prefixItems": "array", "contains": "array", "minItems": "array", "uniqueItems": "array",
    "pattern": "string", "minLength": "string", "maxLength": "string", "format": "string",
    "minimum": "number", "maximum": "number", "exclusiveMinimum": "number", "exclusiveMaximum": "number",
    "multipleOf": "number",
}  # fmt: skip


def _types_to_try(schema: Mapping[str, Any]) -> list[str]:
    """The types of the values to try, `null` last. Without `type`, those of the keywords come first."""
    given = schema.get("type")
    if given is not None:
        kinds = [given] if isinstance(given, str) else list(given)
        return sorted((kind for kind in kinds if kind in CANDIDATES_BY_TYPE), key=lambda kind: kind == "null")
    of_keywords = [kind for keyword, kind in _TYPE_OF_KEYWORD.items() if keyword in schema]
    return list(dict.fromkeys([*of_keywords, "string", "object", "integer", "boolean", "array", "null"]))


def _is_null(option: Schema) -> bool:
    return isinstance(option, Mapping) and option.get("type") == "null"


def _subschema(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = schema.get(key)
    return found if isinstance(found, Mapping) else {}


def _numbers(schema: Mapping[str, Any], *, integer: bool) -> Iterator[int | float]:
    """Numbers near the bounds, multiples of `multipleOf` first."""
    step = schema.get("multipleOf") or (1 if integer else None)
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    near = next((bound for bound in (low, high) if math.isfinite(bound)), 1)
    if step is not None:
        grid = [(math.floor(near / step) + offset) * step for offset in (0, 1, -1, 2, -2)]
        yield from (round(each) if integer else each for each in grid)
    if low > -math.inf and high < math.inf and not integer:
        yield (low + high) / 2
    for each in (near, near + 1, near - 1):
        yield int(each) if integer or float(each).is_integer() else each


def _similar_values(item: Any) -> Iterator[Any]:
    """Values that differ little from `item`."""
    for at in range(1, 50):
        if isinstance(item, str):
            yield f"{item}{at}"
            yield item[: -len(str(at))] + str(at)
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield item + at
            yield item - at
        elif isinstance(item, dict) and item:
            yield from ({**item, key: other} for key, value in item.items() for other in _two_similar(value, at))


def _two_similar(value: Any, at: int) -> Iterator[Any]:
    yield from itertools.islice(_similar_values(value), 2 * at - 2, 2 * at)
