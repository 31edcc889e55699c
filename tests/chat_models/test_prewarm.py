"""Filling a provider's prompt cache before the first question, against the emulator's accounting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool

from langchain_unified import ChatAnthropic, ChatOpenAI, PromptCache, UnsupportedParameterError, cached
from langchain_unified.testing import Emulator, emulator

RULES = SystemMessage("The house rules follow. " * 800)
MANUAL = HumanMessage("A page of the manual. " * 800)
QUESTION = HumanMessage("And on Sundays?")


@tool
def opening_hours(day: str) -> str:
    """When the house is open."""
    return day


@pytest.fixture
def server() -> Iterator[Emulator]:
    with emulator(["The only scripted answer."]) as running:
        yield running


def claude(server: Emulator, **fields: Any) -> ChatAnthropic:
    return ChatAnthropic("claude-sonnet-4-5", api_key="any", base_url=server.anthropic_url, **fields)


def gpt(server: Emulator, **fields: Any) -> ChatOpenAI:
    given = {"model": "gpt-5.6", "use_responses_api": True, **fields}
    return ChatOpenAI(**given, api_key="any", base_url=server.openai_url)


@pytest.mark.parametrize("build", [claude, gpt])
@pytest.mark.parametrize("shared", [[RULES], [RULES, MANUAL]], ids=["system", "system and manual"])
def test_the_next_call_reads_what_was_written(build: Any, shared: list[Any], server: Emulator) -> None:
    model = build(server)
    written = model.prewarm(shared)
    assert (written.text, written.usage_metadata["output_tokens"]) == ("", 0)
    assert written.response_metadata["prompt_cache"]["status"] == "write"
    answer = model.invoke([*shared, QUESTION], prompt_cache="auto")
    assert answer.text == "The only scripted answer."  # a call that generates nothing takes none of the script
    tokens = written.response_metadata["prompt_cache"]["written"]
    assert answer.response_metadata["prompt_cache"]["read"] == tokens > 4000


@pytest.mark.parametrize("build", [claude, gpt])
async def test_async_with_bound_tools(build: Any, server: Emulator) -> None:
    """Tools are the start of the prefix: without them there would be nothing to read."""
    bound = build(server).bind_tools([opening_hours])
    written = await bound.aprewarm([RULES])
    answer = await bound.ainvoke([RULES, QUESTION], prompt_cache="auto")
    assert answer.response_metadata["prompt_cache"]["read"] == written.response_metadata["prompt_cache"]["written"] > 0


def test_bodies(server: Emulator) -> None:
    claude(server, thinking={"type": "enabled", "budget_tokens": 1024}).prewarm([RULES], tool_choice="any")
    gpt(server).prewarm([RULES], prompt_cache=PromptCache(ttl="12h", key="house"))
    first, second = (request.body for request in server.requests)
    assert first["max_tokens"] == 0
    assert not first.keys() & {"thinking", "tool_choice", "stream"}
    assert first["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert first["messages"] == [{"role": "user", "content": [{"type": "text", "text": "-"}]}]
    assert second["prompt_cache_options"] == {"mode": "explicit", "ttl": "12h", "prewarm": True}
    assert second["prompt_cache_key"] == "house"


@pytest.mark.parametrize("policy", [PromptCache(key="house"), PromptCache(key="house", tail="never"), "auto"])
def test_it_is_found_by_a_model_with_a_policy_of_its_own(policy: Any, server: Emulator) -> None:
    """Another key, and the later calls would look elsewhere."""
    model = gpt(server, prompt_cache=policy)
    written = model.prewarm([RULES]).response_metadata["prompt_cache"]["written"]
    assert model.invoke([RULES, QUESTION]).response_metadata["prompt_cache"]["read"] == written > 4000
    assert len({request.body["prompt_cache_key"] for request in server.requests}) == 1


def test_own_marks_say_what_is_written(server: Emulator) -> None:
    model = claude(server)
    written = model.prewarm([cached(RULES), MANUAL], prompt_cache=PromptCache(tail="never"))
    whole = model.prewarm([RULES, MANUAL])
    assert 0 < written.response_metadata["prompt_cache"]["written"] < whole.usage_metadata["input_tokens"] - 4000


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"model": "gpt-4.1"}, "gpt-4.1 caches by itself"),
        ({"use_responses_api": False}, "use_responses_api=True"),
    ],
)
def test_models_that_cannot(fields: dict[str, Any], words: str, server: Emulator) -> None:
    with pytest.raises(UnsupportedParameterError, match=words):
        gpt(server, **fields).prewarm([RULES])
    assert server.requests == []
