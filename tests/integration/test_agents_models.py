"""The ways to give an agent one of our models: bound, configured, chosen for a run, with another to fall back on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import ToolMessage
from langchain_core.runnables import ConfigurableField

from langchain_unified.testing import Fault
from tests.integration.agents import (
    OSLO,
    OTHER,
    ROME,
    answering,
    answers,
    ask,
    asks,
    both_ways,
    calls,
    each_model,
    heard,
    results,
    run,
    tool_names,
    weather,
)
from tests.support.models import build

QUESTION = ("user", "How is the weather?")
TWO_CALLS = asks(ROME, OSLO, content="I will look.")


@each_model
@both_ways
async def test_a_bound_model(name: str, way: str) -> None:
    """What is bound stays through the agent's own binding: keywords, and the config with its tags and callbacks."""
    seen: list[Any] = []

    class Listener(BaseCallbackHandler):
        def on_chat_model_start(self, *args: Any, tags: Any, metadata: Any, **kwargs: Any) -> None:
            seen.append(("mine" in tags, metadata["team"]))

    with answering([TWO_CALLS, "Sun.", "{}"]) as server:
        config: Any = {"tags": ["mine"], "metadata": {"team": "blue"}, "callbacks": [Listener()]}
        model = build(name, server).with_config(config).bind(max_tokens=77)
        await ask(create_agent(model, [weather]), way, QUESTION)
        await run(model.with_structured_output({"title": "Sky", "type": "object"}), way, "Hi")
        assert [request.params["max_tokens"] for request in heard(server)] == [77] * 3
    assert seen == [(True, "blue")] * 3


@each_model
@both_ways
async def test_another_model_for_a_run(name: str, way: str) -> None:
    """`model_settings` may name another model; with `ChatUnified` the other provider's."""
    others = {"anthropic": "claude-sonnet-4-6", "chat": "gpt-4.1", "responses": "gpt-5.5"}
    other = others.get(name, "openai/gpt-5.6" if name == "unified-anthropic" else "anthropic/claude-opus-5")

    def switched(request: Any) -> Any:
        answered = any(isinstance(message, ToolMessage) for message in request.messages)
        return request.override(model_settings={"model": other, "max_tokens": 99}) if answered else request

    with answering([TWO_CALLS, "Sun."]) as server:
        urls = {"anthropic_api_url": server.anthropic_url, "openai_api_base": server.openai_url}
        keys = {"anthropic_api_key": "any", "openai_api_key": "any"}
        model = build(name, server, **({**urls, **keys} if name.startswith("unified") else {}))
        state = await ask(create_agent(model, [weather], middleware=[Before(switched)]), way, QUESTION)
        first, second = heard(server)
    assert second.model == other.split("/")[-1] != first.model
    assert (calls(second), results(second)) == ([ROME, OSLO], ["sun in Rome", "sun in Oslo"])
    assert second.params["max_tokens"] == 99
    assert [message.response_metadata["model_name"] for message in answers(state)] == [first.model, second.model]


class Before(AgentMiddleware[Any, Any, Any]):
    """Changes each request to the model."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        super().__init__()
        self.change = change

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return handler(self.change(request))

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        return await handler(self.change(request))


@each_model
@both_ways
async def test_configurable_fields(name: str, way: str) -> None:
    """An agent binds its tools to the configured model when it is configured before."""
    field = "model_name" if name in ("chat", "responses") else "model"
    others = {"chat": "gpt-4.1", "responses": "gpt-5.5", "unified-openai": "openai/gpt-5.5"}
    other = others.get(name, "claude-haiku-4-5")
    with answering(["One.", "Two."]) as server:
        model = build(name, server).configurable_fields(**{field: ConfigurableField(id="which")})
        chosen: Any = {"configurable": {"which": other}}
        await run(model, way, "Hi", chosen)
        await ask(create_agent(model.with_config(chosen), [weather]), way, QUESTION)
        assert [request.model for request in heard(server)] == [other.split("/")[-1]] * 2


@each_model
@both_ways
async def test_fallbacks_of_a_model(name: str, way: str) -> None:
    """The other API takes over in the middle of a run; the tools are bound to both."""
    with answering([TWO_CALLS, Fault.overloaded(), "Sun in both."]) as server:
        model = build(name, server).with_fallbacks([build(OTHER[name], server)])
        state = await ask(create_agent(model, [weather]), way, QUESTION)
        first, failed, second = heard(server)
        assert [request.status for request in server.requests][1] in (503, 529)
    assert (calls(second), results(second)) == ([ROME, OSLO], ["sun in Rome", "sun in Oslo"])
    assert tool_names(first) == tool_names(failed) == tool_names(second) == ["weather"]
    assert answers(state)[-1].text == "Sun in both."


@each_model
@both_ways
async def test_a_named_agent(name: str, way: str) -> None:
    """The agent's name stands in its messages, and is no obstacle for any API."""
    with answering([TWO_CALLS, "Sun."]) as server:
        state = await ask(create_agent(build(name, server), [weather], name="Weather Man 2.0"), way, QUESTION)
        (spoke,) = (turn for turn in heard(server)[1].turns if turn.role == "assistant")
    assert {message.name for message in answers(state)} == {"Weather Man 2.0"}
    assert spoke.name == ("Weather_Man_2_0" if name == "chat" else None)
