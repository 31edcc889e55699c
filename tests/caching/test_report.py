"""The cache report of an answer."""

from __future__ import annotations

import pytest
from langchain_core.load import dumpd

from langchain_unified import ChatUnified, PromptCache
from langchain_unified.caching.placement import PlacedMarks, SentMark
from langchain_unified.caching.report import report
from langchain_unified.request import Request, ToolSpec, Turn


@pytest.mark.parametrize("api", ["anthropic", "responses", "chat", "older"])
def test_the_report_survives_whatever_a_tool_holds(api: str) -> None:
    """An answer that was paid for is not lost to the report on it."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 2**70, "title": "\ud83d"}}}
    marked = Turn("user", ({"type": "text", "text": "hi", "mark": {}},))
    request = Request("m", (marked,), tools=(ToolSpec("f", parameters=schema),))
    marks = PlacedMarks(True, False, (SentMark("a"),))
    found = report(request, marks, {"input_tokens": 9}, by_itself=api != "anthropic")
    assert found is not None
    assert found["status"] == "miss"


def test_the_report_is_off_or_absent_without_usage() -> None:
    request, usage = Request("m", ()), {"input_tokens": 5000}
    off = report(request, PlacedMarks(requested=True, off=True), usage, by_itself=True)
    assert off is not None
    assert off["status"] == "off"
    assert report(request, PlacedMarks(requested=True, sent=(SentMark("a"),)), None, by_itself=True) is None


def test_a_policy_is_serialised_and_loaded_again() -> None:
    model = ChatUnified("openai/gpt-5.6", api_key="any", prompt_cache=PromptCache(ttl="12h", key="k"))
    written = dumpd(model)["kwargs"]["prompt_cache"]
    assert written == {"ttl": "12h", "key": "k", "tail": "follow_up", "enabled": True}
    assert ChatUnified("openai/gpt-5.6", api_key="any", prompt_cache=written).prompt_cache == model.prompt_cache
