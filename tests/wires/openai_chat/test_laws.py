"""The Chat Completions wire: laws on generated conversations."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified.wires.openai_chat import WIRE
from tests.wires.openai_chat.helpers import ADD, ARGS, MEDIA, SQL, WORDS, marked, request, sent, with_marks

TEXT_BLOCK = st.builds(
    lambda text, mark: marked(text) if mark else {"type": "text", "text": text}, WORDS, st.booleans()
)
USER_BLOCK = st.one_of(TEXT_BLOCK, st.sampled_from([*MEDIA[:3], {"type": "text-plain", "text": "a", "title": "T"}]))


@st.composite
def exchange(draw: st.DrawFn) -> list[BaseMessage]:
    """What one round adds to a conversation."""
    asked = HumanMessage(draw(st.one_of(WORDS, st.lists(USER_BLOCK, min_size=1, max_size=3))))
    names = draw(st.lists(st.sampled_from(["add", "sql"]), max_size=2))
    calls = [{"id": f"call_{n}", "name": name, "args": json.loads(draw(ARGS))} for n, name in enumerate(names)]
    results = [
        ToolMessage(draw(st.one_of(WORDS, st.lists(TEXT_BLOCK, max_size=2))), tool_call_id=call["id"]) for call in calls
    ]
    return [asked, AIMessage(draw(WORDS), tool_calls=calls), *results]


@st.composite
def conversation(draw: st.DrawFn) -> list[BaseMessage]:
    start = draw(st.lists(st.builds(SystemMessage, st.one_of(WORDS, st.lists(TEXT_BLOCK, max_size=2))), max_size=2))
    return [*start, *(message for part in draw(st.lists(exchange(), max_size=3)) for message in part)]


def unmarked(messages: list[dict[str, Any]]) -> Iterator[bytes]:
    for message in messages:
        parts = message.get("content")
        for part in parts if isinstance(parts, list) else []:
            part.pop("prompt_cache_breakpoint", None)
        yield json.dumps(message, ensure_ascii=False).encode()


@given(conversation(), conversation())
@settings(max_examples=60)
def test_a_longer_conversation_keeps_the_encoded_prefix(before, after):
    short = list(unmarked(sent(*before, tools=(ADD, SQL))))
    assert list(unmarked(sent(*before, *after, tools=(ADD, SQL))))[: len(short)] == short


@given(conversation())
@settings(max_examples=60)
def test_a_generated_conversation_is_valid_and_is_left_alone(oracle, messages):
    asked = request(*messages, tools=(ADD, SQL))
    before = copy.deepcopy(asked)
    found = with_marks(*messages, tools=(ADD, SQL))
    assert oracle.validate("chat", found.body) == []
    assert WIRE.encode(asked) == WIRE.encode(asked)
    assert asked == before
    points = json.dumps(found.body).count("prompt_cache_breakpoint")
    assert points <= 4
