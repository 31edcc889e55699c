"""Cards and their parts: what is displayed, the same for a notebook and for a terminal.

The texts in a card are raw, from any source. The renderers (`as_html.py`, `as_text.py`) clean and escape them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from langchain_unified.redaction import masked, redacted

Tone: TypeAlias = Literal["plain", "user", "model", "tool", "good", "warn", "bad"]
"""The colour of a card's edge. The text of the card always has the same information."""


@dataclass(frozen=True, slots=True)
class Prose:
    """Text with line breaks. `label` is put before it. `quiet` text is less visible."""

    text: str
    label: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Text in a fixed-width font."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `columns` are its headings, if any. The columns from `numbers` on are aligned right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: int = 99
    label: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A source. Only an http(s) URL becomes a link."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, as base64."""

    mime: str
    data: str
    caption: str = "image"


@dataclass(frozen=True, slots=True)
class Fold:
    """Parts that a notebook shows on a click. A terminal shows only the `summary`."""

    summary: str
    parts: tuple[CardPart, ...]


CardPart: TypeAlias = "Prose | Code | Table | Link | Picture | Fold"


@dataclass(frozen=True, slots=True)
class Card:
    """One displayed thing: a title with a `detail` beside it, its parts, and a `foot` below."""

    title: str
    parts: tuple[CardPart, ...] = ()
    tone: Tone = "plain"
    detail: str = ""
    foot: str = ""


# --- texts ------------------------------------------------------------------------------------------------------------

MAX_CHARACTERS = 20_000
"""The most characters of one text that are shown: a notebook file stores its outputs."""

FOLD_CHARACTERS, FOLD_LINES = 1_200, 16
"""A longer text is folded."""

# Invisible tag letters belong to some flag emoji. Anywhere else they hide text.
_INVISIBLE = re.compile(
    "\U0001f3f4[\U000e0030-\U000e007a]{1,6}\U000e007f"
    "|([\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f])"
)


def clean(text: str) -> str:
    r"""The text with control and invisible characters spelled out as in Python (`\x1b`), and secrets masked."""
    text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return masked(_INVISIBLE.sub(_spelled_out, text))


def _spelled_out(match: re.Match[str]) -> str:
    return match[0] if match[1] is None else ascii(match[1])[1:-1]


def is_long(text: str) -> bool:
    """Whether a text is folded."""
    return len(text) > FOLD_CHARACTERS or text.count("\n") >= FOLD_LINES


def shortened(text: str, length: int) -> str:
    """The text, cleaned; if it is longer than `length`, its beginning and its length.

    It is cleaned first, because a secret that is cut in half is no longer recognised.
    """
    text = clean(text)
    return text if len(text) <= length else f"{text[:length]}… ({len(text):,} characters)"


MAX_JSON_STRING = 400
"""The most characters of one string in JSON: signatures and pictures are long, and nobody reads them."""


def as_json(value: Any) -> str:
    """The value as indented JSON, with secrets hidden and long strings cut. Other objects become their `repr`."""
    return json.dumps(_shortened(value), ensure_ascii=False, indent=2, default=repr)


def _shortened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _shortened(item) for key, item in redacted(value).items()}
    if isinstance(value, list | tuple | set):
        return [_shortened(item) for item in value]
    return shortened(value, MAX_JSON_STRING) if isinstance(value, str) else value


def call_text(name: str, arguments: Any) -> str:
    """A call in Python's form: `get_weather(city="Paris")`. Arguments that are a string are not changed."""
    if not isinstance(arguments, Mapping):
        return f"{name}({'' if arguments is None else arguments})"
    shown = (f"{key}={_value(item)}" for key, item in redacted(arguments).items())
    return f"{name}({', '.join(shown)})"


def _value(item: Any) -> str:
    return json.dumps(_shortened(item), ensure_ascii=False, default=repr)


def counts_text(pairs: Sequence[tuple[int | None, str]]) -> str:
    """Counts with their names: `12 in, 3 out`. A count of `None` is left out."""
    return ", ".join(f"{count:,} {name}" for count, name in pairs if count is not None)
