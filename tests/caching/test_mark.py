"""Cache marks that are odd or wrong: `cached`, and marks written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, FunctionMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool

from langchain_unified import ConfigurationError, cached
from tests.caching.helpers import CLAUDE, EPHEMERAL, FUNCTION, GPT, OLD, TALK, build, places, text, whats
from tests.support.histories import problems

ODD: list[tuple[Any, bool, str | None]] = [
    # what stands in `cache_control`, whether it marks, what is noted
    (True, True, None), ("ephemeral", True, None), (["x"], True, None), (1, True, None),
    ({"type": "persistent"}, True, None), ({"type": "ephemeral", "ttl": None}, True, None),
    ({"type": "ephemeral", "ttl": ""}, True, None), ({"type": "ephemeral", "ttl": 300}, True, "300"),
    ({"type": "ephemeral", "ttl": "2h"}, True, "2h"), ({"type": "ephemeral", "ttl": ["5m"]}, True, "['5m']"),
    (None, False, None), (False, False, None), ([], False, None), ({}, False, None), ("", False, None),
]  # fmt: skip
PLAIN = text("A.", mark=False)


def asked(block: dict[str, Any]) -> list[BaseMessage]:
    return [HumanMessage([block, "Q?"])]


HOLDERS: dict[str, Callable[[Any], tuple[list[BaseMessage], dict[str, Any]]]] = {
    "block": lambda value: (asked({**PLAIN, "cache_control": value}), {}),
    "extras": lambda value: (asked({**PLAIN, "extras": {"cache_control": value}}), {}),
    "odd extras": lambda value: (asked({**text("A."), "extras": value}), {}),
    "message": lambda value: ([HumanMessage("Q?", additional_kwargs={"cache_control": value})], {}),
    "raw": lambda value: (asked({"type": "non_standard", "value": {**PLAIN, "cache_control": value}}), {}),
    "tool": lambda value: ([HumanMessage("Q?")], {"tools": [{**FUNCTION, "cache_control": value}]}),
    "call": lambda value: ([HumanMessage("Q?")], {"cache_control": value}),
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("value, marks, noted", ODD, ids=[repr(case[0]) for case in ODD])
def test_odd_marks_are_marks_or_none_and_never_sent_as_they_are(
    holder: str, value: Any, marks: bool, noted: str | None
) -> None:
    messages, keywords = HOLDERS[holder](value)
    report = build(CLAUDE).check(messages, **keywords)
    assert problems("anthropic_messages", report.body) == []
    if holder == "odd extras":
        assert places(report.body) == ["messages.0.0"]
        return
    assert len(places(report.body)) == marks
    assert whats(report) == ([f"prompt-cache ttl {noted!r}"] if noted else [])
    for other in (build(GPT, use_responses_api=False), build(OLD)):
        body = other.check(messages, **keywords).body
        assert problems("openai_chat", body) == []
        assert "cache_control" not in json.dumps(body)


@pytest.mark.parametrize("ttl", ["2h", "", 300, ["5m"], "forever"])
def test_cached_refuses_an_unknown_ttl(ttl: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"cached\(\) has no ttl "):
        cached("A.", ttl)


@pytest.mark.parametrize("thing", [None, 3, [HumanMessage("A.")], ("A.",), b"A."])
def test_cached_refuses_what_cannot_be_marked(thing: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"cached\(\) cannot mark a value of type "):
        cached(thing)


def test_cached_copies() -> None:
    block, message = text("A.", mark=False), HumanMessage("A.", additional_kwargs={"kept": 1})
    function = tool(plain_tool)
    assert cached(block, "1h")["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert cached(message).additional_kwargs == {"kept": 1, "cache_control": EPHEMERAL}
    assert cached(function).extras == {"cache_control": EPHEMERAL}
    assert (block, message.additional_kwargs, function.extras) == (text("A.", mark=False), {"kept": 1}, None)
    assert type(cached(function)) is type(function)


def plain_tool(order: int) -> str:
    """Look it up."""
    return str(order)


@pytest.mark.parametrize(
    "message",
    [ChatMessage("Q?", role="user"), FunctionMessage("42", name="f"), SystemMessage("Q?"), HumanMessage("Q?")],
    ids=lambda message: type(message).__name__,
)
def test_a_message_of_any_class_takes_a_mark(message: BaseMessage) -> None:
    call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "f"}])
    talk = [HumanMessage("Hi."), call, cached(message)] if isinstance(message, FunctionMessage) else [cached(message)]
    assert len(places(build(CLAUDE).check([*talk, HumanMessage("R?")]).body)) == 1


@pytest.mark.parametrize("value", ["explicit", 3, ["explicit"]])
def test_options_that_are_no_object_are_refused(value: Any) -> None:
    for responses in (True, False):
        report = build(GPT, use_responses_api=responses).check(TALK, prompt_cache_options=value)
        assert report.refused is not None
        assert "prompt_cache_options" in report.refused


def test_a_mark_without_a_place_is_an_adjustment() -> None:
    report = build(GPT).check([cached(AIMessage("A.")), HumanMessage("Q?")])
    assert places(report.body) == []
    assert report.adjustments == (
        {
            "what": "the prompt-cache mark on message 0 (assistant), block 0",
            "why": "No block at or before it can carry a mark.",
        },
    )
    first = build(CLAUDE).check([cached(HumanMessage(" ")), HumanMessage("Q?")])
    assert places(first.body) == []
    assert "the prompt-cache mark on message 0 (user)" in whats(first)
