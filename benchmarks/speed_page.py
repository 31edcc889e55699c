"""What `make bench` writes: the table, the figures as JSON, the plot, and `docs/bench_speed.md`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.speed_measure import OURS, PEERS, Row
from benchmarks.speed_text import AFTER, INTRODUCTION

DOCS = Path(__file__).parent.parent / "docs"
PAGE, FIGURES, PLOT = DOCS / "bench_speed.md", DOCS / "assets" / "bench_speed.json", DOCS / "assets" / "bench_speed.svg"
PACKAGES = (
    "langchain-core",
    "langchain-anthropic",
    "langchain-openai",
    "anthropic",
    "openai",
    "httpx2",
    "pydantic",
    "orjson",
)
PLOTTED = ("short invoke", "one chunk of 1,000", "401 messages, 20 tools")


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


def cell(row: Row, peer: str) -> str:
    """Our share of a peer's figure, with the share that is to be reached."""
    if peer not in row.ratios:
        return ""
    ratio, target = row.ratios[peer], row.targets.get(peer)
    if target is None:
        return f"{ratio:.2f}"
    shown = f"{ratio:.2f} (≤ {target:g})"
    return shown if ratio <= target else f"**{shown}**"


def line(row: Row) -> str:
    """A row as text, for the terminal."""
    shares = (f"{peer} {cell(row, peer)}" for peer in PEERS if peer in row.ratios)
    return f"{row.name:48}{row.api:10}{number(row.figures[OURS]):>9} {row.unit:3} {'  '.join(shares)}"


def table(rows: Sequence[Row]) -> list[str]:
    head = ["job", "API", "ours", *(f"share of {title}" for title in PEERS.values())]
    lines = ["| " + " | ".join(head) + " |", "| :-- | :-- |" + " --: |" * (len(head) - 2)]
    for row in rows:
        cells = [row.name, row.api, f"{number(row.figures[OURS])} {row.unit}", *(cell(row, peer) for peer in PEERS)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def machine() -> dict[str, Any]:
    """When and on what the figures were measured."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count(),
        "machine": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def told(where: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {found}" for name, found in where["packages"].items())
    return f"{where['date']}, {where['cores']} cores, {where['machine']}, Python {where['python']}; {packages}"


def as_json(rows: Sequence[Row]) -> str:
    return json.dumps({**machine(), "rows": [asdict(row) for row in rows]}, indent=1) + "\n"


def write(rows: Sequence[Row]) -> None:
    """The page, the JSON beside it, and the plot."""
    FIGURES.write_text(as_json(rows), encoding="utf-8")
    plot(rows, machine())
    written = f"Written by `make bench ARGS=--write`: {told(machine())}."
    PAGE.write_text("\n".join([INTRODUCTION, written, "", *table(rows), "", AFTER]), encoding="utf-8")


def plot(rows: Sequence[Row], where: dict[str, Any]) -> None:
    """Bars of what the peers and we cost, in shares of the partner package: one group for each API."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot as plt

    shown = [name for name in PLOTTED if any(row.name == name for row in rows)]
    figure, panels = plt.subplots(1, max(len(shown), 1), figsize=(9, 3), squeeze=False)
    for name, panel in zip(shown, panels[0], strict=False):
        found = [row for row in rows if row.name == name]
        for place, (peer, color) in enumerate(COLORS.items()):
            at = [number + place * 0.2 for number, row in enumerate(found) if peer in row.figures]
            values = [row.figures[peer] / row.figures["partner"] for row in found if peer in row.figures]
            panel.bar(at, values, width=0.18, color=color, label={OURS: "langchain_unified", **PEERS}[peer])
        panel.set_xticks([number + 0.3 for number in range(len(found))], [row.api for row in found])
        panel.set_title(name, fontsize=9)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0][0].set_ylabel("CPU time, partner package = 1")
    handles = {text: bar for panel in panels[0] for bar, text in zip(*panel.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncols=4, frameon=False)
    note = f"{where['date']}, {where['cores']} cores, Python {where['python']}, loopback server; less is better"
    figure.suptitle(note, fontsize=8, color="#555555")
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(PLOT, metadata={"Date": None}, facecolor="white")


COLORS = {OURS: "#2563eb", "core": "#94a3b8", "sdk": "#f59e0b", "partner": "#dc2626"}
