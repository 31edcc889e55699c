"""Cards as HTML for a notebook. Every text goes through `escaped`, and nothing is loaded from a network.

Text has the colour of the page; lines and backgrounds are transparent grey. So it works on light and dark pages, in any
notebook program. Some viewers remove the style; the elements are readable without it.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from langchain_unified.display.parts import (
    MAX_CHARACTERS,
    Card,
    CardPart,
    Code,
    Fold,
    Link,
    Picture,
    Prose,
    Table,
    clean,
    is_long,
    shortened,
)

STYLE = """<style>
.lcu{--lcu-line:rgba(127,127,127,.35);--lcu-ground:rgba(127,127,127,.09);color:inherit;line-height:1.5;max-width:60em}
.lcu section{border-left:4px solid #888;margin:.6em 0;padding:.05em 0 .05em .8em}
.lcu section.lcu-user{border-color:#3b82c4}.lcu section.lcu-model{border-color:#8a63c9}
.lcu section.lcu-tool{border-color:#b8791f}.lcu section.lcu-good{border-color:#2f9e5b}
.lcu section.lcu-warn{border-color:#c98a12}.lcu section.lcu-bad{border-color:#d2473d}
.lcu p,.lcu pre,.lcu figure,.lcu details{margin:.3em 0}.lcu .lcu-foot,.lcu .lcu-quiet,.lcu .lcu-detail{opacity:.8}
.lcu .lcu-prose{white-space:pre-wrap;overflow-wrap:anywhere}
.lcu .lcu-foot,.lcu .lcu-detail,.lcu .lcu-label{font-size:.9em}.lcu .lcu-label{font-weight:600}
.lcu pre,.lcu code{background:var(--lcu-ground);border-radius:3px;color:inherit;white-space:pre-wrap;
overflow-wrap:anywhere}.lcu pre{padding:.4em .6em;max-height:24em;overflow:auto}.lcu code{padding:.1em .3em}
.lcu summary{cursor:pointer}.lcu img{max-width:100%;max-height:24em}.lcu a{color:inherit;text-decoration:underline}
.lcu.lcu table{border-collapse:collapse;margin:.3em 0;color:inherit;background:none;table-layout:auto}
.lcu.lcu table th,.lcu.lcu table td{border:0;border-bottom:1px solid var(--lcu-line);padding:.2em .8em .2em 0;
text-align:left;vertical-align:top;background:none;color:inherit;white-space:pre-wrap;overflow-wrap:anywhere;max-width:40em}
.lcu.lcu table .lcu-number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.lcu progress{vertical-align:middle;width:16em}
</style>"""

# `.lcu.lcu`: Jupyter's rules for tables have a higher specificity than one class.

IGNORE = "tex2jax_ignore mathjax_ignore"
"""Classes that stop MathJax from rendering `$5 and $6` as a formula, or a model's `\\href` as a link."""


def page(cards: Iterable[Card], *, full: bool = False) -> str:
    """The HTML of cards. `full` shows long texts unfolded."""
    return framed("".join(_card(card, full) for card in cards))


def framed(inner: str) -> str:
    """HTML inside the element that has the style."""
    return f'{STYLE}<div class="lcu {IGNORE}">{inner}</div>'


def escaped(text: str) -> str:
    """The text, cleaned and escaped for HTML."""
    return html.escape(clean(text), quote=True)


def _card(card: Card, full: bool) -> str:
    detail = f' <span class="lcu-detail">{escaped(card.detail)}</span>' if card.detail else ""
    foot = f'<p class="lcu-foot">{escaped(card.foot)}</p>' if card.foot else ""
    body = "".join(_part(part, full) for part in card.parts)
    return f'<section class="lcu-{card.tone}"><strong>{escaped(card.title)}</strong>{detail}{body}{foot}</section>'


def _part(part: CardPart, full: bool) -> str:
    return HTML_BY_PART[type(part)](part, full)


def _prose(part: Prose, full: bool) -> str:
    quiet = " lcu-quiet" if part.quiet else ""
    if is_long(part.text):
        return _folded(part.label, part.text, f'<div class="lcu-prose{quiet}" dir="auto">{{}}</div>', full)
    return f'<p class="lcu-prose{quiet}" dir="auto">{_label(part.label)}{escaped(part.text)}</p>'


def _code(part: Code, full: bool) -> str:
    if is_long(part.text):
        return _folded(part.label, part.text, "<pre>{}</pre>", full)
    if "\n" not in part.text:
        return f"<p>{_label(part.label)}<code>{escaped(part.text)}</code></p>"
    label = f"<p>{_label(part.label)}</p>" if part.label else ""
    return f"{label}<pre>{escaped(part.text)}</pre>"


def _label(label: str) -> str:
    return f'<span class="lcu-label">{escaped(label)}</span> ' if label else ""


def _folded(label: str, text: str, frame: str, full: bool) -> str:
    """A long text that unfolds on a click on its beginning."""
    text = clean(text)
    shown = text if full else shortened(text, MAX_CHARACTERS)
    summary = f"{_label(label)}{escaped(' '.join(text[:200].split())[:120])}… ({len(text):,} characters)"
    return f"<details{' open' if full else ''}><summary>{summary}</summary>{frame.format(escaped(shown))}</details>"


def _fold(part: Fold, full: bool) -> str:
    inner = "".join(_part(each, full) for each in part.parts)
    return f"<details{' open' if full else ''}><summary>{escaped(part.summary)}</summary>{inner}</details>"


def _table(part: Table, full: bool) -> str:
    label = f"<p>{_label(part.label)}</p>" if part.label else ""
    head = "".join(f'<th scope="col"{_number(part, at)}>{escaped(name)}</th>' for at, name in enumerate(part.columns))
    head = f"<thead><tr>{head}</tr></thead>" if head else ""
    rows = "".join(f"<tr>{''.join(_cells(part, row))}</tr>" for row in part.rows)
    return f"{label}<table>{head}<tbody>{rows}</tbody></table>"


def _cells(part: Table, row: tuple[str, ...]) -> Iterator[str]:
    for at, cell in enumerate(row):
        yield f"<td{_number(part, at)}>{escaped(shortened(cell, MAX_CHARACTERS))}</td>"


def _number(part: Table, column: int) -> str:
    return ' class="lcu-number"' if column >= part.numbers else ""


def _link(part: Link, full: bool) -> str:
    """A title and its URL. The URL is visible, because a title could pretend to be another one."""
    url = clean(part.url).strip()
    title = f"{escaped(part.text)} " if part.text else ""
    if not re.match(r"https?://[^/\s]", url, re.IGNORECASE):
        return f'<p>{title}<span class="lcu-detail">{escaped(url)}</span></p>'
    address = f'<a href="{escaped(url)}" target="_blank" rel="noopener noreferrer nofollow">{escaped(url)}</a>'
    return f'<p>{title}<span class="lcu-detail">{address}</span></p>'


PICTURE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types that cannot contain a script. SVG can."""

MAX_PICTURE = 4_000_000
"""The most characters of base64."""


def _picture(part: Picture, full: bool) -> str:
    caption = escaped(part.caption)
    if part.mime not in PICTURE_TYPES or len(part.data) > MAX_PICTURE or not _is_base64(part.data):
        return f"<p>[{caption}, {escaped(part.mime)}, not shown]</p>"
    return f'<figure><img alt="{caption}" src="data:{part.mime};base64,{part.data}"></figure>'


def _is_base64(data: str) -> bool:
    try:
        return bool(base64.b64decode(data, validate=True))
    except (ValueError, binascii.Error):
        return False


HTML_BY_PART: Mapping[type[CardPart], Callable[[Any, bool], str]] = {
    Prose: _prose,
    Code: _code,
    Table: _table,
    Link: _link,
    Picture: _picture,
    Fold: _fold,
}
