"""Plots with matplotlib. They have a background colour, so they can be read on light and on dark pages."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage

from langchain_unified._extras import install
from langchain_unified.cost.tracking import CostTracker
from langchain_unified.display.costs import amounts
from langchain_unified.replies import Reply
from langchain_unified.usage import without_tier

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # type: ignore[import-not-found,unused-ignore]

BACKGROUND, FOREGROUND = "#ffffff", "#222222"

# These colours differ for people with red-green colour blindness, too.
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
    """Plot the tokens of each call as a stacked bar: read from the cache, written to it, other input, output.

    `messages`: those that are not answers or have no usage are skipped. `labels`: the names of the calls; absent, they
    are numbered. `output`: whether output tokens are shown. `ax`: the axes to draw on; absent, a new figure is made.
    Returns the axes. Raises `ValueError` for a wrong number of labels, `ImportError` without matplotlib.
    """
    counts = [_counts(message) for message in messages if isinstance(message, AIMessage) and message.usage_metadata]
    names = [str(number) for number in range(1, len(counts) + 1)] if labels is None else list(labels)
    if len(names) != len(counts):
        raise ValueError(f"There are {len(names)} labels for {len(counts)} calls with usage.")
    text_colour = FOREGROUND if ax is None else None
    ax = _axes() if ax is None else ax
    base = [0] * len(counts)
    for at, (name, colour) in enumerate(SERIES if output else SERIES[:-1]):
        heights = [count[at] for count in counts]
        _add_margin(ax.bar(range(len(counts)), heights, bottom=base, label=name, color=colour, width=0.6))
        base = [low + height for low, height in zip(base, heights, strict=True)]
    ax.set_xticks(range(len(counts)), names)
    ax.set_xlabel("call")
    ax.set_ylabel("tokens")
    ax.legend(frameon=False, labelcolor=text_colour, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(SERIES))
    return ax


def plot_costs(
    costs: CostTracker | Iterable[Reply] | Mapping[str, CostTracker | Reply],
    *,
    labels: Iterable[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot US dollars as bars, with what prompt caching saved on top.

    `costs`: a `CostTracker` gives a bar for each model; replies (`reply(message)`) give one each; a dict of trackers or
    replies gives one for each name. Calls without a known price are left out. For the models of one tracker, savings
    are not shown: it knows only their sum. `labels`: the names of the bars; absent, models have their names, and
    replies are numbered. `ax`: the axes to draw on; absent, a new figure is made.
    Returns the axes. Raises `ValueError` for a wrong number of labels, `ImportError` without matplotlib.
    """
    found, heights, saved = amounts(costs)
    names = found if labels is None else list(labels)
    if len(names) != len(heights):
        raise ValueError(f"There are {len(names)} labels for {len(heights)} bars.")
    ax = _axes() if ax is None else ax
    paid, savings = [float(height) for height in heights], [max(float(amount), 0.0) for amount in saved]
    ax.bar(range(len(names)), paid, color=SERIES[0][1], width=0.6, label="paid")
    if any(savings):
        _add_margin(ax.bar(range(len(names)), savings, bottom=paid, width=0.6, label="saved by prompt caching", **PALE))
        ax.legend(frameon=False)
    ax.set_xticks(range(len(names)), names)
    ax.set_xlabel(_what(costs))
    ax.set_ylabel("USD")
    return ax


PALE: Mapping[str, Any] = {"facecolor": "#d9f0e7", "edgecolor": SERIES[0][1], "hatch": "///", "linewidth": 0.5}


def _add_margin(bars: Any) -> None:
    """Keep a margin above stacked bars, whose bottom edges are sticky by default: the axes may end at such an edge."""
    for bar in bars:
        bar.sticky_edges.y[:] = [0]


def _what(costs: Any) -> str:
    if isinstance(costs, Mapping):
        return ""
    return "model" if isinstance(costs, CostTracker) else "call"


def _counts(message: AIMessage) -> tuple[int, int, int, int]:
    usage: Any = message.usage_metadata
    details = without_tier(usage.get("input_token_details"))
    read, written = details.get("cache_read", 0), details.get("cache_creation", 0)
    return read, written, usage["input_tokens"] - read - written, usage["output_tokens"]


def _axes() -> Any:
    try:
        plt: Any = importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError(f"A plot needs matplotlib. Install it: {install('notebook')}") from error
    _, ax = plt.subplots(figsize=(7, 3.6), layout="constrained", facecolor=BACKGROUND)
    ax.set_facecolor(BACKGROUND)
    ax.tick_params(colors=FOREGROUND)
    for side, spine in ax.spines.items():
        spine.set_color(FOREGROUND)
        spine.set_visible(side in ("left", "bottom"))
    for text in (ax.xaxis.label, ax.yaxis.label, ax.title):
        text.set_color(FOREGROUND)
    return ax
