"""A value for a JSON Schema: deterministic, as small as the schema allows, taken from a text where one fits.

`instance(schema, text)` tries candidates in an order (constant, enum, example, branch, type) and returns the first that
the schema accepts. Patterns are met as well as they can be, and so is what a description tells in braces
(`{minimum: 1}`), as clients write what an API does not take: a model reads it.
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
from langchain_unified.schemas.wellformed import sound
from langchain_unified.testing.emulation.patterns import matching
from langchain_unified.testing.emulation.words import Words

DEEP = 3
"""From this depth on, the smallest branch and the emptiest array are taken."""

BOTTOM, PATIENCE = 24, 20_000
"""The depth, and the number of values made on the way, at which a schema that requires itself is given up."""

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
    """A value that satisfies `schema`. Names, numbers and quoted words of `text` are used where they fit.

    `None` where nothing was found that satisfies it.
    """
    try:
        return _Maker(schema, Words(text)).make(schema, "", 0)
    except _EndlessError:
        return None


class _EndlessError(Exception):
    """A schema that requires itself."""


class _Maker:
    """One generation: the schema that references point into, and the words that are still free."""

    def __init__(self, root: Schema, words: Words) -> None:
        self.root = root
        self.words = words
        self.made = 0

    def make(self, schema: Schema, name: str, depth: int) -> Any:
        """The first candidate that `schema` accepts, else the last one. `name` is the property's."""
        self.made += 1
        if depth > BOTTOM or self.made > PATIENCE:
            raise _EndlessError
        if isinstance(schema, bool):
            return None
        whole = self._whole(schema)
        told = _told(whole)
        value = self._first({**whole, **told}, name, depth)
        if not told or valid(schema, value, self.root):
            return value
        return self._first(whole, name, depth)

    def _first(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        value = None
        for value in self._candidates(schema, name, depth):
            if valid(schema, value, self.root):
                return value
        return value

    def _candidates(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        if "const" in schema:
            yield schema["const"]
        if "enum" in schema:
            yield from self.words.choose(schema["enum"])
        yield from schema.get("examples") or ()
        if schema.get("default") is not None:
            yield schema["default"]
        for branch in self._branches(schema, depth):
            with contextlib.suppress(_EndlessError):
                yield self.make(branch, name, depth + 1)
        for kind in _kinds(schema):
            yield from MAKERS[kind](self, schema, name, depth)

    def _branches(self, schema: Mapping[str, Any], depth: int) -> Iterator[Schema]:
        """The schema with one of its alternatives worked in: null last, or first where it is deep."""
        for key in ("anyOf", "oneOf"):
            rest = {name: item for name, item in schema.items() if name != key}
            options = sorted(schema.get(key) or (), key=self._size) if depth >= DEEP else schema.get(key) or ()
            nulls_last = options if depth >= DEEP else sorted(options, key=_is_null)
            for option in nulls_last:
                yield _merged(rest, self._whole(option)) if isinstance(option, Mapping) else option
        if "then" in schema or "else" in schema:
            rest = {name: item for name, item in schema.items() if name not in ("if", "then", "else")}
            yield _merged(rest, self._whole(_merged(_object(schema, "if"), _object(schema, "then"))))
            yield _merged(rest, self._whole(_object(schema, "else")))

    def _size(self, option: Schema) -> int:
        """How much a branch asks for; a reference asks for much."""
        return len(str(option)) + (1_000_000 if "$ref" in str(option) else 0) - (1_000_000 if _is_null(option) else 0)

    def _whole(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema with its reference and its `allOf` worked in."""
        for _ in range(BOTTOM):
            parts = [resolve(schema["$ref"], self.root)] if "$ref" in schema else []
            parts += schema.get("allOf") or ()
            if not parts:
                break
            schema = {key: item for key, item in schema.items() if key not in ("$ref", "allOf")}
            for part in parts:
                schema = _merged(schema, part) if isinstance(part, Mapping) else schema
        return schema

    # --- by type ------------------------------------------------------------------------------------------------------

    def null(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        yield None

    def boolean(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        yield True
        yield False

    def number(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        yield from self.words.numbers(name, lambda found: valid(schema, found, self.root))
        yield from _numbers(schema, whole=False)

    def integer(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        yield from self.words.numbers(name, lambda found: valid(schema, found, self.root))
        yield from _numbers(schema, whole=True)

    def string(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        form = FORMATS.get(schema.get("format", ""))
        if form is not None:
            yield form
        if "pattern" in schema:
            yield from matching(schema["pattern"], schema.get("minLength", 0))
        yield from self.words.strings(name, lambda found: valid(schema, found, self.root))
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        text = name or "text"
        text += "x" * (shortest - len(text))
        yield text if len(text) <= longest else text[: int(longest)]

    def array(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        heads = [self.make(item, name, depth + 1) for item in schema.get("prefixItems") or ()]
        least = max(schema.get("minItems", 0), len(heads))
        wanted = schema.get("minContains", 1) if "contains" in schema else 0
        body = schema.get("contains", schema.get("items", True))
        one_more = least == 0 and depth < DEEP and body is not True and schema.get("maxItems", 1) > 0
        count = max(least, len(heads) + wanted, int(one_more))
        items = heads + [self.make(body, name, depth + 1) for _ in range(count - len(heads))]
        yield items
        if schema.get("uniqueItems"):
            yield self._unique(items, body, name, depth)
        yield []

    def _unique(self, items: list[Any], schema: Schema, name: str, depth: int) -> list[Any]:
        """The items, each made to differ from those before it."""
        found: list[Any] = []
        for item in items:
            candidates = itertools.chain([item], self._variants(schema, item, name, depth))
            found.append(next((each for each in itertools.islice(candidates, 200) if each not in found), item))
        return found

    def _variants(self, schema: Schema, item: Any, name: str, depth: int) -> Iterator[Any]:
        whole = self._whole(schema) if isinstance(schema, Mapping) else {}
        variants = itertools.chain(self._candidates(whole, name, depth), _neighbours(item))
        return (each for each in variants if valid(schema, each, self.root))

    def object(self, schema: Mapping[str, Any], name: str, depth: int) -> Iterator[Any]:
        properties = schema.get("properties") or {}
        required = [*schema.get("required", ())]
        found = {key: self.make(self._property(schema, key), key, depth + 1) for key in required}
        optional = [key for key in properties if key not in found]
        for key in optional if depth < DEEP else ():
            if self.words.names(key):
                found[key] = self.make(properties[key], key, depth + 1)
        yield found
        spare = itertools.chain(optional, (f"key{at}" for at in itertools.count(1)))
        missing = max(0, schema.get("minProperties", 0) - len(found))
        more = {key: self.make(self._property(schema, key), key, depth + 1) for key in itertools.islice(spare, missing)}
        yield {**found, **more} if missing else {key: found[key] for key in required}
        everything = dict.fromkeys([*required, *optional])
        yield {key: self.make(self._property(schema, key), key, depth + 1) for key in everything}

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


def _told(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords that a description tells."""
    _, _, told = f"\n\n{schema.get('description', '')}".rpartition("\n\n{")
    found = {key: _literal(value) for key, value in _KEYWORD.findall(told.removesuffix("}"))}
    try:
        return sound(found, "what is told") if told.endswith("}") else {}
    except InvalidToolError:
        return {}


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


MAKERS: Mapping[str, Callable[[_Maker, Mapping[str, Any], str, int], Iterator[Any]]] = {
    "object": _Maker.object,
    "array": _Maker.array,
    "string": _Maker.string,
    "integer": _Maker.integer,
    "number": _Maker.number,
    "boolean": _Maker.boolean,
    "null": _Maker.null,
}

# By keyword, the type that a schema without `type` speaks of.
_SIGNS: Mapping[str, str] = {
    "properties": "object", "required": "object", "minProperties": "object", "additionalProperties": "object",
    "items": "array", "prefixItems": "array", "contains": "array", "minItems": "array", "uniqueItems": "array",
    "pattern": "string", "minLength": "string", "maxLength": "string", "format": "string",
    "minimum": "number", "maximum": "number", "exclusiveMinimum": "number", "exclusiveMaximum": "number",
    "multipleOf": "number",
}  # fmt: skip


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    """The types to try, `null` last."""
    given = schema.get("type")
    if given is not None:
        kinds = [given] if isinstance(given, str) else list(given)
        return sorted((kind for kind in kinds if kind in MAKERS), key=lambda kind: kind == "null")
    signs = [kind for sign, kind in _SIGNS.items() if sign in schema]
    return list(dict.fromkeys([*signs, "string", "object", "integer", "boolean", "array", "null"]))


def _is_null(option: Schema) -> bool:
    return isinstance(option, Mapping) and option.get("type") == "null"


def _object(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = schema.get(key)
    return found if isinstance(found, Mapping) else {}


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both schemas as one, as far as keywords can be joined."""
    result = dict(one)
    for key, item in other.items():
        result[key] = JOINS.get(key, _take)(result[key], item) if key in result else item
    return result


def _take(one: Any, other: Any) -> Any:
    return other


def _join_types(one: Any, other: Any) -> Any:
    first, second = ([kind] if isinstance(kind, str) else list(kind) for kind in (one, other))
    if "integer" in second and "number" in first:
        first = [*first, "integer"]
    both = [kind for kind in first if kind in second or (kind == "integer" and "number" in second)]
    return both or other


def _join_properties(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    shared = {key: {"allOf": [one[key], other[key]]} for key in one if key in other}
    return {**one, **other, **shared}


JOINS: Mapping[str, Callable[[Any, Any], Any]] = {
    "type": _join_types,
    "properties": _join_properties,
    "required": lambda one, other: list(dict.fromkeys([*one, *other])),
    "enum": lambda one, other: [item for item in one if item in other],
    "allOf": lambda one, other: [*one, *other],
    "items": lambda one, other: {"allOf": [one, other]},
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}


def _numbers(schema: Mapping[str, Any], *, whole: bool) -> Iterator[int | float]:
    """Numbers near the bounds, on the grid of `multipleOf`."""
    step = schema.get("multipleOf") or (1 if whole else None)
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    near = next((bound for bound in (low, high) if math.isfinite(bound)), 1)
    if step is not None:
        grid = [(math.floor(near / step) + offset) * step for offset in (0, 1, -1, 2, -2)]
        yield from (round(each) if whole else each for each in grid)
    if low > -math.inf and high < math.inf and not whole:
        yield (low + high) / 2
    for each in (near, near + 1, near - 1):
        yield int(each) if whole or float(each).is_integer() else each


def _neighbours(item: Any) -> Iterator[Any]:
    """Values like `item`."""
    for at in range(1, 50):
        if isinstance(item, str):
            yield f"{item}{at}"
            yield item[: -len(str(at))] + str(at)
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield item + at
            yield item - at
        elif isinstance(item, dict) and item:
            yield from ({**item, key: other} for key, value in item.items() for other in _few(value, at))


def _few(value: Any, at: int) -> Iterator[Any]:
    yield from itertools.islice(_neighbours(value), 2 * at - 2, 2 * at)
