"""Answers that OpenAI makes in the background and stores: asking for them, waiting for them, ending them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from langchain_unified import (
    ChatAnthropic,
    ChatOpenAI,
    ChatUnified,
    ConfigurationError,
    NotFoundError,
    ProviderError,
    UnifiedError,
    UnsupportedParameterError,
)
from langchain_unified.chat_models import _stored
from langchain_unified.testing import Emulator, emulator

TOOL = {"name": "get.weather", "description": "w", "input_schema": {"type": "object", "properties": {}}}


class Answer(BaseModel):
    text: str


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stored, "FIRST_INTERVAL", 0.01)


@pytest.fixture
def server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


def build(server: Emulator, kind: Any = ChatOpenAI, **fields: Any) -> Any:
    model = "gpt-5.6" if kind is ChatOpenAI else "openai/gpt-5.6"
    return kind(model=model, base_url=server.openai_url, api_key="any", max_retries=0, **fields)


def without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    ids = ("id", "msg_id", "request_id", "background")
    return {k: without_ids(v) for k, v in value.items() if k not in ids} if isinstance(value, dict) else value


def facts(message: AIMessage) -> Any:
    """What is the same in two answers to one question."""
    return without_ids(message.model_dump())


@pytest.mark.parametrize("kind", [ChatOpenAI, ChatUnified])
def test_an_answer_in_the_background_is_the_same_as_in_the_foreground(server: Emulator, kind: Any) -> None:
    model = build(server, kind, use_responses_api=True)
    pending = model.invoke("Say hello.", background=True)
    assert (pending.text, pending.response_metadata["status"]) == ("", "queued")
    assert pending.response_metadata["finish_reason"] == "pause"
    again = model.retrieve(pending)
    assert again.response_metadata["status"] == "in_progress"
    found = model.retrieve(again)
    assert found.response_metadata["status"] == "completed"
    assert facts(found) == facts(model.invoke("Say hello."))
    assert facts(model.retrieve(found.response_metadata["id"])) == facts(found)


async def test_the_async_twins(server: Emulator) -> None:
    model = build(server)
    pending = await model.ainvoke("Say hello.", background=True)
    found, same = await asyncio.gather(model.aretrieve(pending, wait=5), model.aretrieve(pending, wait=5))
    assert found.text == same.text == "You said: Say hello."
    other = await model.ainvoke("Say more.", background=True)
    assert (await model.acancel(other)).response_metadata["status"] == "cancelled"


@pytest.mark.parametrize("wait", [5, math.inf])
def test_waiting_for_the_end(server: Emulator, wait: float) -> None:
    model = build(server)
    assert model.retrieve(model.invoke("hi", background=True), wait=wait).text == "You said: hi"


def test_waiting_ends_with_what_is_there(server: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stored, "_is_pending", lambda found: True)
    found = build(server).retrieve(build(server).invoke("hi", background=True), wait=0.05)
    assert found.text == "You said: hi"


def test_ending_an_answer(server: Emulator) -> None:
    model = build(server)
    pending = model.invoke("hi", background=True)
    cancelled = model.cancel(pending)
    assert (cancelled.text, cancelled.response_metadata["status"]) == ("", "cancelled")
    assert model.retrieve(pending, wait=5).response_metadata["status"] == "cancelled"
    finished = model.retrieve(model.invoke("hi", background=True), wait=5)
    assert model.cancel(finished).text == "You said: hi"


def test_what_is_bound_reads_the_answer(server: Emulator) -> None:
    bound = build(server).bind_tools([TOOL], tool_choice="any")
    call = bound.retrieve(bound.invoke("hi", background=True), wait=5).tool_calls[0]
    assert call["name"] == "get.weather"
    typed = build(server).bind(response_format=Answer)
    assert "parsed" in typed.retrieve(typed.invoke("hi", background=True), wait=5).additional_kwargs
    structured = build(server).with_structured_output(Answer)
    pending = structured.invoke("hi", background=True)
    assert isinstance(pending, AIMessage)
    assert isinstance(structured.retrieve(pending, wait=5), Answer)


@pytest.mark.parametrize("version", ["v0", "responses/v1", "v1"])
def test_the_output_version_of_the_model(server: Emulator, version: str) -> None:
    model = build(server, use_responses_api=True, output_version=version)
    found = model.retrieve(model.invoke("hi", background=True), wait=5)
    assert without_ids(found.content) == without_ids(model.invoke("hi").content)


class Runs(BaseCallbackHandler):
    def __init__(self) -> None:
        self.ends: list[Any] = []

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.ends.append(response.generations[0][0].message.usage_metadata)


def test_callbacks_get_one_call_with_its_usage(server: Emulator) -> None:
    model, runs = build(server), Runs()
    pending = model.invoke("hi", background=True)
    model.retrieve(pending, {"callbacks": [runs]}, wait=5)
    assert [usage["output_tokens"] > 0 for usage in runs.ends] == [True]


def test_the_status_is_not_cached_and_not_streamed(server: Emulator) -> None:
    model = build(server, cache=InMemoryCache(), streaming=True)
    pending = model.invoke("hi", background=True, stream=False)
    states = [model.retrieve(pending).response_metadata["status"] for _ in range(2)]
    assert states == ["in_progress", "completed"]


def test_a_stream_that_broke_is_retrieved_by_its_partial_answer() -> None:
    with emulator(["a long answer in many pieces"]) as server:
        model = build(server, use_responses_api=True)
        faulty = {"x-emulator-fault": "cut; after_bytes=6500"}
        with pytest.raises(UnifiedError) as caught:
            list(model.stream("hi", background=True, extra_headers=faulty))
        assert model.retrieve(caught.value.partial, wait=5).text == "a long answer in many pieces"


def test_what_has_no_stored_answer(server: Emulator) -> None:
    model = build(server, use_responses_api=False)
    with pytest.raises(NotFoundError, match="resp_none"):
        model.retrieve("resp_none")
    with pytest.raises(ConfigurationError, match="use_responses_api=True"):
        model.retrieve(model.invoke("hi"))
    with pytest.raises(ConfigurationError, match="empty"):
        model.retrieve(" ")
    with pytest.raises(UnsupportedParameterError, match="Only OpenAI"):
        ChatAnthropic("claude-opus-5", api_key="any").retrieve("resp_1")


def test_an_error_of_the_server_is_raised(server: Emulator) -> None:
    pending = build(server).invoke("hi", background=True)
    with pytest.raises(ProviderError):
        build(server).retrieve(pending, extra_headers={"x-emulator-fault": "server_error"})


def test_the_emulator_answers_openais_client(server: Emulator) -> None:
    client = openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=0)
    pending = client.responses.create(model="gpt-5.6", input="hi", background=True)
    states = [client.responses.retrieve(pending.id).status for _ in range(3)]
    assert [pending.status, *states] == ["queued", "in_progress", "completed", "completed"]
    assert client.responses.retrieve(pending.id).output_text == "You said: hi"
    other = client.responses.create(model="gpt-5.6", input="hi", background=True)
    assert client.responses.cancel(other.id).output == []
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        client.responses.cancel(client.responses.create(model="gpt-5.6", input="hi").id)
    assert [each.endpoint for each in server.requests if each.method == "GET"] == ["stored response"] * 4


def test_windows_of_the_background_go_out(server: Emulator) -> None:
    model = build(server)
    model.invoke("hi", background=True, background_options={"completion_window": "2h"})
    assert server.requests[-1].body["background_options"] == {"completion_window": "2h"}
