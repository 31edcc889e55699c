"""The Chat Completions wire: cache breakpoints."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage

from langchain_unified.request import Dialect, Profile
from tests.wires.openai_chat.helpers import marked, with_marks


def test_marks_are_breakpoints_where_the_model_has_them():
    image = {"type": "image", "url": "https://x/y.png", "cache_control": {"type": "ephemeral", "ttl": "12h"}}
    messages = (
        SystemMessage([marked("S", ttl="5m")]),
        HumanMessage([image]),
        ToolMessage([marked("T")], tool_call_id="x"),
    )
    point = {"mode": "explicit"}
    picture = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    assert [message["content"] for message in with_marks(*messages).body["messages"]] == [
        [{"type": "text", "text": "S", "prompt_cache_breakpoint": point}],
        [{**picture, "prompt_cache_breakpoint": {**point, "ttl": "12h"}}],
        [{"type": "text", "text": "T", "prompt_cache_breakpoint": point}],
    ]
    plain = ["S", [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}], "T"]
    unmarked = Dialect(cache_marks="none", cache_params=False)
    for fields in ({"profile": Profile(cache_breakpoints=False)}, {"dialect": unmarked}):
        assert [message["content"] for message in with_marks(*messages, **fields).body["messages"]] == plain


@pytest.mark.parametrize("mode, room", [("implicit", 3), ("explicit", 4)])
def test_the_last_marks_are_written_and_the_form_stays(mode, room):
    """Four are written, of which one is the implicit."""
    asked = [HumanMessage([marked(str(n))]) for n in range(6)]
    messages = with_marks(*asked, params={"prompt_cache_options": {"mode": mode}}).body["messages"]
    parts = [part for message in messages for part in message["content"]]
    assert [part["text"] for part in parts if part["type"] == "text"] == ["0", "1", "2", "3", "4", "5"]
    assert ["prompt_cache_breakpoint" in part for part in parts] == [False] * (6 - room) + [True] * room
