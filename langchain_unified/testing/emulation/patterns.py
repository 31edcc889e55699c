"""A short string for a regular expression, as well as it can be found."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

COMMON = ("", "a", "A", "0", "1", "abc", "ABC", "123", "A1", "a-b", "2026-01-02", "12:00", "+15551234567",
          "user@example.com", "https://example.com/", "00000000-0000-4000-8000-000000000001", "#a1b2c3", "1.0.0",
          "US", "USD", "en-US", "AB-123")  # fmt: skip
"""Strings that patterns often mean."""

# Characters in the order in which a class is searched for one.
_ALPHABET = "aA0 bBcC123456789-_./:@#+" + "".join(map(chr, range(33, 127)))


def matching(pattern: str, shortest: int = 0) -> Iterator[str]:
    """Candidates: built from the pattern, repeated where that makes them long enough, then common ones."""
    try:
        tree = list(importlib.import_module("re._parser").parse(pattern))
    except Exception:  # noqa: BLE001  # Python reads most patterns of JSON Schema, not all
        tree = None
    if tree is not None:
        for spare in dict.fromkeys((0, shortest)):
            yield "".join(_piece(name, value, spare) for name, value in tree)
    yield from COMMON


def _piece(name: Any, value: Any, spare: int) -> str:
    maker = MAKERS.get(str(name))
    return "" if maker is None else maker(value, spare)


def _sequence(value: Any, spare: int) -> str:
    return "".join(_piece(name, inner, spare) for name, inner in value)


def _literal(value: int, spare: int) -> str:
    return chr(value)


def _not_literal(value: int, spare: int) -> str:
    return next(each for each in _ALPHABET if ord(each) != value)


def _any(value: Any, spare: int) -> str:
    return "a"


def _repeat(value: Any, spare: int) -> str:
    least, most, inner = value
    count = min(int(most), max(least, spare)) if spare else max(least, min(1, int(most)))
    return str(_sequence(inner, 0) * count)


def _class(value: Any, spare: int) -> str:
    refuses = any(str(name) == "NEGATE" for name, _ in value)
    ranges = [(str(name), inner) for name, inner in value if str(name) != "NEGATE"]
    fits = (each for each in _ALPHABET if any(_in(name, inner, each) for name, inner in ranges) != refuses)
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
    "ANY": _any,
    "IN": _class,
    "BRANCH": lambda value, spare: _sequence(value[1][0], spare),
    "SUBPATTERN": lambda value, spare: _sequence(value[3], spare),
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "POSSESSIVE_REPEAT": _repeat,
}
