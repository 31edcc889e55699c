"""What the tests of tracked costs share: every way to call a model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda

from langchain_unified import ChatUnified
from langchain_unified.request import Request
from langchain_unified.testing import Emulator
from langchain_unified.wires._completion import Completion, Tokens

USED = Tokens(uncached=600, cache_read=400, output=100)
DAY = 1_795_132_800  # 2026-11-20
EACH = {
    "anthropic": Decimal("0.0057"),  # claude-opus-5: 600 at 5, 400 at 0.50, 100 at 25
    "chat": Decimal("0.003"),  # gpt-4o: 600 at 2.50, 400 at 1.25, 100 at 10
    "responses": Decimal("0.00456"),  # gpt-5.6: 600 at 4, 400 at 0.40, 100 at 20
}
MODELS = {"anthropic": "anthropic/claude-opus-5", "chat": "openai/gpt-4o", "responses": "openai/gpt-5.6"}
each_api = pytest.mark.parametrize("api", EACH)


def said(request: Request) -> Completion:
    return Completion("", "", ({"type": "text", "text": "Hello, all three."},), tokens=USED, created=DAY)


def chat_model(server: Emulator, api: str, **fields: Any) -> ChatUnified:
    url = server.anthropic_url if api == "anthropic" else server.openai_url
    return ChatUnified(MODELS[api], api_key="any", base_url=url, max_retries=0, **fields)


def in_loop(call: Callable[[BaseChatModel, dict[str, Any]], Any]) -> Callable[[BaseChatModel, dict[str, Any]], Any]:
    return lambda model, config: asyncio.run(call(model, config))


async def _astream(model: BaseChatModel, config: dict[str, Any]) -> None:
    async for _ in model.astream("Hi", config):
        pass


async def _astream_v3(model: BaseChatModel, config: dict[str, Any]) -> None:
    stream = await model.astream_events("Hi", config, version="v3")
    async for _ in stream:
        pass


WAYS: dict[str, Callable[[BaseChatModel, dict[str, Any]], Any]] = {
    "invoke": lambda model, config: model.invoke("Hi", config),
    "ainvoke": in_loop(lambda model, config: model.ainvoke("Hi", config)),
    "stream": lambda model, config: list(model.stream("Hi", config)),
    "astream": in_loop(_astream),
    "batch": lambda model, config: model.batch(["Hi"], config),
    "abatch": in_loop(lambda model, config: model.abatch(["Hi"], config)),
    "generate": lambda model, config: model.generate([[HumanMessage("Hi")]], **config),
    "v3": lambda model, config: list(model.stream_events("Hi", config, version="v3")),
    "async v3": in_loop(_astream_v3),
    "in a chain": lambda model, config: (RunnableLambda(str.upper) | model).invoke("Hi", config),
}
each_way = pytest.mark.parametrize("way", WAYS)
