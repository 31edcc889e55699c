"""The Messages wire: laws on generated conversations."""

from __future__ import annotations

import copy
import itertools
import json
from types import ModuleType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from langchain_unified.history.pairing import with_valid_ids
from langchain_unified.request import Profile, Turn
from langchain_unified.wires.anthropic_messages import WIRE
from langchain_unified.wires.anthropic_messages.placement import HEAD
from tests.wires.anthropic_messages.helpers import encode, problems, text

WORDS = st.text(st.sampled_from("ab \n"), max_size=4)


@st.composite
def turn_lists(draw: st.DrawFn) -> list[Turn]:
    """Conversations in any order of roles, with odd ids, empty texts and system messages between."""
    result: list[Turn] = []
    for position in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["user", "assistant", "call", "system"]))
        blocks = tuple(text(word) for word in draw(st.lists(WORDS, max_size=3)))
        if kind == "call":
            call_id = draw(st.sampled_from(["a", "b.c", "", None]))
            call = {"type": "tool_call", "id": call_id, "name": "f", "args": {}}
            result.append(Turn("assistant", (*blocks, call), position=position))
            result.append(Turn("tool", blocks, tool_call_id=call_id, is_error=draw(st.booleans()), position=position))
        else:
            result.append(Turn(kind, blocks, position=position))
    return result


def with_legal_ids(turns: list[Turn]) -> list[Turn]:
    """The turns as `history` hands them on: the ids of calls and results are ones that the API takes."""
    return [*with_valid_ids(tuple(turns), WIRE.call_ids)[0]]


def blocks_of(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["role"], json.dumps(block)) for message in body["messages"] for block in message["content"]]


@given(turn_lists(), st.data())
def test_law_3_a_longer_conversation_keeps_the_shorter_ones_prefix(conversation: list[Turn], data: st.DataObject):
    profile = Profile(system_in_messages=True)
    longer = [Turn("system", (text("s"),)), Turn("user", (text("hi"),)), *conversation, Turn("user", (text("end"),))]
    cuts = [size for size in range(2, len(longer)) if longer[size - 1].role in ("user", "tool", "system")]
    shorter = longer[: data.draw(st.sampled_from(cuts))]
    encoded = [encode(*with_legal_ids(found), profile=profile) for found in (shorter, longer)]
    short, long = (found.body for found in encoded)
    if short["messages"][-1]["role"] == "system" and blocks_of(long)[: len(blocks_of(short))] != blocks_of(short):
        # What was the last word stands before a user message now, where the API takes no system message.
        assert any(HEAD in item["why"] for item in encoded[1].adjustments)
        short["messages"].pop()
    if short["messages"][-1]["role"] != "assistant":  # else: an empty turn left a prefill at the end
        assert blocks_of(long)[: len(blocks_of(short))] == blocks_of(short)
    kept = short["messages"][:-1]
    assert long["messages"][: len(kept)] == kept
    assert long["system"] == short["system"]


@given(turn_lists())
def test_generated_conversations_are_valid(oracle: ModuleType, conversation: list[Turn]):
    turns_ = with_legal_ids([*conversation, Turn("user", (text("end"),))])
    body = encode(*turns_).body
    assert problems(oracle, body) == []
    assert body == encode(*copy.deepcopy(turns_)).body
    roles = [message["role"] for message in body["messages"]]
    assert all(left != right for left, right in itertools.pairwise(roles))
    for message in body["messages"]:
        assert message["content"]
        assert all(block["text"].strip() for block in message["content"] if block["type"] == "text")
