"""Strings for a regular expression. Most patterns of JSON Schemas are matched, not all."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

COMMON_STRINGS = (
    "", "a", "A", "0", "1", "abc", "ABC", "123", "A1", "a-b", "2026-01-02", "12:00", "+15551234567",
    "user@example.com", "https://example.com/", "00000000-0000-4000-8000-000000000001", "#a1b2c3", "1.0.0", "US",
    "USD", "en-US", "AB-123",
)  # fmt: skip
"""Values of the kinds that patterns often describe."""

# The characters that are tried for a character class, in this order.
_ALPHABET = "aA0 bBcC123456789-_./:@#+" + "".join(map(chr, range(33, 127)))


def strings_for(pattern: str, shortest: int = 0) -> Iterator[str]:
    """Candidates: strings built from the pattern, one of them `shortest` long if possible; then common ones."""
    try:
        tree = list(importlib.import_module("re._parser").parse(pattern))
    except Exception:  # noqa: BLE001  # not every pattern of JSON Schema is one of Python
        tree = None
    if tree is not None:
        for repeats in dict.fromkeys((0, shortest)):
            yield "".join(_string_of(name, value, repeats) for name, value in tree)
    yield from COMMON_STRINGS


def _string_of(name: Any, value: Any, repeats: int) -> str:
    maker = MAKERS.get(str(name))
    return "" if maker is None else maker(value, repeats)


def _sequence(value: Any, repeats: int) -> str:
    return "".join(_string_of(name, inner, repeats) for name, inner in value)


def _literal(value: int, repeats: int) -> str:
    return chr(value)


def _not_literal(value: int, repeats: int) -> str:
    return next(each for each in _ALPHABET if ord(each) != value)


def _any_character(value: Any, repeats: int) -> str:
    return "a"


def _repeat(value: Any, repeats: int) -> str:
    least, most, inner = value
    count = min(int(most), max(least, repeats)) if repeats else max(least, min(1, int(most)))
    return str(_sequence(inner, 0) * count)


def _character_class(value: Any, repeats: int) -> str:
    negated = any(str(name) == "NEGATE" for name, _ in value)
    ranges = [(str(name), inner) for name, inner in value if str(name) != "NEGATE"]
    fits = (each for each in _ALPHABET if any(_in(name, inner, each) for name, inner in ranges) != negated)
    first = next(fits, None)
    if first is not None:
        return first
    return next((chr(inner if name == "LITERAL" else inner[0]) for name, inner in ranges if name != "CATEGORY"), "a")


def _in(name: str, inner: Any, character: str) -> bool:
    if name == "LITERAL":
        return bool(ord(character) == inner)
    if name == "RANGE":
        return bool(inner[0] <= ord(character) <= inner[1])
    category = CATEGORIES.get(str(inner))
    return category is not None and category(character)


CATEGORIES: Mapping[str, Callable[[str], bool]] = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_NOT_DIGIT": lambda each: not each.isdigit(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda each: not each.isspace(),
    "CATEGORY_WORD": lambda each: each.isalnum() or each == "_",
    "CATEGORY_NOT_WORD": lambda each: not (each.isalnum() or each == "_"),
}

MAKERS: Mapping[str, Callable[[Any, int], str]] = {
    "LITERAL": _literal,
    "NOT_LITERAL": _not_literal,
    "ANY": _any_character,
    "IN": _character_class,
    "BRANCH": lambda value, repeats: _sequence(value[1][0], repeats),
    "SUBPATTERN": lambda value, repeats: _sequence(value[3], repeats),
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "POSSESSIVE_REPEAT": _repeat,
}
"""By node of the parsed pattern, what makes a string for its value and a number of repeats (0: as few as possible)."""
