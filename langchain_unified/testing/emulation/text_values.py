"""The values that a text contains: numbers, quoted texts, names, and `field: value`. Each is used once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|(?<!\w)'([^']+)'(?!\w)")
# Capitalised words in a row that do not begin a sentence.
_NAME = re.compile(r"(?<=[^.!?\n]\s)([A-Z][\w-]*(?: [A-Z][\w-]*)*)")


class TextValues:
    """The values of a text that are not used yet."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._numbers = _NUMBER.findall(text)
        quoted = ["".join(groups) for groups in _QUOTED.findall(text)]
        self._strings = [*quoted, *(name for name in _NAME.findall(text) if name not in quoted and name != "I")]

    def has_value_for(self, field: str) -> bool:
        """Whether the text has a value after the field's name (`days: 5`)."""
        return self._value_after(field) is not None

    def mentioned_first(self, options: Iterable[Any]) -> Iterator[Any]:
        """The options, those that the text mentions first."""
        options = list(options)
        mentioned = [each for each in options if isinstance(each, str) and each and self._mentions(each)]
        yield from mentioned
        yield from (each for each in options if each not in mentioned)

    def strings(self, field: str, fits: Callable[[str], bool]) -> Iterator[str]:
        """Candidates for a string: the value after the field's name, then the first unused string that fits."""
        named = self._value_after(field)
        if named is not None:
            yield named
        found = next((each for each in self._strings if fits(each)), None)
        if found is not None:
            self._strings.remove(found)
            yield found

    def numbers(self, field: str, fits: Callable[[float], bool]) -> Iterator[int | float]:
        """At most one number that fits: the value after the field's name, else the first unused number."""
        named = self._value_after(field)
        after_name = [named] if named is not None and _NUMBER.fullmatch(named) else []
        for text in [*after_name, *self._numbers]:
            number = float(text) if "." in text else int(text)
            if fits(number):
                if text in self._numbers:
                    self._numbers.remove(text)
                yield number
                return

    def _mentions(self, option: str) -> bool:
        return re.search(rf"(?<!\w){re.escape(option)}(?!\w)", self.text, re.IGNORECASE) is not None

    def _value_after(self, field: str) -> str | None:
        if not field:
            return None
        name = re.escape(field).replace("_", "[ _-]")
        found = re.search(rf"\b{name}(?:\s*[:=]\s*|\s+is\s+)[\"']?([^\s\"',;]+)", self.text, re.IGNORECASE)
        return found[1].rstrip(".!?") or None if found else None
