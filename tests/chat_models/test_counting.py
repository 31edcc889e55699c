"""Counting the tokens of a call: with server tools, with what is bound, with nothing to send, sync and async."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified import ChatAnthropic, RequestError
from langchain_unified.testing import Emulator, emulator
from tests.support.models import build, each_class

TOOL = {"name": "get_weather", "description": "The weather of a city. " * 20,
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}  # fmt: skip
QUESTION = [HumanMessage("How are you today?")]
SERVER_TOOLS: dict[str, list[Any]] = {
    "search": [{"type": "web_search_20250305", "name": "web_search"}],
    "code": [{"type": "code_execution_20250825", "name": "code_execution"}],
    "tool search": [{"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}],
    "neutral": [{"type": "web_search"}],
    "several": [{"type": "web_search"}, {"type": "code_execution"}],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


@each_class
def test_bound_tools_count(name: str, server: Emulator) -> None:
    model = build(name, server)
    bare = model.get_num_tokens_from_messages(QUESTION)
    given = model.get_num_tokens_from_messages(QUESTION, tools=[TOOL])
    bound = model.bind_tools([TOOL], tool_choice="any")
    assert bound.get_num_tokens_from_messages(QUESTION) == given > bare
    assert bound.with_config(tags=["x"]).get_num_tokens_from_messages(QUESTION) == given
    assert bound.get_num_tokens_from_messages(QUESTION, tools=[]) == bare
    assert model.get_num_tokens_from_messages(QUESTION, tools=[]) == bare


@each_class
async def test_the_async_twin(name: str, server: Emulator) -> None:
    model = build(name, server)
    counted = model.get_num_tokens_from_messages(QUESTION, tools=[TOOL])
    assert await model.aget_num_tokens_from_messages(QUESTION, tools=[TOOL]) == counted
    assert await model.bind_tools([TOOL]).aget_num_tokens_from_messages(QUESTION) == counted


@each_class
@pytest.mark.parametrize("kind", ["neutral", "several"])
def test_neutral_server_tools(name: str, kind: str, server: Emulator) -> None:
    tools = [*SERVER_TOOLS[kind], TOOL]
    assert build(name, server).bind_tools(tools).get_num_tokens_from_messages(QUESTION) > 100


@pytest.mark.parametrize("kind", SERVER_TOOLS)
@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-5-5"])
def test_claudes_server_tools_are_not_counted(kind: str, model: str, server: Emulator) -> None:
    claude = ChatAnthropic(model, base_url=server.anthropic_url, api_key="any", max_retries=0)
    alone = claude.get_num_tokens_from_messages(QUESTION)
    with_ours = claude.get_num_tokens_from_messages(QUESTION, tools=[TOOL])
    assert claude.bind_tools([*SERVER_TOOLS[kind], TOOL]).get_num_tokens_from_messages(QUESTION) == with_ours
    assert claude.bind_tools(SERVER_TOOLS[kind]).get_num_tokens_from_messages(QUESTION) == alone
    name = SERVER_TOOLS[kind][0].get("name", SERVER_TOOLS[kind][0]["type"])
    if model == "claude-sonnet-4-5":
        forced = claude.bind_tools([*SERVER_TOOLS[kind], TOOL], tool_choice=name)
        assert forced.get_num_tokens_from_messages(QUESTION) == with_ours


def test_what_means_nothing_without_a_server_tool_goes_with_it(server: Emulator) -> None:
    claude = ChatAnthropic("claude-opus-5", base_url=server.anthropic_url, api_key="any", max_retries=0)
    called = {**TOOL, "allowed_callers": ["code_execution_20250825"]}
    claude.get_num_tokens_from_messages(QUESTION, tools=[*SERVER_TOOLS["code"], called])
    assert [tool.keys() for tool in server.requests[-1].body["tools"]] == [TOOL.keys()]
    deferred = {**TOOL, "defer_loading": True}
    claude.get_num_tokens_from_messages(QUESTION, tools=[*SERVER_TOOLS["tool search"], deferred])
    assert "tools" not in server.requests[-1].body


@each_class
async def test_nothing_to_send_has_no_tokens(name: str, server: Emulator) -> None:
    model, asked = build(name, server), len(server.requests)
    assert model.get_num_tokens_from_messages([]) == 0
    assert await model.bind_tools([TOOL]).aget_num_tokens_from_messages([]) >= 0
    assert model.get_num_tokens_from_messages([HumanMessage("")]) < 10
    assert len(server.requests) == asked


@each_class
def test_each_part_of_a_conversation_is_counted(name: str, server: Emulator) -> None:
    model = build(name, server)
    call = AIMessage("", tool_calls=[{"name": "get_weather", "args": {}, "id": "c1"}])
    result = ToolMessage("Sunny.", tool_call_id="c1")
    thread = [SystemMessage("Be brief."), *QUESTION, call, result, AIMessage("Sunny.")]
    for start in range(len(thread)):
        for end in range(start, len(thread) + 1):
            assert model.get_num_tokens_from_messages(thread[start:end], tools=[TOOL]) >= 0


@each_class
def test_errors_of_the_endpoint_are_raised(name: str, server: Emulator) -> None:
    with pytest.raises(RequestError):
        build(name, server).get_num_tokens_from_messages([HumanMessage([{"type": "video", "url": "https://x.y/z"}])])
