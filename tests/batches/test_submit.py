"""Batches from one end to the other: the results are those of `.batch`, at half the price."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_unified import (
    Batch,
    ChatAnthropic,
    ChatOpenAI,
    ConfigurationError,
    InvalidHistoryError,
    UnsupportedParameterError,
    message_cost,
)
from langchain_unified.servers import known_dialect
from langchain_unified.testing import Emulator
from tests.batches.conftest import KEY, created, model_at

Start = Callable[..., Emulator]

INPUTS: list[Any] = [f"say {n}" for n in range(7)]


class Word(BaseModel):
    word: str


@tool
def look_up(word: str) -> str:
    """Look a word up."""
    return word


def timeless(message: AIMessage) -> dict[str, Any]:
    """A message without what differs from call to call, and without the tier."""
    found = message.model_dump(exclude={"id"})
    metadata = {key: value for key, value in found["response_metadata"].items() if key not in VARYING}
    metadata.get("usage", {}).pop("service_tier", None)
    return {**found, "response_metadata": metadata}


VARYING = ("id", "request_id", "service_tier", "created", "created_at", "completed_at", "system_fingerprint")


def test_results_are_those_of_live_calls_but_for_the_tier_and_cost_half(start: Start, api: str) -> None:
    server = start()
    model = model_at(server, api)
    batch = model.batches.submit(INPUTS, max_requests=3)
    found, live = batch.results(), model.batch(INPUTS)
    assert [timeless(each) for each in found] == [timeless(each) for each in live]
    assert len(created(server)) == 3
    whole = sum((message_cost(each).total or Decimal(0) for each in live), Decimal(0))
    assert batch.cost.total == whole / 2 > 0
    assert batch.cost == batch.cost
    assert batch.usage is not None
    assert batch.usage["total_tokens"] == sum(each.usage_metadata["total_tokens"] for each in live)  # type: ignore[index]


async def test_async_twins_agree(start: Start, api: str, tmp_path: Path) -> None:
    server = start()
    model = model_at(server, api)
    state = tmp_path / "run.json"
    batch = await model.batches.asubmit(INPUTS, state=state, max_requests=3)
    status = await batch.await_(progress=False)
    assert (status.state, status.succeeded, status.total) == ("ended", 7, 7)
    found = await batch.aresults()
    again = await model.batches.aopen(state)
    assert [timeless(each) for each in found] == [timeless(each) for each in model.batches.open(state).results()]
    assert dict([pair async for pair in again.aas_completed()]) == dict(batch.as_completed())
    assert await batch.ausage() == batch.usage
    assert (await batch.acost()).total == batch.cost.total
    assert [row["id"] async for row in batch.arows()] == [row["id"] for row in batch.rows()]
    await batch.adelete()
    assert (await batch.astatus()).succeeded == 7


def test_bound_tools_and_structured_output(start: Start, api: str) -> None:
    server = start()
    model = model_at(server, api)
    bound = model.bind_tools([look_up], tool_choice="any")
    assert [each.tool_calls[0]["name"] for each in bound.batches.submit(INPUTS[:2]).results()] == ["look_up"] * 2
    structured = model.with_structured_output(Word)
    batch = structured.batches.submit(INPUTS[:2])
    assert batch.results() == structured.batch(INPUTS[:2])
    row = next(batch.rows())
    assert row["text"] is not None
    assert json.loads(row["text"])["word"]
    assert row["input_tokens"]
    assert row["cost"]
    raw = model.with_structured_output(Word, include_raw=True).batches.submit(INPUTS[:1]).results()[0]
    assert isinstance(raw["raw"], AIMessage)
    assert isinstance(raw["parsed"], Word)


@pytest.mark.parametrize("kind", [ChatAnthropic, ChatOpenAI])
def test_the_classes_of_one_provider(start: Start, kind: Any) -> None:
    server = start()
    name, url = ("claude-sonnet-5", server.anthropic_url) if kind is ChatAnthropic else ("gpt-4o", server.openai_url)
    model = kind(model=name, base_url=url, api_key=KEY)
    found = model.batches.submit([[HumanMessage("a")], "b"], ids=["x", "y"])
    assert [each.text for each in found.results()] == [each.text for each in model.batch(["a", "b"])]
    assert found.ids == ["x", "y"]
    assert sorted(row["id"] for row in found.rows()) == ["x", "y"]


def test_several_answers_for_one_input_are_several_requests_on_anthropic(start: Start) -> None:
    server = start()
    batch = model_at(server, "messages", n=3, on_unsupported="ignore").batches.submit(INPUTS[:2])
    assert len(created(server)[0].body["requests"]) == 6
    assert len(batch.results()) == 2
    assert batch.status().total == 6
    assert next(batch.rows())["output_tokens"] == 3 * 4


def test_stop_sequences_that_are_not_sent_are_cut_here(start: Start) -> None:
    server = start()
    model = model_at(server, "responses", on_unsupported="ignore")
    (found,) = model.batches.submit(["say hello there"], stop=["there"]).results()
    assert found.text == model.invoke("say hello there", stop=["there"]).text


# --- before the network -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "api, keywords, words",
    [
        ("messages", {"stream": True}, "stream"),
        ("chat", {"stream": True}, "stream"),
        ("messages", {"service_tier": "fast"}, "fast mode"),
        ("messages", {"max_tokens": 0}, "max_tokens=0"),
        ("messages", {"billing_policy": {"type": "billing_policy", "bill_to": "user_profile"}}, "bill_to"),
        ("responses", {"background": True}, "background"),
    ],
)
def test_what_no_batch_can_do_is_named_before_the_network(
    start: Start, api: str, keywords: dict[str, Any], words: str
) -> None:
    server = start()
    with pytest.raises(UnsupportedParameterError, match="A batch cannot have") as caught:
        model_at(server, api).batches.submit(INPUTS, **keywords)
    assert words in str(caught.value)
    assert not server.requests


def test_a_bad_input_is_named_before_the_network(start: Start, api: str) -> None:
    server = start()
    with pytest.raises(InvalidHistoryError) as caught:
        model_at(server, api).batches.submit([*INPUTS, []])
    assert caught.value.__notes__ == ["It is of input 7. Nothing was sent."]
    assert not server.requests


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"inputs": []}, "is empty"),
        ({"inputs": "hello"}, "must be a list"),
        ({"inputs": INPUTS, "ids": ["a"]}, "1 ids for 7 inputs"),
        ({"inputs": ["a", "b"], "ids": ["x", "x"]}, "'x' is given twice"),
        ({"inputs": INPUTS, "max_requests": 0}, "max_requests=0"),
        ({"inputs": INPUTS, "max_requests": 100_001}, "from 1 to 100,000"),
        ({"inputs": INPUTS, "state": "/nowhere/at/all/run.json"}, "does not exist"),
        ({"inputs": INPUTS, "tempratur": 1}, "temperature"),
    ],
)
def test_bad_arguments(start: Start, arguments: dict[str, Any], words: str) -> None:
    server = start()
    with pytest.raises(ConfigurationError, match=words):
        model_at(server, "messages").batches.submit(**arguments)
    assert not server.requests


@pytest.mark.parametrize("name", ["bedrock", "vertex", "azure", "ollama", "vllm", "openrouter", "generic"])
def test_servers_without_batches_are_refused_by_name(name: str) -> None:
    model = ChatOpenAI(model="m", base_url="http://127.0.0.1:9/v1", api_key=KEY, dialect=name)
    with pytest.raises(UnsupportedParameterError, match=f"server is {name}.*batches=True"):
        model.batches.submit(INPUTS)


def test_a_client_of_bedrock_is_refused() -> None:
    from anthropic import AnthropicBedrock

    client = AnthropicBedrock(aws_access_key="a", aws_secret_key="b", aws_region="us-east-1")
    with pytest.raises(UnsupportedParameterError, match="bedrock"):
        ChatAnthropic(model="claude-sonnet-5", client=client).batches.submit(INPUTS)


def test_a_server_that_has_batches_can_say_so(start: Start) -> None:
    from dataclasses import replace

    server = start()
    dialect = replace(known_dialect("litellm"), batches=True)
    model = ChatOpenAI(model="gpt-4o", base_url=server.openai_url, api_key=KEY, dialect=dialect)
    assert isinstance(model.batches.submit(INPUTS[:1]), Batch)
