"""What a display is made of: cards of parts, the same for a notebook and for a terminal.

Whoever makes cards puts raw texts into them, from wherever they came; only the renderers (`as_html.py`, `as_text.py`)
write them out, cleaned and escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from langchain_unified.redaction import masked, redacted

Tone: TypeAlias = Literal["plain", "user", "model", "tool", "good", "warn", "bad"]
"""The colour of a card's edge. What it says is always said in words, too."""


@dataclass(frozen=True, slots=True)
class Prose:
    """Text with its line breaks, as people read it. `label` stands before it; `quiet` for asides."""

    text: str
    label: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Text in which every character counts."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table. `columns` may be empty; the columns from `numbers` on hold figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: int = 99
    label: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A source. Only an http(s) address can be followed."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture whose bytes are here, in base64."""

    mime: str
    data: str
    caption: str = "image"


@dataclass(frozen=True, slots=True)
class Fold:
    """Parts that are closed until somebody opens them. A terminal shows the `summary` alone."""

    summary: str
    parts: tuple[Part, ...]


Part: TypeAlias = "Prose | Code | Rows | Link | Picture | Fold"


@dataclass(frozen=True, slots=True)
class Card:
    """One thing on display. `detail` says more beside the title, `foot` stands below."""

    title: str
    parts: tuple[Part, ...] = ()
    tone: Tone = "plain"
    detail: str = ""
    foot: str = ""


# --- texts ------------------------------------------------------------------------------------------------------------

LONGEST = 20_000
"""Characters of one text that are shown; a notebook keeps what it shows."""

FOLD_CHARACTERS, FOLD_LINES = 1_200, 16
"""A longer text is folded."""

# A flag's tail of invisible letters is a flag; anywhere else such letters hide text.
_UNSEEN = re.compile(
    "\U0001f3f4[\U000e0030-\U000e007a]{1,6}\U000e007f"
    "|([\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f])"
)


def clean(text: str) -> str:
    """The text with nothing in it that acts or hides: escapes and direction overrides are spelled out, as Python does.

    What has the form of a secret is replaced by its name.
    """
    text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return masked(_UNSEEN.sub(_seen, text))


def _seen(match: re.Match[str]) -> str:
    return match[0] if match[1] is None else ascii(match[1])[1:-1]


def is_long(text: str) -> bool:
    """Whether a text is folded."""
    return len(text) > FOLD_CHARACTERS or text.count("\n") >= FOLD_LINES


def shortened(text: str, length: int) -> str:
    """The text, or its first `length` characters and how many there are. Cleaned first: half a secret has no form."""
    text = clean(text)
    return text if len(text) <= length else f"{text[:length]}… ({len(text):,} characters)"


LONGEST_STRING = 400
"""Characters of one string within JSON that are shown: signatures and pictures are long, and nobody reads them."""


def as_json(value: Any) -> str:
    """The value as indented JSON, secrets hidden and long strings cut. What is no JSON is written as its `repr`."""
    return json.dumps(_brief(value), ensure_ascii=False, indent=2, default=repr)


def _brief(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _brief(item) for key, item in redacted(value).items()}
    if isinstance(value, list | tuple | set):
        return [_brief(item) for item in value]
    return shortened(value, LONGEST_STRING) if isinstance(value, str) else value


def called(name: str, arguments: Any) -> str:
    """A call as Python writes it: `get_weather(city="Paris")`. `arguments` that are text stand as they are."""
    if not isinstance(arguments, Mapping):
        return f"{name}({'' if arguments is None else arguments})"
    shown = (f"{key}={_value(item)}" for key, item in redacted(arguments).items())
    return f"{name}({', '.join(shown)})"


def _value(item: Any) -> str:
    return json.dumps(_brief(item), ensure_ascii=False, default=repr)


def figures(pairs: Sequence[tuple[int | None, str]]) -> str:
    """`12 in, 3 out`; what is `None` is left out."""
    return ", ".join(f"{count:,} {name}" for count, name in pairs if count is not None)
