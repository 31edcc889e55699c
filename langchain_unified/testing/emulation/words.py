"""What a text offers as values: numbers, quoted words, names, and `field: value`. Each is given away once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|(?<!\w)'([^']+)'(?!\w)")
# A capitalised word that does not begin a sentence, and those that follow it.
_NAME = re.compile(r"(?<=[^.!?\n]\s)([A-Z][\w-]*(?: [A-Z][\w-]*)*)")


class Words:
    """The values in a text that are still free."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._numbers = _NUMBER.findall(text)
        quoted = ["".join(groups) for groups in _QUOTED.findall(text)]
        self._strings = [*quoted, *(name for name in _NAME.findall(text) if name not in quoted and name != "I")]

    def names(self, field: str) -> bool:
        """Whether the text gives a value for a field by its name."""
        return self._after(field) is not None

    def choose(self, options: Iterable[Any]) -> Iterator[Any]:
        """The options, those that the text mentions first."""
        options = list(options)
        mentioned = [each for each in options if isinstance(each, str) and each and self._mentions(each)]
        yield from mentioned
        yield from (each for each in options if each not in mentioned)

    def strings(self, field: str, fits: Callable[[str], bool]) -> Iterator[str]:
        """A string for a field: the one named after it, else the first free one that fits."""
        named = self._after(field)
        if named is not None:
            yield named
        found = next((each for each in self._strings if fits(each)), None)
        if found is not None:
            self._strings.remove(found)
            yield found

    def numbers(self, field: str, fits: Callable[[float], bool]) -> Iterator[int | float]:
        """A number for a field, likewise."""
        named = self._after(field)
        wanted = [named] if named is not None and _NUMBER.fullmatch(named) else []
        for text in [*wanted, *self._numbers]:
            number = float(text) if "." in text else int(text)
            if fits(number):
                if text in self._numbers:
                    self._numbers.remove(text)
                yield number
                return

    def _mentions(self, option: str) -> bool:
        return re.search(rf"(?<!\w){re.escape(option)}(?!\w)", self.text, re.IGNORECASE) is not None

    def _after(self, field: str) -> str | None:
        if not field:
            return None
        spelled = re.escape(field).replace("_", "[ _-]")
        found = re.search(rf"\b{spelled}(?:\s*[:=]\s*|\s+is\s+)[\"']?([^\s\"',;]+)", self.text, re.IGNORECASE)
        return found[1].rstrip(".!?") or None if found else None
