"""The displays and the notebooks as a browser shows them: readable, light and dark, and without any effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.display.helpers import PAYLOADS, PLACES, html
from tests.notebooks.browser import MISSING, Sight, chromium, look

nbconvert = pytest.importorskip("nbconvert", reason="nbconvert is not installed")
pytest.importorskip("nbclient", reason="nbclient is not installed")

from notebooks import check  # noqa: E402

pytestmark = [pytest.mark.runs_a_notebook, pytest.mark.skipif(chromium() is None, reason=MISSING)]

PATHS = check.notebooks()


PLAIN = (
    "07_moving_from_the_partner_packages",
    "08_images_and_pdfs",
    "09_reasoning",
    "10_retrieval_with_citations",
    "11_thousands_of_calls",
    "12_tracing",
)
"""Notebooks whose outputs are text and plots alone."""


def assert_good(sight: Sight, *, has_views: bool = True) -> None:
    assert (sight.texts > 0) == has_views
    assert sight.faint == []
    assert sight.wide == 0
    assert sight.pwned is None
    assert [name for name in sight.loaded if not name.startswith(("file:", "data:"))] == []


GROUNDS = {"light": "#ffffff;color:#1f1f1f", "dark": "#1e1e1e;color:#cccccc"}
"""Of editors that show notebooks."""


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_gallery_of_hostile_texts(ground: str) -> None:
    shown = "".join(html(place(payload), full=True) for place in PLACES.values() for payload in PAYLOADS.values())
    sight = look(f'<!doctype html><meta charset=utf-8><body style="background:{GROUNDS[ground]}">{shown}</body>')
    assert_good(sight)
    assert sight.dark is (ground == "dark")
    for payload in PAYLOADS.values():
        assert " ".join(payload.split()) in " ".join(sight.text.split())
    assert {link.split("/")[2] for link in sight.links} == {"example.org"}


def test_what_folds_is_closed() -> None:
    shut, opened = "A long story. " * 200 + "THE END", "A long story. " * 200 + "THE VERY END"
    sight = look(f"<body>{html(shut)}{html(opened, full=True)}</body>")
    assert "(2,807 characters)" in sight.text
    assert "THE END" not in sight.text
    assert "THE VERY END" in sight.text


def test_what_is_bad_would_be_seen() -> None:
    """The look itself: a text that acts, loads, cannot be read or does not fit."""
    bad = (
        "<script>window.pwned = 1</script><img src='https://tracker.example/x.png'>"
        "<p style='color:#999999'>faint</p><p style='white-space:nowrap'>" + "wide " * 900 + "</p>"
    )
    sight = look(f'<body><div class="lcu">{bad}</div></body>')
    assert (sight.pwned, sight.faint, sight.wide) == (1, ["faint"], 1)
    assert sight.loaded == ["https://tracker.example/x.png"]


def exported(path: Path, theme: str) -> str:
    exporter: Any = nbconvert.HTMLExporter(theme=theme, mathjax_url="", require_js_url="", jquery_url="")
    page: str = exporter.from_filename(str(path))[0]
    return page


SEEN = {
    "01_quick_start": ("model anthropic, claude-opus-5", "Claude: 100% 8/8", "UnknownModelError"),
    "02_tools_and_agents": ('calls get_weather(city="Paris")', "tool result get_weather", "Trip(city='Lisbon'"),
    "03_prompt_caching": ("prompt cache: partial", "the tool 'refund' was added", "8 min passed"),
    "04_switching_providers": ("openai/gpt-5.6 by openai_responses: goes out with changes", "the same thinking: True"),
    "05_cost_and_budgets": ("saved by prompt caching", "The budget of $0.01 is spent", "sent after the limit: 0"),
    "06_testing_your_agent": ("the stream failed", "[429, 429, 200]", "2 passed in"),
}


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_a_notebook_in_the_dark(path: Path) -> None:
    sight = look(exported(path, "dark"), dark=True)
    assert_good(sight, has_views=path.stem not in PLAIN)
    assert sight.dark
    for words in SEEN.get(path.stem, ()):
        assert words in " ".join(sight.text.split())


def test_a_notebook_in_the_light() -> None:
    sight = look(exported(check.HERE / "04_switching_providers.ipynb", "light"))
    assert_good(sight)
    assert not sight.dark
    assert sight.aligned == ["left"]  # tables, against the notebook's own style
