"""Anything -> a view: HTML for a notebook, text for a terminal."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.prompt_values import PromptValue
from pydantic import BaseModel

from langchain_unified.cost import Cost
from langchain_unified.cost.tracking import CostTracker
from langchain_unified.display import as_html, as_text
from langchain_unified.display.costs import cost_card, explanation_card, reply_card, tracker_card
from langchain_unified.display.messages import message_card
from langchain_unified.display.parts import Card, Code, Prose, Rows, as_json, clean
from langchain_unified.display.reports import Report, cache_card, check_card, error_card
from langchain_unified.explain import CacheExplanation
from langchain_unified.replies import Reply


@dataclass(frozen=True, slots=True)
class View:
    """Something on display: `str(view)` for a terminal; a notebook takes the HTML. `full` folds and cuts nothing."""

    cards: tuple[Card, ...]
    full: bool = False

    def _repr_html_(self) -> str:
        return as_html.page(self.cards, full=self.full)

    def __str__(self) -> str:
        """The plain text."""
        return as_text.page(self.cards, full=self.full)

    __repr__ = __str__


def view(thing: Any, *, full: bool = False) -> View:
    """What `show` displays, as an object: `str(view)` is its text."""
    return View(tuple(cards_of(thing)), full)


def show(*things: Any, full: bool = False) -> None:
    """Display things below each other: in a notebook as HTML, elsewhere as text on stdout.

    A message, a list of them, an agent's result, a `Reply`, the report of a dry run or of a prompt cache, an
    explanation, a cost or a sum of costs, an error, a structured answer, or any JSON. Long texts fold; `full=True`
    shows them whole.
    """
    for thing in things:
        known = isinstance(thing, Report) or not hasattr(thing, "_repr_html_")
        put(view(thing, full=full) if known else _Own(thing))


class _Own:
    """A thing that has forms of its own."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def _repr_html_(self) -> str | None:
        html: str | None = self._thing._repr_html_()
        return html

    def __repr__(self) -> str:
        """The text."""
        return clean(str(self._thing))


def put(ready: Any) -> None:
    """Display what has a text and an HTML form: the one that fits."""
    if in_notebook():
        drawn(ready)
    else:
        as_text.say(f"{ready}\n")


def drawn(thing: Any) -> Any:
    """Display in a notebook; gives the handle whose `update` replaces what is shown."""
    display: Any = importlib.import_module("IPython.display").display
    return display(thing, display_id=True)


def in_notebook() -> bool:
    """Whether this is a notebook's kernel. Never imports IPython: where it is not loaded, there is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None


# --- things -----------------------------------------------------------------------------------------------------------


def cards_of(thing: Any) -> Iterable[Card]:
    """The cards of a thing, by its type."""
    for kind, cards in KINDS:
        if isinstance(thing, kind):
            return cards(thing)
    return [Card(type(thing).__name__, (Code(repr(thing)),))]


def _mapping(thing: Mapping[str, Any]) -> Iterable[Card]:
    messages = thing.get("messages")
    if messages and isinstance(messages, list | tuple) and all(isinstance(each, BaseMessage) for each in messages):
        return _each(messages)
    if {"raw", "parsed", "parsing_error"} <= thing.keys():
        return _each([item for item in (thing["raw"], thing["parsed"], thing["parsing_error"]) if item is not None])
    if {"status", "marks_sent"} <= thing.keys():
        return [cache_card(thing)]
    return [Card("JSON", (Code(as_json(thing)),))]


def _sequence(things: Iterable[Any]) -> Iterable[Card]:
    things = list(things)
    plain = not any(isinstance(thing, kind) for thing in things for kind, _ in KINDS)
    return [Card("JSON", (Code(as_json(things)),))] if plain else _each(things)


def _each(things: Iterable[Any]) -> Iterable[Card]:
    return [card for thing in things for card in cards_of(thing)]


def _structured(thing: BaseModel) -> Iterable[Card]:
    rows = tuple((name, _cell(value)) for name, value in thing.model_dump().items())
    return [Card(type(thing).__name__, (Rows((), rows),) if rows else (), "good")]


def _cell(value: Any) -> str:
    return as_json(value) if isinstance(value, dict | list | tuple) else str(value)


KINDS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Iterable[Card]]], ...] = (
    (BaseMessage, lambda message: [message_card(message)]),
    (Reply, lambda reply: [reply_card(reply)]),
    (Cost, lambda cost: [cost_card(cost)]),
    (CostTracker, lambda tracker: [tracker_card(tracker)]),
    (CacheExplanation, lambda found: [explanation_card(found)]),
    (Report, lambda report: [check_card(report)]),
    (PromptValue, lambda prompt: _each(prompt.to_messages())),
    (BaseException, lambda error: [error_card(error)]),
    (str, lambda said: [Card("text", (Prose(said),))]),
    (BaseModel, _structured),
    (Mapping, _mapping),
    ((list, tuple), _sequence),
)
"""By type, the first that fits. A message is a pydantic model, too."""


def load_ipython_extension(shell: Any) -> None:
    """Let the notebook show messages as `show` does: `%load_ext langchain_unified.display`."""
    formatters = shell.display_formatter.formatters
    for kind in (BaseMessage, PromptValue, Reply, Cost, CostTracker, CacheExplanation):
        formatters["text/html"].for_type(kind, lambda thing: view(thing)._repr_html_())
        formatters["text/plain"].for_type(kind, lambda thing, printer, _: printer.text(str(view(thing))))
