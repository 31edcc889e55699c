"""The partner packages beside ours: their middleware around our models, and threads of their models and ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import langchain_anthropic
import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware
from langchain.chat_models import init_chat_model
from langchain_anthropic.middleware import (
    AnthropicPromptCachingMiddleware,
    StateClaudeMemoryMiddleware,
    StateClaudeTextEditorMiddleware,
)
from langgraph.checkpoint.memory import InMemorySaver

from langchain_unified import InvalidToolError
from langchain_unified.testing import Emulator, Fault
from tests.integration.agents import (
    OTHER,
    REASONING,
    ROME,
    answering,
    answers,
    ask,
    asks,
    both_ways,
    calls,
    clock,
    each_model,
    heard,
    results,
    said,
    thread,
    tool_names,
    weather,
)
from tests.support.models import build

QUESTION = ("user", "How is the weather?")
each_claude = pytest.mark.parametrize("name", ["anthropic", "unified-anthropic"])
each_gpt = pytest.mark.parametrize("name", ["chat", "responses", "unified-openai"])


# --- prompt caching ---------------------------------------------------------------------------------------------------


class Caching(AnthropicPromptCachingMiddleware):
    """The partner's, without its look at the model's class."""

    def _should_apply_caching(self, request: Any) -> bool:
        return True


@each_model
@both_ways
async def test_prompt_caching_is_for_models_of_the_partner(name: str, way: str) -> None:
    """A model of Claude is an instance of the partner's class. For another it marks nothing and says so."""
    with answering([asks(ROME), "Sun."]) as server:
        model = build(name, server)
        if isinstance(model, langchain_anthropic.ChatAnthropic):
            strict = AnthropicPromptCachingMiddleware(unsupported_model_behavior="raise")
            agent = create_agent(model, [weather], middleware=[strict], system_prompt="Be brief.")
            assert (await ask(agent, way, QUESTION))["messages"][-1].text == "Sun."
            assert all("cache_control" in request.body for request in server.requests)
            return
        agent = create_agent(
            model, [weather], middleware=[AnthropicPromptCachingMiddleware()], system_prompt="Be brief."
        )
        with pytest.warns(
            UserWarning, match=f"only supports Anthropic models, not instances of .*{type(model).__name__}"
        ):
            assert (await ask(agent, way, QUESTION))["messages"][-1].text == "Sun."
        assert "cache_control" not in str([request.body for request in server.requests])
        silent = AnthropicPromptCachingMiddleware(unsupported_model_behavior="raise")
        with pytest.raises(ValueError, match="only supports Anthropic models"):
            await ask(create_agent(model, [weather], middleware=[silent]), way, QUESTION)


@each_claude
@both_ways
async def test_prompt_caching_without_the_look_at_the_class(name: str, way: str) -> None:
    """The marks are read where the middleware puts them: system prompt, last tool, and the whole request."""
    prompt = "Be brief. " * 500
    with answering([asks(ROME), "Sun."]) as server:
        caching = Caching(ttl="1h")
        agent = create_agent(build(name, server), [clock, weather], middleware=[caching], system_prompt=prompt)
        state = await ask(agent, way, QUESTION)
        mark = {"type": "ephemeral", "ttl": "1h"}
        for request in server.requests:
            body = request.body
            assert [block.get("cache_control") for block in body["system"]] == [mark]
            assert [item.get("cache_control") for item in body["tools"]] == [None, mark]
            assert body["cache_control"] == mark
    written, read = (message.usage_metadata["input_token_details"] for message in answers(state))
    assert (written["cache_read"], read["cache_read"] > 1000) == (0, True)


@each_claude
async def test_marks_are_taken_off_for_another_provider(name: str) -> None:
    """The fallback asks a model what it is, and ours say it: OpenAI's gets no mark of Anthropic's, Claude keeps it."""
    for other, kept in ((OTHER[name], False), (name, True)):
        with answering([asks(ROME), Fault.overloaded(), "Sun."]) as server:
            middleware = [Caching(), ModelFallbackMiddleware(build(other, server))]
            agent = create_agent(build(name, server), [weather], middleware=middleware, system_prompt="Be brief.")
            await ask(agent, "invoke", QUESTION)
            last = heard(server)[-1]
            assert ("cache_control" in str(server.requests[-1].body)) == kept
        assert (calls(last), results(last)) == ([ROME], ["sun in Rome"])


# --- Claude's own tools -----------------------------------------------------------------------------------------------

NOTE = "/memories/note.txt"
WRITE = {"command": "create", "path": NOTE, "file_text": "sun"}


@each_claude
@both_ways
async def test_claude_own_tools(name: str, way: str) -> None:
    """Bound by their type, called like functions, run by the middleware."""
    for middleware, tool, path in (
        (StateClaudeTextEditorMiddleware(), "str_replace_based_edit_tool", "/note.txt"),
        (StateClaudeMemoryMiddleware(), "memory", NOTE),
    ):
        write, look = ((tool, {**more, "path": path}) for more in (WRITE, {"command": "view"}))
        with answering([asks(write), asks(look), "Done."]) as server:
            await ask(create_agent(build(name, server), [weather], middleware=[middleware]), way, QUESTION)
            first, _, last = heard(server)
        assert tool_names(first) == ["weather", tool]
        assert calls(last) == [write, look]
        assert "sun" in results(last)[1]


@each_gpt
@pytest.mark.parametrize("middleware", [StateClaudeTextEditorMiddleware, StateClaudeMemoryMiddleware])
def test_claude_own_tools_are_refused_elsewhere(name: str, middleware: Any) -> None:
    with answering([]) as server:
        agent = create_agent(build(name, server), [weather], middleware=[middleware()])
        with pytest.raises(InvalidToolError, match="OpenAI does not have the tool"):
            agent.invoke({"messages": [QUESTION]})
        assert server.requests == []


# --- threads of both --------------------------------------------------------------------------------------------------

INIT: Mapping[str, Callable[[Emulator, dict[str, Any]], Any]] = {
    "anthropic": lambda server, kw: init_chat_model(
        "anthropic:claude-opus-5", base_url=server.anthropic_url, **REASONING["anthropic"], **kw
    ),
    "chat": lambda server, kw: init_chat_model("openai:gpt-4o", base_url=server.openai_url, **kw),
    "responses": lambda server, kw: init_chat_model(
        "openai:gpt-5.6",
        base_url=server.openai_url,
        use_responses_api=True,
        include=["reasoning.encrypted_content"],
        **REASONING["responses"],
        **kw,
    ),
}
"""The partner's model for each API, as `init_chat_model` makes it: it knows no other packages than its own list."""


@pytest.mark.parametrize("name", INIT)
@pytest.mark.parametrize("way", ["invoke", "events"])
@pytest.mark.parametrize("ours_first", [False, True], ids=["theirs first", "ours first"])
def test_a_thread_of_both(name: str, way: str, *, ours_first: bool) -> None:
    """A program that changes its import keeps its threads, and may go back: calls, results, texts and thoughts stay."""
    thoughts = {} if name == "chat" else {"reasoning": "Well."}
    turns = [(asks(ROME, content=f"Look {at}.", **thoughts), {"content": f"Sun {at}.", **thoughts}) for at in range(4)]
    saver = InMemorySaver()
    with answering([answer for both in turns for answer in both]) as server:
        for at in range(4):
            ours = build(name, server, **REASONING[name])
            model = ours if at % 2 != ours_first else INIT[name](server, {"api_key": "any", "max_retries": 0})
            agent = create_agent(model, [weather], checkpointer=saver)
            given: Any = {"messages": [("user", f"Question {at}?")]}
            if way == "invoke":
                agent.invoke(given, thread())
            else:
                assert agent.stream_events(given, thread(), version="v3").output
        last = heard(server)[-1]
    assert (calls(last), results(last)) == ([ROME] * 4, ["sun in Rome"] * 4)
    assert said(last, "assistant") == [text for at in range(4) for text in (f"Look {at}.", f"Sun {at}.")][:-1]
    thought = [block["reasoning"] for turn in last.turns for block in turn.blocks if block["type"] == "reasoning"]
    assert thought == ["Well."] * (0 if name == "chat" else 7)
