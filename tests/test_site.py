"""The documentation site: its pages, the generated ones, and `llms.txt`. `make docs` fails on a warning."""

from __future__ import annotations

import re

import pytest

from docs.generate.__main__ import PAGES
from langchain_unified import errors
from langchain_unified.profiles import known_models
from tests.support.corpus import ROOT

DOCS = ROOT / "docs"
CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
IN_NAV = re.findall(r"[\w/-]+\.md", CONFIG.split("\nnav:\n")[1])


def test_the_pages_of_the_navigation_exist_once() -> None:
    assert len(IN_NAV) == len(set(IN_NAV)) >= 20
    assert [name for name in IN_NAV if not (DOCS / name).exists()] == []


@pytest.mark.parametrize("name", ["errors.md", "models.md", "llms.txt"])
def test_a_generated_page_is_up_to_date(name: str) -> None:
    """`make tables` writes it."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]()


def test_the_page_of_errors_has_every_class() -> None:
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    found = {each.__name__ for each in vars(errors).values() if isinstance(each, type)}
    public = {name for name in found if name.endswith("Error") and name != "UnifiedError"}
    assert {name for name in public if f"\n| `{name}` |" not in page} == set()


def test_the_page_of_models_has_every_row_of_the_table() -> None:
    page = (DOCS / "models.md").read_text(encoding="utf-8")
    for provider in ("anthropic", "openai"):
        assert [name for name in known_models(provider) if f"\n| `{name}` |" not in page] == []


def test_llms_txt_leads_to_every_page() -> None:
    text = (DOCS / "llms.txt").read_text(encoding="utf-8")
    assert text.startswith("# langchain_unified\n\n> ")
    linked = set(re.findall(r"^- \[[^\]]+\]\(([^)]+)\): \S", text, re.MULTILINE))
    assert linked == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}


def test_the_site_loads_nothing_from_other_servers() -> None:
    assert re.search(r"^  font: false", CONFIG, re.MULTILINE)
    assert not re.findall(r"https?://", CONFIG)
    assert not re.findall(r"https?://", (DOCS / "assets/site.css").read_text(encoding="utf-8"))
