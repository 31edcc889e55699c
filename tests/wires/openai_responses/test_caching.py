"""The Responses wire: cache breakpoints."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified.caching.placement import place_breakpoints
from langchain_unified.request import Dialect, Encoded, Profile, Turn
from langchain_unified.tools.specs import tool_specs
from langchain_unified.wires.openai_responses import WIRE
from tests.wires.openai_responses.helpers import call_item, marked, own, request


def with_marks(*messages: BaseMessage | Turn, **fields: Any) -> Encoded:
    """A request encoded with its marks placed, as a chat model does it, and the adjustments."""
    found, _, notes = place_breakpoints(request(*messages, **fields), WIRE.marks)
    encoded = WIRE.encode(found)
    return replace(encoded, adjustments=(*notes, *encoded.adjustments))


def test_marks_become_breakpoints():
    result = ToolMessage([marked("r")], tool_call_id="call_1")
    said = SystemMessage([marked("s", ttl="12h")]), HumanMessage([marked("u", ttl="1h")])
    found = with_marks(*said, own([call_item()]), result)
    assert found.body["input"] == [
        {"role": "system", "content": [
            {"type": "input_text", "text": "s", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}]},
        {"role": "user", "content": [
            {"type": "input_text", "text": "u", "prompt_cache_breakpoint": {"mode": "explicit"}}]},
        call_item(),
        {"type": "function_call_output", "call_id": "call_1", "output": [
            {"type": "input_text", "text": "r", "prompt_cache_breakpoint": {"mode": "explicit"}}]},
    ]  # fmt: skip
    assert [adjustment["what"] for adjustment in found.adjustments] == ["prompt-cache ttl '1h'"]


@pytest.mark.parametrize("mode, room", [("implicit", 3), ("explicit", 4)])
def test_only_the_last_marks_go_out(mode, room):
    """Four are written, of which one is the implicit."""
    asked = [HumanMessage([marked(str(n))]) for n in range(6)]
    items = with_marks(*asked, params={"prompt_cache_options": {"mode": mode}}).body["input"]
    carried = ["prompt_cache_breakpoint" in item["content"][0] for item in items]
    assert carried == [False] * (6 - room) + [True] * room


def test_marks_that_cannot_go_out_are_named():
    plain = Profile(cache_breakpoints=False)
    found = with_marks(HumanMessage([marked("u")]), profile=plain)
    assert found.body["input"] == [{"role": "user", "content": "u"}]
    assert [adjustment["what"] for adjustment in found.adjustments] == ["the prompt-cache marks"]
    quirky = with_marks(HumanMessage([marked("u")]), dialect=Dialect(cache_marks="none", cache_params=False))
    assert len(quirky.adjustments) == 1
    tool = tool_specs([{"name": "f", "input_schema": {}, "cache_control": {"type": "ephemeral"}}])
    named = with_marks(HumanMessage("hi"), tools=tool)
    assert [adjustment["what"] for adjustment in named.adjustments] == ["the prompt-cache mark on the tool 'f'"]


def test_a_mark_on_what_the_assistant_said_moves_to_the_words_before():
    answer = with_marks(HumanMessage("x"), own([marked("a")]), HumanMessage("y"))
    assert answer.adjustments == ()
    assert answer.body["input"][0]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}
    assert "prompt_cache_breakpoint" not in json.dumps(answer.body["input"][1:])
    first = with_marks(own([marked("a")]), HumanMessage("y"))
    assert [adjustment["what"] for adjustment in first.adjustments] == [
        "the prompt-cache mark on message 0 (assistant), block 0"
    ]
