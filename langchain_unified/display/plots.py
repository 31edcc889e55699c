"""Plots with matplotlib: labelled, and on a ground of their own, to be read on light and on dark pages."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage

from langchain_unified.cost.tracking import CostTracker
from langchain_unified.display.costs import amounts
from langchain_unified.replies import Reply

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # type: ignore[import-not-found,unused-ignore]

MISSING = "A plot needs matplotlib. Install it: pip install 'langchain-unified[notebook]'."

GROUND, INK = "#ffffff", "#222222"

# Colours that people who cannot tell red from green tell apart, too.
SERIES = (
    ("read from cache", "#009e73"),
    ("written to cache", "#e69f00"),
    ("other input", "#56b4e9"),
    ("output", "#444444"),
)


def plot_tokens(
    messages: Iterable[BaseMessage],
    *,
    labels: Iterable[str] | None = None,
    output: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Bars of the tokens of each call: from the cache, into the cache, other input, output. Returns the axes.

    Messages that are no answers, or tell no usage, are left out. `labels` name the calls; absent, they are numbered.
    `output=False` leaves the output away.
    """
    counts = [_counts(message) for message in messages if isinstance(message, AIMessage) and message.usage_metadata]
    names = [str(number) for number in range(1, len(counts) + 1)] if labels is None else list(labels)
    if len(names) != len(counts):
        raise ValueError(f"There are {len(names)} labels for {len(counts)} calls that tell their usage.")
    ink = INK if ax is None else None
    ax = _axes() if ax is None else ax
    base = [0] * len(counts)
    for at, (name, colour) in enumerate(SERIES if output else SERIES[:-1]):
        heights = [count[at] for count in counts]
        _room(ax.bar(range(len(counts)), heights, bottom=base, label=name, color=colour, width=0.6))
        base = [low + height for low, height in zip(base, heights, strict=True)]
    ax.set_xticks(range(len(counts)), names)
    ax.set_xlabel("call")
    ax.set_ylabel("tokens")
    ax.legend(frameon=False, labelcolor=ink, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(SERIES))
    return ax


def plot_costs(
    costs: CostTracker | Iterable[Reply] | Mapping[str, CostTracker | Reply],
    *,
    labels: Iterable[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Bars of US dollars: of each model of a `CostTracker`, of each answer (`reply(message)`), or by names of yours.

    What has no known price is not in a bar. On top of a bar, pale, stands what prompt caching saved, if it did; the
    models of one `CostTracker` have no such part, as it knows their saving only in sum. `labels` name the bars; absent,
    models have their names, and answers are numbered. Returns the axes.
    """
    found, heights, saved = amounts(costs)
    names = found if labels is None else list(labels)
    if len(names) != len(heights):
        raise ValueError(f"There are {len(names)} labels for {len(heights)} bars.")
    ax = _axes() if ax is None else ax
    paid, spared = [float(height) for height in heights], [max(float(amount), 0.0) for amount in saved]
    ax.bar(range(len(names)), paid, color=SERIES[0][1], width=0.6, label="paid")
    if any(spared):
        _room(ax.bar(range(len(names)), spared, bottom=paid, width=0.6, label="saved by prompt caching", **PALE))
        ax.legend(frameon=False)
    ax.set_xticks(range(len(names)), names)
    ax.set_xlabel(_what(costs))
    ax.set_ylabel("USD")
    return ax


PALE: Mapping[str, Any] = {"facecolor": "#d9f0e7", "edgecolor": SERIES[0][1], "hatch": "///", "linewidth": 0.5}


def _room(bars: Any) -> None:
    """Leave room above stacked bars: the foot of a bar holds the limit of the axes, also where it is the top."""
    for bar in bars:
        bar.sticky_edges.y[:] = [0]


def _what(costs: Any) -> str:
    if isinstance(costs, Mapping):
        return ""
    return "model" if isinstance(costs, CostTracker) else "call"


def _counts(message: AIMessage) -> tuple[int, int, int, int]:
    usage: Any = message.usage_metadata
    details = usage.get("input_token_details", {})
    read, written = details.get("cache_read") or 0, details.get("cache_creation") or 0
    return read, written, usage["input_tokens"] - read - written, usage["output_tokens"]


def _axes() -> Any:
    try:
        plt: Any = importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError(MISSING) from error
    _, ax = plt.subplots(figsize=(7, 3.6), layout="constrained", facecolor=GROUND)
    ax.set_facecolor(GROUND)
    ax.tick_params(colors=INK)
    for side, spine in ax.spines.items():
        spine.set_color(INK)
        spine.set_visible(side in ("left", "bottom"))
    for text in (ax.xaxis.label, ax.yaxis.label, ax.title):
        text.set_color(INK)
    return ax
