"""The page of models, made from the data file."""

from __future__ import annotations

from importlib import resources
from typing import Any

import orjson

from docs.generate.markdown import table
from langchain_unified.profiles import known_models, profile_for
from langchain_unified.request import Provider

HEAD = """\
# Models

Written by `make tables` from `langchain_unified/data/models.json`. Do not edit this page by hand.

These are the models as of {as_of}. One that is not listed works, too: its facts are those of its family, or those that
you give as `profile=`.
"""
COLUMNS = ("model", "input tokens", "output tokens", "takes", "reasoning", "cached from", "released", "status")


def page() -> str:
    """The page as Markdown: a table for each provider."""
    data = orjson.loads((resources.files("langchain_unified") / "data" / "models.json").read_bytes())
    lines = [HEAD.format(as_of=data["as_of"])]
    providers: tuple[tuple[Provider, str], ...] = (("anthropic", "Anthropic"), ("openai", "OpenAI"))
    for provider, title in providers:
        rows = sorted((_row(provider, name, data) for name in known_models(provider)), key=_ends)
        lines += [f"## {title}", "", *table(COLUMNS, rows), ""]
    return "\n".join(lines)


def _row(provider: Provider, name: str, data: Any) -> tuple[str, ...]:
    facts, own = profile_for(provider, name), data[provider][name]
    ends = own.get("shutdown_date") or own.get("retires") or own.get("shutdown")
    status = own.get("status") or "current"
    return (
        f"`{name}`",
        _number(facts.max_input_tokens),
        _number(facts.max_output_tokens),
        ", ".join(facts.inputs) or "text",
        ", ".join(facts.effort_levels) or ("thinking budget" if facts.thinking == "budget" else "-"),
        f"{facts.cache_minimum:,} tokens" if facts.cache_minimum else "-",
        own.get("release_date") or "-",
        f"{status}, ends {ends}" if ends else status,
    )


def _ends(row: tuple[str, ...]) -> bool:
    """Models that end come last."""
    return row[-1] != "current"


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"
