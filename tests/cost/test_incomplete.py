"""What is counted of a call that is left, cancelled or broken during its answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel

from langchain_unified import ChatUnified, RateLimitError, UnifiedError, cost_callback
from langchain_unified.cost import usd
from langchain_unified.testing import Emulator, Fault
from tests.cost.tracking_helpers import EACH, MODELS, WAYS, chat_model, each_api

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")

STARTED = {"anthropic": Decimal("0.003225"), "chat": Decimal(0), "responses": Decimal(0)}
"""USD that are known when a stream has begun: the first event of Messages has the input and one token of output."""
EVENTS = {"anthropic": 5, "chat": 3, "responses": 6}
"""Events of a stream after which a part of the text was sent, and the usage was not."""
CUT_OFF = {
    "anthropic": "the stream ended early, and its output was not counted to the end",
    "chat": "the stream ended before it reported its usage",
    "responses": "the stream ended before it reported its usage",
}


@each_api
def test_a_stream_that_is_not_read_to_its_end_is_listed(server: Emulator, api: str) -> None:
    with cost_callback() as costs:
        stream = chat_model(server, api).stream("Hi")
        next(stream)
        stream.close()
    assert (costs.calls, costs.incomplete_calls, costs.total) == (1, 1, STARTED[api])
    (gap,) = costs.unpriced
    assert gap.model == MODELS[api].partition("/")[2]
    assert gap.reason == CUT_OFF[api]
    assert str(costs).splitlines()[0].startswith(f"at least {usd(STARTED[api])} in 1 call, ")
    assert "1 incomplete" in str(costs)


@each_api
@pytest.mark.parametrize("way", ["stream", "v3"])
def test_a_stream_that_fails_is_listed(server: Emulator, api: str, way: str) -> None:
    server.fail_next(Fault.overloaded_mid_stream(after_events=EVENTS[api]))
    with cost_callback() as costs, pytest.raises(UnifiedError):
        WAYS[way](chat_model(server, api), {})
    assert [gap.reason for gap in costs.unpriced] == [CUT_OFF[api]]
    assert (costs.total, costs.incomplete_calls) == (STARTED[api], 1)


def test_a_task_that_is_cancelled_is_listed(server: Emulator) -> None:
    async def left() -> None:
        stream = chat_model(server, "chat").astream("Hi")
        async for _ in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]

    with cost_callback() as costs:
        asyncio.run(left())
    assert [gap.model for gap in costs.unpriced] == ["gpt-4o"]


async def _break(model: ChatUnified, config: RunnableConfig) -> None:
    async for _ in model.astream("Hi", config):
        break
    (handler,) = config["callbacks"]
    while not handler.ends:  # noqa: ASYNC110 - the event loop closes a generator that is dropped
        await asyncio.sleep(0.01)


async def _aclose(model: ChatUnified, config: RunnableConfig) -> None:
    stream = model.astream("Hi", config)
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]


async def _cancel(call: Coroutine[Any, Any, Any], after: threading.Event) -> None:
    task = asyncio.create_task(call)
    while not after.is_set():  # noqa: ASYNC110 - the model's chunk sets it, maybe in another task
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})


async def _all(chunks: AsyncIterator[Any]) -> list[Any]:
    return [chunk async for chunk in chunks]


async def _v3(model: ChatUnified, config: RunnableConfig) -> None:
    stream = await model.astream_events("Hi", config, version="v3")
    async with stream:
        async for event in stream:
            if event["event"] == "content-block-delta":
                break


def _closed(model: ChatUnified, config: RunnableConfig) -> None:
    stream = model.stream("Hi", config)
    next(stream)
    stream.close()  # type: ignore[attr-defined]


LEAVING: dict[str, Callable[[ChatUnified, RunnableConfig, threading.Event], Any]] = {
    "close": lambda model, config, seen: _closed(model, config),
    "break": lambda model, config, seen: asyncio.run(_break(model, config)),
    "aclose": lambda model, config, seen: asyncio.run(_aclose(model, config)),
    "cancel astream": lambda model, config, seen: asyncio.run(_cancel(_all(model.astream("Hi", config)), seen)),
    "cancel ainvoke": lambda model, config, seen: asyncio.run(
        _cancel(model.model_copy(update={"streaming": True}).ainvoke("Hi", config), seen)
    ),
    "v3": lambda model, config, seen: asyncio.run(_v3(model, config)),
}
"""Ways to leave a call during its stream."""


class FirstToken(BaseCallbackHandler):
    """Sees the first text of an answer, and how its run ends."""

    run_inline = True

    def __init__(self) -> None:
        self.seen = threading.Event()
        self.ends: list[tuple[BaseException, LLMResult]] = []

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        self.seen.set()

    def on_llm_error(self, error: BaseException, *, response: LLMResult, **kwargs: Any) -> None:
        self.ends.append((error, response))


@each_api
@pytest.mark.parametrize("way", LEAVING)
def test_a_stream_that_is_left_counts_what_is_known_of_it(server: Emulator, api: str, way: str) -> None:
    server.fail_next(Fault.stall(seconds=20, after_events=EVENTS[api]))
    handler = FirstToken()
    with cost_callback() as costs:
        LEAVING[way](chat_model(server, api), {"callbacks": [handler]}, handler.seen)
    assert (costs.calls, costs.incomplete_calls, costs.open_calls) == (1, 1, 0)
    assert costs.total == STARTED[api]
    assert [gap.reason for gap in costs.unpriced] == [CUT_OFF[api]]
    ((error, response),) = handler.ends
    answers = [each.message for row in response.generations for each in row if isinstance(each, ChatGeneration)]
    partial = answers[0] if answers else getattr(error, "partial", None)
    assert isinstance(partial, AIMessageChunk)
    assert partial.response_metadata["incomplete"] is True
    assert partial.response_metadata["model_name"] == MODELS[api].partition("/")[2]
    assert (partial.usage_metadata or {}).get("input_tokens") == (1_000 if api == "anthropic" else None)


@each_api
def test_an_invoke_that_is_cancelled_is_listed(server: Emulator, api: str) -> None:
    async def left() -> None:
        task = asyncio.create_task(chat_model(server, api).ainvoke("Hi"))
        while not server.requests:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})

    server.fail_next(Fault.stall(seconds=20))
    with cost_callback() as costs:
        asyncio.run(left())
    assert (costs.calls, costs.incomplete_calls, costs.open_calls) == (1, 1, 0)
    assert [gap.reason for gap in costs.unpriced] == ["the call ended before its usage was reported"]


def test_an_answer_that_is_no_structured_output_counts(server: Emulator) -> None:
    model = chat_model(server, "chat").bind(response_format=Fruit)
    with cost_callback() as costs:
        for call in (model.invoke, lambda question: list(model.stream(question))):
            with pytest.raises(UnifiedError):
                call("Hi")
    assert (costs.total, costs.calls, costs.incomplete_calls) == (2 * EACH["chat"], 2, 0)


class Fruit(BaseModel):
    name: str


def test_a_call_whose_end_nobody_reports_is_open(server: Emulator) -> None:
    with cost_callback() as costs:
        stream = chat_model(server, "chat").stream_events("Hi", version="v3")
        next(iter(stream))
    assert (costs.calls, costs.open_calls) == (0, 1)
    assert str(costs) == "$0 in 0 calls, 1 without an end so far"


def test_a_failed_call_is_not_open(server: Emulator) -> None:
    server.fail_next(Fault.rate_limit())
    with cost_callback() as costs, pytest.raises(RateLimitError):
        chat_model(server, "chat").invoke("Hi")
    assert costs.open_calls == 0
