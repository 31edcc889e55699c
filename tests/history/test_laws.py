"""Laws of repaired histories, on generated conversations."""

from __future__ import annotations

import copy
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified.errors import InvalidHistoryError
from langchain_unified.history import repair as history
from langchain_unified.messages.turns import turns
from langchain_unified.request import Block, Profile
from langchain_unified.wires import WIRES
from tests.history.helpers import ALL, PLAIN, answer, body, call
from tests.support.histories import problems, repair

IDS = st.sampled_from(["c1", "c2", "c3", "a b", "call|fc", "x" * 50, "y" * 80, ""])
TEXTS = st.sampled_from(["", " ", "word", "two\nlines", "é"])
ORIGINS = [
    {},
    {"model_provider": "anthropic", "model_name": "claude-opus-5"},
    {"model_provider": "openai", "model_name": "gpt-5"},
]


def _blocks_of(provider: str | None) -> list[Block]:
    if provider == "anthropic":
        return [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
            {"type": "text", "text": "cited", "citations": [
                {"type": "web_search_result_location", "url": "https://a.example", "title": "A", "cited_text": "c",
                 "encrypted_index": "i"}]},
        ]  # fmt: skip
    if provider == "openai":
        return [
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"},
            {"type": "image_generation_call", "id": "ig_1", "result": "iVBORw0KGgo=", "output_format": "png",
             "status": "completed"},
            {"type": "text", "text": "said", "id": "msg_1"},
        ]  # fmt: skip
    return [{"type": "text", "text": "said"}]


@st.composite
def answers(draw: st.DrawFn) -> AIMessage:
    metadata = draw(st.sampled_from(ORIGINS))
    ids = draw(st.lists(IDS, max_size=3))
    if not metadata or draw(st.booleans()):
        return AIMessage(draw(TEXTS), tool_calls=[call(each) for each in ids], response_metadata=metadata)
    blocks = draw(st.lists(st.sampled_from(_blocks_of(metadata["model_provider"])), max_size=3, unique_by=repr))
    return AIMessage(copy.deepcopy(blocks), tool_calls=[call(each) for each in ids], response_metadata=metadata)


def says(message: BaseMessage, wire: str, model: str) -> bool:
    """Whether a message holds anything that the target reads. Reasoning is for the model that it came from."""
    blocks = message.content if isinstance(message.content, list) else [{"type": "text", "text": message.content}]
    own = {"thinking": "anthropic_messages", "reasoning": "openai_responses"}
    kept = [block for block in blocks if block["type"] not in own or (own[block["type"]] == wire and not model)]
    return any(str(block.get("text", "x")).strip() for block in kept) or bool(getattr(message, "tool_calls", ()))


def nothing_to_send(messages: list[BaseMessage], wire: str, model: str) -> bool:
    """Whether no message holds anything to send. Reasoning is sent only with what follows it."""
    if wire != "anthropic_messages" and {each.type for each in messages} in ({"human"}, {"human", "system"}):
        return False  # OpenAI answers an empty user message
    speaking = [each for each in messages if each.type == "tool" or says(each, wire, model)]
    return not any(each.type != "ai" or not _only_reasons(each) for each in speaking) and (
        not speaking or messages[-1].type != "human"
    )


def _only_reasons(message: BaseMessage) -> bool:
    kinds = {block["type"] for block in message.content} if isinstance(message.content, list) else set()
    return bool(kinds) and kinds <= {"thinking", "reasoning"} and not getattr(message, "tool_calls", ())


MESSAGES = st.one_of(
    st.builds(HumanMessage, TEXTS),
    st.builds(SystemMessage, TEXTS),
    answers(),
    st.builds(ToolMessage, TEXTS, tool_call_id=IDS, status=st.sampled_from(["success", "error"])),
)
PROFILES = st.builds(Profile, prefill=st.booleans(), system_in_messages=st.booleans())


@given(st.lists(MESSAGES, min_size=1, max_size=10), st.sampled_from(ALL), PROFILES, st.sampled_from(["", "gpt-6-sol"]))
@settings(max_examples=400)
def test_any_history_becomes_one_that_the_api_takes(messages: Any, wire: str, profile: Profile, model: str):
    given_ = copy.deepcopy(messages)
    found = turns(messages, wire)
    if nothing_to_send(messages, wire, model):
        with pytest.raises(InvalidHistoryError, match="No message has content"):
            repair(found, wire=wire, profile=profile, model=model)
        return
    fixed, _ = repair(found, wire=wire, profile=profile, model=model)
    assert problems(wire, body(wire, fixed, profile=profile)) == []
    assert repair(fixed, wire=wire, profile=profile, model=model)[0] is fixed
    assert messages == given_


@given(st.lists(MESSAGES, min_size=1, max_size=6), st.sampled_from(ALL))
def test_the_fast_path_agrees_with_the_steps(messages: Any, wire: str):
    found = turns(messages, wire)
    if history._needs_no_repair(found, wire, WIRES[wire].call_ids, ""):
        state = history.RepairState(wire, WIRES[wire].call_ids, PLAIN, "", "raise", server_state=False)
        for step in history.STEPS:
            assert all(one is other for one, other in zip(step(found, state), found, strict=True))
        assert state.adjustments == []


@given(st.lists(MESSAGES, min_size=1, max_size=8), st.sampled_from(ALL))
def test_what_raises_is_what_would_change_the_meaning(messages: Any, wire: str):
    found = turns(messages, wire)
    try:
        _, adjustments = repair(found, wire=wire, profile=PLAIN)
    except InvalidHistoryError:
        return
    changes = [each for each in adjustments if each["what"].startswith(("tool result in", "tool call in"))]
    try:
        repair(found, wire=wire, profile=PLAIN, policy="raise")
    except InvalidHistoryError:
        assert changes
    else:
        assert not changes


@st.composite
def exchanges(draw: st.DrawFn) -> list[list[BaseMessage]]:
    """Parts of a conversation, each begun by a user: later parts never answer the calls of earlier ones."""
    parts: list[list[BaseMessage]] = []
    for at in range(draw(st.integers(2, 4))):
        part: list[BaseMessage] = [HumanMessage(f"question {at}")]
        for step in range(draw(st.integers(0, 2))):
            reply = draw(answers())
            ids = [f"{at}.{step}.{number} {'z' * draw(st.integers(0, 70))}" for number in range(len(reply.tool_calls))]
            reply.tool_calls = [call(each) for each in ids]
            answered = draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
            part += [reply, *(answer(each, f"of {each}") for each in draw(st.permutations(answered)))]
        parts.append(part)
    return parts


@given(exchanges(), st.sampled_from(ALL))
def test_a_longer_conversation_keeps_the_shorter_ones_turns(parts: Any, wire: str):
    whole, _ = repair(turns([*chain(*parts)], wire), wire=wire, profile=PLAIN)
    for count in range(1, len(parts)):
        short, _ = repair(turns([*chain(*parts[:count]), parts[count][0]], wire), wire=wire, profile=PLAIN)
        assert whole[: len(short)] == short
