"""`langchain-unified gateway-demo`, as a user sees it."""

from __future__ import annotations

import io

from rich.console import Console

from langchain_unified.cli.gateway_demo import run


def test_the_demo_talks_with_all_clients_and_shows_the_spend() -> None:
    out = io.StringIO()
    run(Console(file=out, width=100, highlight=False))
    shown = out.getvalue()
    assert "claude: You said: what llm are you" in shown
    assert "You said: A poem, please." in shown
    assert "You said: Are you there?" in shown
    assert "18 degrees Celsius and clear in Paris" in shown
    assert "Spent $0.00" in shown
