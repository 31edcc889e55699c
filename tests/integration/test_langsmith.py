"""LangSmith's tracer, with its real client and no network: what it is sent of a call, also after a switch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests
from langchain_core.messages import AIMessage
from langchain_core.tracers import LangChainTracer
from langsmith import Client

from langchain_unified import ChatUnified, message_cost
from langchain_unified.testing import Emulator, emulator

SECRET = "sk-do-not-show"
GUIDE = [("system", "The guide to the harbour. " * 600), ("human", "Where is the ferry?")]
MODELS = {"anthropic": "claude-sonnet-5", "openai": "gpt-5.6"}
WAYS = ("invoke", "stream", "ainvoke", "astream")


class Transport(requests.Session):
    """Keeps what the client sends, and answers that it was taken."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[Any] = []

    def request(self, method: str, url: str, **keywords: Any) -> requests.Response:  # type: ignore[override]
        if keywords.get("data"):
            self.bodies.append(json.loads(keywords["data"]))
        response = requests.Response()
        response.status_code, response._content = 200, b"{}"
        return response

    def runs(self) -> list[Any]:
        """The calls that ended."""
        return [body for body in self.bodies if body.get("end_time") and body["run_type"] == "llm"]


@pytest.fixture
def server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


def traced(server: Emulator, way: str, *calls: dict[str, Any]) -> tuple[list[Any], Transport]:
    """The answers of these calls to one model of Claude's, and what LangSmith was sent."""
    transport = Transport()
    client = Client(
        api_url="http://langsmith.invalid", api_key="lsv2_x", session=transport, auto_batch_tracing=False
    )  # fmt: skip
    tracer = LangChainTracer(client=client, project_name="tests")
    model = ChatUnified(
        "anthropic/claude-sonnet-5",
        anthropic_api_url=server.anthropic_url,
        openai_api_base=server.openai_url,
        anthropic_api_key=SECRET,
        openai_api_key=SECRET,
        prompt_cache="auto",
    )
    answers = [asked(model, way, {"callbacks": [tracer]}, call) for call in calls]
    tracer.wait_for_futures()
    return answers, transport


def asked(model: ChatUnified, way: str, config: Any, call: dict[str, Any]) -> AIMessage:
    async def in_loop() -> AIMessage:
        if way == "ainvoke":
            return await model.ainvoke(GUIDE, config, **call)
        return summed([chunk async for chunk in model.astream(GUIDE, config, **call)])

    if way.startswith("a"):
        return asyncio.run(in_loop())
    return model.invoke(GUIDE, config, **call) if way == "invoke" else summed(list(model.stream(GUIDE, config, **call)))


def summed(chunks: list[Any]) -> Any:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


def priced(usage: Any, name: str) -> Decimal:
    """The cost as LangSmith adds it up: each detail at its price, the rest of the input at the plain one.

    Prices: reads at 0.1 and writes at 1.25 of the input price, as both providers' guides to caching have it.
    """

    def rate(**counts: int) -> Decimal:
        tokens = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 1_000, **counts}
        cost = message_cost(AIMessage("", usage_metadata=tokens, response_metadata={"model_name": name}))
        assert cost is not None
        assert cost.total is not None
        return cost.total / 1_000

    details = usage["input_token_details"]
    read, written = details["cache_read"], details["cache_creation"]
    plain = usage["input_tokens"] - read - written
    weighed = plain + read * Decimal("0.1") + written * Decimal("1.25")
    return weighed * rate(input_tokens=1_000) + usage["output_tokens"] * rate(output_tokens=1_000)


@pytest.mark.parametrize("way", WAYS)
def test_model_provider_usage_and_cost_are_right_also_after_a_switch(server: Emulator, way: str) -> None:
    pytest.importorskip("genai_prices", reason="the extra `cost` brings the prices")
    switch = {"model": "openai/gpt-5.6"}
    answers, transport = traced(server, way, {}, {}, switch, switch)
    runs = transport.runs()
    assert len(runs) == 4
    for answer, run, provider in zip(answers, runs, ("anthropic", "anthropic", "openai", "openai"), strict=True):
        seen = run["extra"]["metadata"]
        assert (seen["ls_provider"], seen["ls_model_name"]) == (provider, MODELS[provider])
        assert seen["ls_model_type"] == "chat"
        sent = run["outputs"]["generations"][0][0]["message"]["kwargs"]
        assert sent["usage_metadata"] == answer.usage_metadata
        assert sent["response_metadata"]["model_name"] == MODELS[provider]
        cost = message_cost(answer)
        assert cost is not None
        assert priced(sent["usage_metadata"], MODELS[provider]) == cost.total
    details = [run["outputs"]["generations"][0][0]["message"]["kwargs"]["usage_metadata"] for run in runs]
    read = [usage["input_token_details"]["cache_read"] > 3_000 for usage in details]
    assert read == [False, True, False, True]


@pytest.mark.parametrize("way", ["invoke", "astream"])
def test_nothing_that_is_sent_to_langsmith_holds_a_key(server: Emulator, way: str) -> None:
    _, transport = traced(server, way, {}, {"model": "openai/gpt-5.6", "extra_headers": {"x-token": SECRET}})
    assert len(transport.runs()) == 2
    assert SECRET not in json.dumps(transport.bodies)
