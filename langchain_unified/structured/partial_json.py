"""Incomplete JSON texts as values, for answers that still stream. Each piece of the text is read once."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

MISSING: Any = object()
"""Returned where too little has been received to make a value."""
MAX_DEPTH = 200
"""Objects and lists inside each other, at most: what is deeper breaks who reads the value."""

_HIGH = r"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(
    rf"(?P<half>(?:{_HIGH})?\\(?:u[0-9a-fA-F]{{0,3}})?\Z|{_HIGH}\Z)|{_HIGH}{_LOW}|(?P<lone>{_HIGH}|{_LOW})|\\.",
    re.DOTALL,
)
_INSIDE = re.compile(r'(?:[^"\\]|\\.)*', re.DOTALL)
"""A string up to its end, or up to a backslash at the end of a piece."""
_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"[-+.0-9a-zA-Z]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_HALF_NUMBER = re.compile(r"(?:\.|\.?[eE][+-]?)?")
_KEYWORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")

VALUE, FIRST_VALUE, KEY, FIRST_KEY, COLON, COMMA = range(6)
"""What may come next. A `FIRST` one may also be the end of its object or list."""


@dataclass(slots=True)
class _Open:
    """An object or a list that is not complete. What is complete in it is never changed again."""

    container: Any
    key: str = ""
    """Of an object: where its next value goes."""


class PartialJson:
    """The JSON object of a text that is received in pieces: the text itself, or a Markdown code block at its start.

    Incomplete strings and numbers count as far as received; an incomplete escape, keyword or key does not count. Raw
    control characters in strings are accepted, because models break lines there. Half of a surrogate pair becomes
    U+FFFD. Values share what is complete, and a value that was returned does not change.
    """

    def __init__(self, open_ids: set[int] | None = None) -> None:
        """`open_ids` gets the `id` of each object and list of the last value that may still grow."""
        self.open_ids = set() if open_ids is None else open_ids
        self._head: str | None = ""
        """The text before the object; `None` once the object has begun."""
        self._stack: list[_Open] = []
        self._next = VALUE
        self._string: list[str] | None = None
        """The string that is not complete, in pieces."""
        self._half_escape = ""
        self._scalar: str | None = None
        """The number or keyword that is not complete."""
        self._partial: Any = MISSING
        """What of the innermost value has been received."""
        self._changed = self._ended = False

    def feed(self, piece: str) -> Any:
        """The value after `piece`; `MISSING` where `piece` changes nothing, or where the text holds no JSON object."""
        if self._head is not None:
            piece = self._after_head(piece)
        if self._ended or not piece:
            return MISSING
        self._changed = False
        try:
            self._read(self._half_escape + piece)
        except ValueError:  # not JSON; more text does not repair it
            self._ended, self._changed = True, False
        return self._value() if self._changed else MISSING

    def _after_head(self, piece: str) -> str:
        head = f"{self._head}{piece}".lstrip()
        start = head.find("{") if head.startswith(("{", "```")) else -1
        self._head = head if start < 0 else None
        self._ended = len(head) >= len("```") and not head.startswith(("{", "```"))
        return head[start:] if start >= 0 else ""

    def _value(self) -> Any:
        """The whole as far as received: the open objects and lists are copied, each with its last part."""
        value = self._partial
        self.open_ids.clear()
        for each in reversed(self._stack):
            copy = each.container.copy()
            if value is not MISSING:
                _add(copy, each.key, value)
            self.open_ids.add(id(copy))
            value = copy
        return value

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read(self, text: str) -> None:
        self._half_escape = ""
        at, end = 0, len(text)
        while at < end and not self._ended:
            if self._string is not None:
                at = self._read_string(text, at, self._string)
            elif self._scalar is not None:
                at = self._read_scalar(text, at, self._scalar)
            else:
                space = _SPACE.match(text, at)
                at = space.end() if space else at
                if at < end:
                    at += self._read_mark(text[at])

    def _read_mark(self, char: str) -> int:
        """A character outside strings, numbers and keywords. How many characters were read: 0 of a number."""
        expected = self._next
        if expected in (VALUE, FIRST_VALUE):
            return self._begin_value(char)
        if char == '"' and expected in (KEY, FIRST_KEY):
            self._string = []
        elif char == ":" and expected == COLON:
            self._next = VALUE
        elif char == "," and expected == COMMA:
            self._next = KEY if self._is_inside(dict) else VALUE
        elif (char, expected) == ("}", FIRST_KEY) or (expected == COMMA and char == "]}"[self._is_inside(dict)]):
            self._close()
        else:
            raise ValueError(char)
        return 1

    def _begin_value(self, char: str) -> int:
        if char == '"':
            self._string = []
            self._show("")
        elif char in "{[":
            if len(self._stack) >= MAX_DEPTH:
                raise ValueError("nested too deeply")
            self._stack.append(_Open({} if char == "{" else []))
            self._next = FIRST_KEY if char == "{" else FIRST_VALUE
            self._changed = True
        elif char == "]" and self._next == FIRST_VALUE:
            self._close()
        elif _SCALAR.fullmatch(char):
            self._scalar = ""
            return 0
        else:
            raise ValueError(char)
        return 1

    def _read_string(self, text: str, at: int, parts: list[str]) -> int:
        found = _INSIDE.match(text, at)
        end = found.end() if found else at
        is_complete = end < len(text) and text[end] == '"'
        parts.append(self._unescaped(text[at:end] if is_complete else text[at:], is_complete=is_complete))
        is_key = self._next in (KEY, FIRST_KEY)
        if not is_complete:
            if not is_key and parts[-1]:
                self._show("".join(parts))
            return len(text)
        self._string = None
        whole = "".join(parts)
        if is_key:
            self._stack[-1].key, self._next = whole, COLON
        else:
            self._changed = self._changed or whole != self._partial
            self._finish(whole)
        return end + 1

    def _unescaped(self, text: str, *, is_complete: bool) -> str:
        """A piece of a string as it is meant. An incomplete escape at its end is held for the next piece."""
        if "\\" not in text:
            return text

        def written(escape: re.Match[str]) -> str:
            kind, found = escape.lastgroup, escape[0]
            if kind == "half" and not is_complete:
                self._half_escape, found = found, ""
            elif kind == "lone" or (kind == "half" and len(found) == len(r"\ud83d")):
                found = r"\ufffd"
            return found

        return str(json.loads(f'"{_ESCAPE.sub(written, text)}"', strict=False))

    def _read_scalar(self, text: str, at: int, begun: str) -> int:
        found = _SCALAR.match(text, at)
        end = found.end() if found else at
        literal = begun + text[at:end]
        if end < len(text):
            self._scalar = None
            value = json.loads(literal)
            self._changed = self._changed or repr(value) != repr(self._partial)
            self._finish(value)
            return end
        self._scalar = literal
        number = _NUMBER.match(literal)
        if number and _HALF_NUMBER.fullmatch(literal, number.end()):
            self._show(json.loads(number[0]))
        elif literal in _KEYWORDS:
            self._show(json.loads(literal))
        elif number or not (literal == "-" or any(word.startswith(literal) for word in _KEYWORDS)):
            raise ValueError(literal)
        return end

    # --- values -------------------------------------------------------------------------------------------------------

    def _show(self, value: Any) -> None:
        """A value that is not complete."""
        self._partial, self._changed = value, True

    def _finish(self, value: Any) -> None:
        """A complete value goes into its object or list."""
        _add(self._stack[-1].container, self._stack[-1].key, value)
        self._partial, self._next = MISSING, COMMA

    def _close(self) -> None:
        closed = self._stack.pop().container
        if self._stack:
            self._finish(closed)
        else:
            self._partial, self._ended = closed, True

    def _is_inside(self, kind: type) -> bool:
        return isinstance(self._stack[-1].container, kind)


def _add(container: Any, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    else:
        container.append(value)
