"""Shows a stream while it runs: redrawn in a notebook, written piece by piece in a terminal."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from contextlib import aclosing, closing, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from langchain_unified.display.as_text import write
from langchain_unified.display.messages import blocks_of, message_card
from langchain_unified.display.parts import Card, Prose, clean
from langchain_unified.display.views import View, cards_of, display_in_notebook, in_notebook

REDRAW_SECONDS = 0.1
"""The shortest time between two redraws of a notebook."""


def show_stream(stream: Iterable[Any]) -> Any:
    """Show a stream while it runs, and return the sum of its items.

    `stream`: chunks of a model (the sum is a message), strings (a string), LangGraph's `stream_mode="messages"` (a list
    of messages), or anything else, such as partial structured answers (the last item).
    If the stream fails, what was received stays visible, and the error is raised. If it is interrupted, it is closed.
    """
    shown = _StreamDisplay()
    with closing(stream) if isinstance(stream, Generator) else nullcontext(), shown:
        for item in stream:
            shown.add(item)
    return shown.sum.value


async def ashow_stream(stream: AsyncIterable[Any]) -> Any:
    """Async version of `show_stream`."""
    shown = _StreamDisplay()
    async with aclosing(stream) if isinstance(stream, AsyncGenerator) else nullcontext():
        with shown:
            async for item in stream:
                shown.add(item)
    return shown.sum.value


# --- the sum of a stream ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StreamItem:
    """One item. `key` identifies its message; `None` in a stream of one message."""

    key: Any
    value: Any


class StreamSum:
    """The sum of a stream's items."""

    def __init__(self) -> None:
        self._items: dict[Any, list[Any]] = {}
        self._is_list = False

    def add(self, item: Any) -> StreamItem:
        """Add an item. Returns it without LangGraph's metadata."""
        key = None
        if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], BaseMessage):
            self._is_list, item = True, item[0]
            key = item.id or len(self._items)
        self._items.setdefault(key, []).append(item)
        return StreamItem(key, item)

    def of(self, key: Any) -> Any:
        """The sum of one message's items so far; `None` before the first."""
        items = self._items.get(key)
        if not items:
            return None
        self._items[key] = [_joined(items)]
        return self._items[key][0]

    @property
    def value(self) -> Any:
        """The sum so far: a list for LangGraph's messages."""
        return [self.of(key) for key in self._items] if self._is_list else self.of(None)


def _joined(items: list[Any]) -> Any:
    first, rest = items[0], items[1:]
    if rest and isinstance(first, AIMessageChunk) and all(isinstance(item, AIMessageChunk) for item in rest):
        return first + rest
    return "".join(items) if isinstance(first, str) else items[-1]


# --- the outputs ------------------------------------------------------------------------------------------------------


class _StreamDisplay:
    """Shows one stream, inside a `with` block."""

    def __init__(self) -> None:
        self.sum = StreamSum()
        self._output: NotebookOutput | TerminalOutput = NotebookOutput() if in_notebook() else TerminalOutput()

    def add(self, item: Any) -> None:
        self._output.draw(self.sum.add(item), self.sum)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._output.end(self.sum, error)


class NotebookOutput:
    """One output of a notebook cell, redrawn as the stream grows."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn = 0.0

    def draw(self, item: StreamItem, total: StreamSum) -> None:
        """Redraw, unless that was done just before."""
        now = time.monotonic()
        if self._handle is None or now - self._drawn >= REDRAW_SECONDS:
            self._put(View(tuple(_cards(total))))
            self._drawn = now

    def end(self, total: StreamSum, error: BaseException | None) -> None:
        """Draw the whole sum, and the error if the stream failed."""
        failure = [] if error is None else [Card("the stream failed", (Prose(_reason(error)),), "bad")]
        cards = (*_cards(total), *failure)
        if cards:
            self._put(View(cards))

    def _put(self, view: View) -> None:
        if self._handle is None:
            self._handle = display_in_notebook(view)
        else:
            self._handle.update(view)


def _cards(total: StreamSum) -> Iterable[Card]:
    value = total.value
    return [] if value is None else cards_of(value)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class TerminalOutput:
    """Writes texts at once; tool calls, sources and usage when their message is complete."""

    def __init__(self) -> None:
        self._withheld = ""
        self._label: str | None = None
        self._key: Any = None

    def draw(self, item: StreamItem, total: StreamSum) -> None:
        """Write the texts of an item."""
        if item.key != self._key:
            self._finish(total.of(self._key))
            self._key = item.key
        for label, text in _texts(item.value):
            if label != self._label:
                self._end_line()
                write(f"[{label}] " if label else "")
                self._label = label
            self._write(text)

    def end(self, total: StreamSum, error: BaseException | None) -> None:
        """Write the rest of the last message, and the error if the stream failed."""
        self._finish(total.of(self._key))
        if error is not None:
            write(clean(f"[the stream failed] {_reason(error)}\n"))

    def _finish(self, message: Any) -> None:
        self._end_line()
        rest = View(_not_written(message))
        write(f"{rest}\n" if rest.cards else "")

    def _end_line(self) -> None:
        write(clean(self._withheld) + ("" if self._label is None else "\n"))
        self._withheld, self._label = "", None

    def _write(self, text: str) -> None:
        """Write a text, but withhold its last word while it could be the beginning of a key."""
        text = self._withheld + text
        word = _LAST_WORD.search(text)
        cut = word.start() if word is not None and len(word[0]) <= MAX_KEY else len(text)
        self._withheld = text[cut:]
        write(clean(text[:cut]))


MAX_KEY = 400
"""The most characters of a key. A longer word is written."""

_LAST_WORD = re.compile(r"(?:(?:bearer|basic)\s+)?[\w.~+/=-]*$", re.IGNORECASE | re.ASCII)


def _texts(item: Any) -> Iterable[tuple[str, str]]:
    """The texts of an item, each with its label."""
    if isinstance(item, str):
        return [("", item)]
    if not isinstance(item, AIMessage):
        return []
    blocks = [(str(block.get("type")), block) for block in blocks_of(item)]
    written = ((kind, block) for kind, block in blocks if kind in STREAMED_LABELS and block.get(kind))
    return [(STREAMED_LABELS[kind], str(block[kind])) for kind, block in written]


STREAMED_LABELS = {"text": "", "reasoning": "thinking"}
"""By type of the blocks that are written at once, the label before the text."""


def _not_written(value: Any) -> tuple[Card, ...]:
    """The cards for what was not written at once."""
    if value is None or isinstance(value, str):
        return ()
    if not isinstance(value, AIMessage):
        return tuple(cards_of(value))
    card, written = message_card(value), _texts(value)
    rest = tuple(part for part in card.parts if not (isinstance(part, Prose) and (part.label, part.text) in written))
    return (Card(card.title, rest, card.tone, card.detail, card.foot),) if rest or card.foot else ()
