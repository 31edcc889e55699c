"""A stream on display while it comes: redrawn in place in a notebook, written on in a terminal."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from contextlib import aclosing, closing, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from langchain_unified.display.as_text import say
from langchain_unified.display.messages import blocks_of, message_card
from langchain_unified.display.parts import Card, Prose, clean
from langchain_unified.display.views import View, cards_of, drawn, in_notebook

REDRAW_SECONDS = 0.1
"""How often a notebook redraws, at most."""


def show_stream(stream: Iterable[Any]) -> Any:
    """Display a stream as it comes, and return what it adds up to.

    Chunks of a model give one message; texts, one text; pairs of message and metadata, as LangGraph's
    `stream_mode="messages"` gives them, a list of messages; anything else (partial structured answers) the last item.
    A stream that breaks leaves what had come on display, and raises; one that is interrupted is closed.
    """
    show = _Show()
    with closing(stream) if isinstance(stream, Generator) else nullcontext(), show:
        for item in stream:
            show.take(item)
    return show.sum.value


async def ashow_stream(stream: AsyncIterable[Any]) -> Any:
    """Async twin of `show_stream`."""
    show = _Show()
    async with aclosing(stream) if isinstance(stream, AsyncGenerator) else nullcontext():
        with show:
            async for item in stream:
                show.take(item)
    return show.sum.value


# --- what a stream adds up to -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """What just came. `key` tells to which message it belongs, `None` in a stream of one."""

    key: Any
    item: Any


class Sum:
    """Items of a stream, added up."""

    def __init__(self) -> None:
        self._pieces: dict[Any, list[Any]] = {}
        self._several = False

    def add(self, item: Any) -> Piece:
        """Take one item in; gives it without LangGraph's metadata."""
        key = None
        if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], BaseMessage):
            self._several, item = True, item[0]
            key = item.id or len(self._pieces)
        self._pieces.setdefault(key, []).append(item)
        return Piece(key, item)

    def whole(self, key: Any) -> Any:
        """What the pieces of one message add up to by now; `None` before the first."""
        pieces = self._pieces.get(key)
        if not pieces:
            return None
        self._pieces[key] = [_joined(pieces)]
        return self._pieces[key][0]

    @property
    def value(self) -> Any:
        """What it all adds up to by now: a list in a stream of several messages."""
        return [self.whole(key) for key in self._pieces] if self._several else self.whole(None)


def _joined(pieces: list[Any]) -> Any:
    first, rest = pieces[0], pieces[1:]
    if rest and isinstance(first, AIMessageChunk) and all(isinstance(piece, AIMessageChunk) for piece in rest):
        return first + rest
    return "".join(pieces) if isinstance(first, str) else pieces[-1]


# --- where it is shown ------------------------------------------------------------------------------------------------


class _Show:
    """One stream on display, from `with` to its end."""

    def __init__(self) -> None:
        self.sum = Sum()
        self._surface: Notebook | Terminal = Notebook() if in_notebook() else Terminal()

    def take(self, item: Any) -> None:
        self._surface.draw(self.sum.add(item), self.sum)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._surface.end(self.sum, error)


class Notebook:
    """One output of the cell, replaced as the stream grows."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn = 0.0

    def draw(self, piece: Piece, total: Sum) -> None:
        """Redraw, unless it was drawn just now."""
        now = time.monotonic()
        if self._handle is None or now - self._drawn >= REDRAW_SECONDS:
            self._put(View(tuple(_cards(total))))
            self._drawn = now

    def end(self, total: Sum, error: BaseException | None) -> None:
        """Draw what there is; where the stream broke, say so."""
        broke = [] if error is None else [Card("the stream broke", (Prose(_reason(error)),), "bad")]
        cards = (*_cards(total), *broke)
        if cards:
            self._put(View(cards))

    def _put(self, view: View) -> None:
        if self._handle is None:
            self._handle = drawn(view)
        else:
            self._handle.update(view)


def _cards(total: Sum) -> Iterable[Card]:
    value = total.value
    return [] if value is None else cards_of(value)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class Terminal:
    """Texts are written as they come; calls, sources and figures when their message is whole."""

    def __init__(self) -> None:
        self._held = ""
        self._label: str | None = None
        self._key: Any = None

    def draw(self, piece: Piece, total: Sum) -> None:
        """Write what a piece says."""
        if piece.key != self._key:
            self._finish(total.whole(self._key))
            self._key = piece.key
        for label, words in _spoken(piece.item):
            if label != self._label:
                self._break()
                say(f"[{label}] " if label else "")
                self._label = label
            self._write(words)

    def end(self, total: Sum, error: BaseException | None) -> None:
        """Write the rest, and what was not text."""
        self._finish(total.whole(self._key))
        if error is not None:
            say(clean(f"[the stream broke] {_reason(error)}\n"))

    def _finish(self, whole: Any) -> None:
        self._break()
        rest = View(_unspoken(whole))
        say(f"{rest}\n" if rest.cards else "")

    def _break(self) -> None:
        """End what was written with a line."""
        say(clean(self._held) + ("" if self._label is None else "\n"))
        self._held, self._label = "", None

    def _write(self, words: str) -> None:
        """Hold back what may be the beginning of a key, until it is whole and can be told."""
        text = self._held + words
        held = _UNFINISHED.search(text)
        cut = held.start() if held is not None and len(held[0]) <= LONGEST_KEY else len(text)
        self._held = text[cut:]
        say(clean(text[:cut]))


LONGEST_KEY = 400
"""Characters. A longer word is no key, and is written."""

_UNFINISHED = re.compile(r"(?:(?:bearer|basic)\s+)?[\w.~+/=-]*$", re.IGNORECASE | re.ASCII)


def _spoken(piece: Any) -> Iterable[tuple[str, str]]:
    """(label, words) of the texts in a piece."""
    if isinstance(piece, str):
        return [("", piece)]
    if not isinstance(piece, AIMessage):
        return []
    blocks = [(str(block.get("type")), block) for block in blocks_of(piece)]
    return [(LABELS[kind], str(block[kind])) for kind, block in blocks if kind in LABELS and block.get(kind)]


LABELS = {"text": "", "reasoning": "thinking"}
"""Types of the blocks that are written as they come, each under its own name -> what stands before the words."""


def _unspoken(value: Any) -> tuple[Card, ...]:
    """What a terminal has not seen of a value yet."""
    if value is None or isinstance(value, str):
        return ()
    if not isinstance(value, AIMessage):
        return tuple(cards_of(value))
    card, spoken = message_card(value), _spoken(value)
    rest = tuple(part for part in card.parts if not (isinstance(part, Prose) and (part.label, part.text) in spoken))
    return (Card(card.title, rest, card.tone, card.detail, card.foot),) if rest or card.foot else ()
