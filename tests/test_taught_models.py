"""README, the pages, docstrings, notebooks and the command line teach with models that live on."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from langchain_unified.profiles import _table, profile_for, provider_of
from tests.support.corpus import ROOT

NAME = re.compile(
    r"(?<![\w.:-])(?:[\w.-]+[/:])*"
    r"((?:claude|gpt|chatgpt|codex)-[a-z0-9.-]*[a-z0-9]|o[134](?:-(?:mini|pro|preview))?)(?![\w-])",
    re.IGNORECASE,
)
FACTS = {
    "docs/models.md": "lists every model",
    "docs/server_tools.md": "lists the models with older versions of tools",
    "docs/bench_cache.md": "a measurement",
    "docs/bench_cache_threads.md": "a measurement",
}
"""Pages that speak of models of every age."""

NEEDED = {
    ("langchain_unified/chat_models/openai.py", "gpt-3.5-turbo"): "the default of langchain-openai",
    ("notebooks/04_switching_providers.ipynb", "gpt-audio"): "no later model takes sound (OpenAI's SDK 3.57)",
    ("langchain_unified/history/media.py", "gpt-audio"): "no later model takes sound (OpenAI's SDK 3.57)",
    ("docs/differences.md", "o1"): "a fact about that model",
    ("docs/parameters.md", "gpt-5-mini"): "names the evidence of a fact",
    ("langchain_unified/params/_shared.py", "gpt-5-mini"): "names the evidence of a fact",
    ("langchain_unified/profiles.py", "gpt-4o"): "the base of a fine-tuned model",
    ("langchain_unified/testing/emulation/rules/openai_content.py", "gpt-5-mini"): "names the evidence of a fact",
    ("langchain_unified/wires/openai_chat/encode.py", "o1-preview"): "a fact about that model",
    ("langchain_unified/wires/openai_chat/encode.py", "o1-mini"): "a fact about that model",
}
"""Where a model that ends is named, and why."""


def strings(source: str) -> str:
    """Every string in a Python module: docstrings, defaults, messages."""
    found = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return "\n".join(text for text in found if isinstance(text, str))


def sources(notebook: str) -> str:
    return "\n".join("".join(cell["source"]) for cell in json.loads(notebook)["cells"])


READ = {".md": str, ".py": strings, ".ipynb": sources, ".txt": str}


def pages() -> Iterator[Path]:
    yield ROOT / "README.md"
    for folder, kinds in (("docs", (".md", ".txt")), ("notebooks", (".md", ".ipynb")), ("langchain_unified", (".py",))):
        yield from sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in kinds)


def ending(text: str, day: str) -> set[str]:
    """The models in a text that are shut down before a day. Fine-tuned models have no newer bases."""
    names = {match[1].rstrip(".").lower() for match in NAME.finditer(text) if "ft:" not in match[0]}
    found = ((name, provider_of(name)) for name in names)
    return {
        name for name, provider in found if provider and (profile_for(provider, name).shutdown_date or "9999") < day
    }


@pytest.fixture(scope="module")
def in_a_year() -> str:
    return (date.fromisoformat(_table()["as_of"]) + timedelta(days=365)).isoformat()


def test_what_is_taught_lives_on_for_a_year(in_a_year: str) -> None:
    found, needed = [], set()
    for path in pages():
        page = str(path.relative_to(ROOT))
        for name in ending(READ[path.suffix](path.read_text(encoding="utf-8")), in_a_year) if page not in FACTS else ():
            if (page, name) in NEEDED:
                needed.add((page, name))
            else:
                found.append((page, name))
    assert found == []
    assert needed == NEEDED.keys()


@pytest.mark.parametrize(
    "text, names",
    [
        ('ChatUnified("openai/gpt-4o")', {"gpt-4o"}),
        ("`openai:gpt-4o-mini`, o3 and claude-opus-4-5.", {"gpt-4o-mini", "o3", "claude-opus-4-5"}),
        ("openrouter/anthropic/claude-sonnet-4.5", {"claude-sonnet-4.5"}),
        ("gpt-5.6, claude-opus-5 and ft:gpt-4o:acme", set()),
    ],
)
def test_the_test_sees_them(text: str, names: set[str], in_a_year: str) -> None:
    assert ending(text, in_a_year) == names
