"""One conversation, marked at every place and in every form that people write: the exact bodies that go out."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_unified import ChatUnified, cached
from tests.caching.golden import (
    BODIES,
    CHAT_TOOL,
    CONVERSATION,
    FUNCTION,
    MARK,
    OF_ANTHROPIC,
    OF_CACHING,
    POINT,
    SCHEMA,
    SPELLINGS,
    build,
    golden,
    keys_in,
    lists,
)
from tests.support.histories import problems


def look_up(order: int) -> str:
    """Look it up."""
    return str(order)


TOOL_LOOK_UP = tool(look_up)


class LookUp(BaseModel):
    """Look it up."""

    order: int


LookUp.__name__ = "look_up"


# --- what goes out unmarked -------------------------------------------------------------------------------------------

WIRES = {"anthropic": "anthropic_messages", "chat": "openai_chat", "responses": "openai_responses"}


# --- where marks are written, and where they land ---------------------------------------------------------------------

# By part of the conversation: where its mark lands on each API. OpenAI takes none on what the assistant said, so that
# they move to the user's words before; and where the call before this one ended is marked too, to be read back.
# On Messages a place is `messages.<message>.<block>`.
PLACES: dict[str, dict[str, list[str]]] = {
    "system": {"anthropic": ["system.0"], "chat": ["messages.0.0"], "responses": ["input.0.0"]},
    "image": {"anthropic": ["messages.0.0"], "chat": ["messages.1.0"], "responses": ["input.1.0"]},
    "document": {"anthropic": ["messages.0.1"], "chat": ["messages.1.1"], "responses": ["input.1.1"]},
    "question": {"anthropic": ["messages.0.2"], "chat": ["messages.1.2"], "responses": ["input.1.2"]},
    "said": {"anthropic": ["messages.1.0"], "chat": ["messages.1.2"], "responses": ["input.1.2"]},
    "call": {"anthropic": ["messages.1.1"], "chat": ["messages.1.2"], "responses": ["input.1.2"]},
    "result": {
        "anthropic": ["messages.2.0"],
        "chat": ["messages.1.2", "messages.3.0"],
        "responses": ["input.1.2", "input.4.0"],
    },
    "end": {
        "anthropic": ["messages.2.1"],
        "chat": ["messages.1.2", "messages.4.0"],
        "responses": ["input.1.2", "input.5.0"],
    },
    "tool": {"anthropic": ["tools.0"], "chat": [], "responses": []},
}

TITLED = {"title": "look_up", "description": "Look it up.", **SCHEMA}
TOOLS: dict[str, Any] = {
    "cached(BaseTool)": cached(TOOL_LOOK_UP),
    "extras of a BaseTool": TOOL_LOOK_UP.model_copy(update={"extras": MARK}),
    "a breakpoint in extras": TOOL_LOOK_UP.model_copy(update={"extras": POINT}),
    "cached(function)": cached(look_up),
    "cached(pydantic class)": cached(LookUp),
    "cached(Chat's dict)": cached(CHAT_TOOL),
    "beside the function": {**CHAT_TOOL, **MARK},
    "inside the function": {"type": "function", "function": {**FUNCTION, **MARK}},
    "a breakpoint inside the function": {"type": "function", "function": {**FUNCTION, **POINT}},
    "Responses' dict": {"type": "function", **FUNCTION, **MARK},
    "Anthropic's dict": {**OF_ANTHROPIC, **MARK},
    "a breakpoint in Anthropic's dict": {**OF_ANTHROPIC, **POINT},
    "extras of a dict": {**OF_ANTHROPIC, "extras": MARK},
    "a JSON schema": {**TITLED, **MARK},
}


# --- comparing --------------------------------------------------------------------------------------------------------


def split_key(body: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    return {name: value for name, value in body.items() if name != "prompt_cache_key"}, body.get("prompt_cache_key")


OWN = {
    "anthropic": {"cache_control"},
    "chat": {"prompt_cache_breakpoint", "prompt_cache_key"},
    "responses": {"prompt_cache_breakpoint", "prompt_cache_key"},
}


def check_body(name: str, body: dict[str, Any], places: list[str]) -> None:
    sent, key = split_key(body)
    assert sent == golden(name, places)
    assert (key is not None) == (bool(places) and name != "anthropic")
    assert problems(WIRES[name], body) == []
    assert OF_CACHING & set(keys_in(body)) <= OWN[name]


each_api = pytest.mark.parametrize("name", BODIES)


@each_api
def test_the_bodies_without_marks(name: str) -> None:
    report = build(name).check(CONVERSATION, tools=[CHAT_TOOL])
    assert report.body == BODIES[name][2]
    assert report.unchanged


@each_api
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_mark_on_a_message(name: str, spelling: str) -> None:
    part, messages = SPELLINGS[spelling]
    before = copy.deepcopy(messages)
    report = build(name).check(messages, tools=[CHAT_TOOL])
    check_body(name, report.body, PLACES[part][name])
    assert [item for item in report.adjustments if "cache" in item["what"]] == []
    assert messages == before


@each_api
@pytest.mark.parametrize("spelling", TOOLS)
def test_a_mark_on_a_tool(name: str, spelling: str) -> None:
    model = build(name)
    calls = [
        model.check(CONVERSATION, tools=[TOOLS[spelling]]),
        model.check(CONVERSATION, **bound(model, TOOLS[spelling])),
    ]
    for report in calls:
        if name == "anthropic":
            assert report.adjustments == ()
            check_body(name, report.body, PLACES["tool"][name])
        else:
            assert [item["what"] for item in report.adjustments] == ["the prompt-cache mark on the tool 'look_up'"]
            assert split_key(report.body)[0] == {**lists(name), "tools": report.body["tools"]}
            assert report.body["tools"][0].get("function", report.body["tools"][0])["name"] == "look_up"
            assert OF_CACHING.isdisjoint(keys_in(report.body))
        assert problems(WIRES[name], report.body) == []


def bound(model: ChatUnified, given: Any) -> dict[str, Any]:
    """What `bind_tools` binds."""
    keywords: dict[str, Any] = model.bind_tools([given]).kwargs  # type: ignore[attr-defined]
    return keywords
