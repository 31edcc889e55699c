"""Cards as plain text, for a terminal, a log, or a notebook without HTML."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TextIO

from langchain_unified.display.parts import (
    FOLD_CHARACTERS,
    Card,
    CardPart,
    Code,
    Fold,
    Link,
    Picture,
    Prose,
    Table,
    clean,
    shortened,
)


def page(cards: Iterable[Card], *, full: bool = False) -> str:
    """The text of cards, without a line break at the end. `full` shows long texts and folded parts."""
    return "\n".join(_card(card, full) for card in cards)


def _card(card: Card, full: bool) -> str:
    head = f"[{clean(card.title)}]" + (f" {clean(card.detail)}" if card.detail else "")
    lines = [line for part in card.parts for line in _part(part, full)]
    return "\n".join([head, *(f"  {line}".rstrip() for line in [*lines, *([clean(card.foot)] if card.foot else [])])])


def _part(part: CardPart, full: bool) -> Iterator[str]:
    for block in TEXT_BY_PART[type(part)](part, full):
        yield from block.split("\n")


def _prose(part: Prose | Code, full: bool) -> Iterator[str]:
    text = clean(part.text) if full else shortened(part.text, FOLD_CHARACTERS)
    if not part.label:
        yield text
    elif "\n" in text:
        yield f"{clean(part.label)}:"
        yield textwrap.indent(text, "  ")
    else:
        yield f"{clean(part.label)}: {text}"


def _table(part: Table, full: bool) -> Iterator[str]:
    if part.label:
        yield f"{clean(part.label)}:"
    lines = [[_cell(cell, full) for cell in row] for row in ((part.columns, *part.rows) if part.columns else part.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for row in lines:
        cells = (
            cell.rjust(width) if at >= part.numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells)


def _cell(cell: str, full: bool) -> str:
    return " ".join((clean(cell) if full else shortened(cell, 200)).split())


def _link(part: Link, full: bool) -> Iterator[str]:
    yield f"{clean(part.text)} {clean(part.url)}".strip()


def _picture(part: Picture, full: bool) -> Iterator[str]:
    yield f"[{clean(part.caption)}, {clean(part.mime)}]"


def _fold(part: Fold, full: bool) -> Iterator[str]:
    yield clean(part.summary) if full else f"{clean(part.summary)} …"
    if full:
        yield from (f"  {line}" for each in part.parts for line in _part(each, full))


TEXT_BY_PART: Mapping[type[CardPart], Callable[[Any, bool], Iterator[str]]] = {
    Prose: _prose,
    Code: _prose,
    Table: _table,
    Link: _link,
    Picture: _picture,
    Fold: _fold,
}


def write(text: str, out: TextIO | None = None) -> None:
    """Write to a terminal and flush. A character that its encoding lacks becomes `?`."""
    out = sys.stdout if out is None else out
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(text.encode(encoding, "replace").decode(encoding))
    out.flush()
