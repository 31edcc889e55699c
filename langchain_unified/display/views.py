"""`show` and `view`: anything as HTML for a notebook and as text for a terminal."""

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
from langchain_unified.display.parts import Card, Code, Prose, Table, as_json, clean
from langchain_unified.display.reports import CheckReportLike, cache_card, check_card, error_card
from langchain_unified.explain import CacheExplanation
from langchain_unified.replies import Reply


@dataclass(frozen=True, slots=True)
class View:
    """What `show` displays. `str(view)` is its text; a notebook shows its HTML. `full` shows long texts unfolded."""

    cards: tuple[Card, ...]
    full: bool = False

    def _repr_html_(self) -> str:
        return as_html.page(self.cards, full=self.full)

    def __str__(self) -> str:
        """The plain text."""
        return as_text.page(self.cards, full=self.full)

    __repr__ = __str__


def view(thing: Any, *, full: bool = False) -> View:
    """Return what `show` displays as an object: `str(view)` is its text, a notebook shows its HTML."""
    return View(tuple(cards_of(thing)), full)


def show(*things: Any, full: bool = False) -> None:
    """Show things, in a notebook as HTML, elsewhere as text on stdout.

    A thing can be a message, a list of messages, an agent's result, a `Reply`, a report of `check` or of the prompt
    cache, the result of `explain_cache`, a cost or a sum of costs, an error, a structured answer, or any JSON.
    `full`: long texts are shown unfolded.
    """
    for thing in things:
        known = isinstance(thing, CheckReportLike) or not hasattr(thing, "_repr_html_")
        display(view(thing, full=full) if known else _WithOwnHtml(thing))


class _WithOwnHtml:
    """A thing that already has an HTML form."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def _repr_html_(self) -> str | None:
        html: str | None = self._thing._repr_html_()
        return html

    def __repr__(self) -> str:
        """The text."""
        return clean(str(self._thing))


def display(ready: Any) -> None:
    """Display an object that has a text and an HTML form."""
    if in_notebook():
        display_in_notebook(ready)
    else:
        as_text.write(f"{ready}\n")


def display_in_notebook(thing: Any) -> Any:
    """Display in a notebook. Returns a handle, whose `update` replaces the output."""
    ipython: Any = importlib.import_module("IPython.display")
    return ipython.display(thing, display_id=True)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook. IPython is not imported: a kernel has loaded it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None


# --- the cards of a thing ---------------------------------------------------------------------------------------------


def cards_of(thing: Any) -> Iterable[Card]:
    """The cards of a thing, by its type."""
    for kind, cards in CARDS_BY_TYPE:
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
    plain = not any(isinstance(thing, kind) for thing in things for kind, _ in CARDS_BY_TYPE)
    return [Card("JSON", (Code(as_json(things)),))] if plain else _each(things)


def _each(things: Iterable[Any]) -> Iterable[Card]:
    return [card for thing in things for card in cards_of(thing)]


def _structured(thing: BaseModel) -> Iterable[Card]:
    rows = tuple((name, _cell(value)) for name, value in thing.model_dump().items())
    return [Card(type(thing).__name__, (Table((), rows),) if rows else (), "good")]


def _cell(value: Any) -> str:
    return as_json(value) if isinstance(value, dict | list | tuple) else str(value)


CARDS_BY_TYPE: tuple[tuple[type | tuple[type, ...], Callable[[Any], Iterable[Card]]], ...] = (
    (BaseMessage, lambda message: [message_card(message)]),
    (Reply, lambda reply: [reply_card(reply)]),
    (Cost, lambda cost: [cost_card(cost)]),
    (CostTracker, lambda tracker: [tracker_card(tracker)]),
    (CacheExplanation, lambda found: [explanation_card(found)]),
    (CheckReportLike, lambda report: [check_card(report)]),
    (PromptValue, lambda prompt: _each(prompt.to_messages())),
    (BaseException, lambda error: [error_card(error)]),
    (str, lambda text: [Card("text", (Prose(text),))]),
    (BaseModel, _structured),
    (Mapping, _mapping),
    ((list, tuple), _sequence),
)
"""By type, the first that matches counts: a message is also a pydantic model."""


def load_ipython_extension(shell: Any) -> None:
    """Make a notebook show messages as `show` does: `%load_ext langchain_unified.display`."""
    formatters = shell.display_formatter.formatters
    for kind in (BaseMessage, PromptValue, Reply, Cost, CostTracker, CacheExplanation):
        formatters["text/html"].for_type(kind, lambda thing: view(thing)._repr_html_())
        formatters["text/plain"].for_type(kind, lambda thing, printer, _: printer.text(str(view(thing))))
