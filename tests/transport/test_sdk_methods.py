"""`sdk_methods=True`: calls by the SDKs' typed methods, which instrumentation wraps. The answers are the same."""

from __future__ import annotations

import inspect
import json
import re

import pytest
from anthropic.resources.messages import AsyncMessages, Messages
from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.resources.responses import AsyncResponses, Responses

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.errors import RateLimitError
from langchain_unified.testing import Fault, emulator

MODELS = {
    "messages": lambda e, **k: ChatAnthropic(model="claude-sonnet-4-6", base_url=e.anthropic_url, api_key="x", **k),
    "chat": lambda e, **k: ChatOpenAI(model="gpt-5.4", base_url=e.openai_url, api_key="x", **k),
    "responses": lambda e, **k: ChatUnified(
        "openai/gpt-5.4", use_responses_api=True, base_url=e.openai_url, api_key="x", **k
    ),
}
RESOURCES = (Messages, AsyncMessages, Completions, AsyncCompletions, Responses, AsyncResponses)
OWN = ("id", "request_id", "created", "created_at", "completed_at")


@pytest.fixture
def seen(monkeypatch):
    """What instrumentation sees: the calls of the typed methods."""
    calls = []
    for holder in RESOURCES:
        real = holder.create

        def spy(self, *args, _real=real, **kwargs):
            calls.append(kwargs)
            return _real(self, *args, **kwargs)

        spy.__signature__ = inspect.signature(real)
        monkeypatch.setattr(holder, "create", spy)
    return calls


def plain(message):
    metadata = {key: value for key, value in message.response_metadata.items() if key not in OWN}
    found = [message.content, message.tool_calls, message.usage_metadata, metadata]
    return re.sub(r"_0\d+", "_n", json.dumps(found, sort_keys=True))  # the emulator counts its ids


def added(chunks):
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


WEATHER = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


@pytest.mark.parametrize("wire", MODELS)
@pytest.mark.parametrize("prompt", ["Say a word.", "Use the tool weather for Rome."])
async def test_the_answers_are_the_same_and_the_methods_are_called(seen, wire, prompt):
    with emulator() as emulated:
        typed = MODELS[wire](emulated, sdk_methods=True).bind_tools([WEATHER])
        usual = MODELS[wire](emulated).bind_tools([WEATHER])
        assert plain(typed.invoke(prompt)) == plain(usual.invoke(prompt))
        assert plain(added(list(typed.stream(prompt)))) == plain(added(list(usual.stream(prompt))))
        assert plain(await typed.ainvoke(prompt)) == plain(await usual.ainvoke(prompt))
        chunks = [chunk async for chunk in typed.astream(prompt)]
        assert plain(added(chunks)) == plain(added([chunk async for chunk in usual.astream(prompt)]))
        bodies = [request.body for request in emulated.requests]
    assert len(seen) == 4
    assert all(call["model"] in ("claude-sonnet-4-6", "gpt-5.4") and call["tools"] for call in seen)
    assert bodies[0::2] == bodies[1::2]


@pytest.mark.parametrize("wire", MODELS)
def test_keys_that_the_method_does_not_know_headers_and_queries_go_out_too(seen, wire):
    with emulator() as emulated:
        model = MODELS[wire](emulated, sdk_methods=True, extra_body={"metadata": {"user_id": "u"}, "brand_new": 1})
        with pytest.raises(Exception, match="brand_new"):  # the emulator knows no such key, but it got it
            model.invoke("Hi.", extra_headers={"x-more": "1"}, extra_query={"q": "2"})
        (request,) = emulated.requests
    assert request.body["brand_new"] == 1
    assert request.headers["x-more"] == "1"
    assert seen[0]["extra_body"]["brand_new"] == 1
    assert seen[0]["extra_query"] == {"q": "2"}


@pytest.mark.parametrize("wire", MODELS)
def test_errors_and_retries_are_ours(seen, wire):
    with emulator() as emulated:
        emulated.fail_next(Fault.rate_limit())
        model = MODELS[wire](emulated, sdk_methods=True)
        with pytest.raises(RateLimitError):
            model.model_copy(update={"max_retries": 0}).invoke("Hi.")
        assert len(emulated.requests) == 1
        emulated.fail_next("overloaded" if wire == "messages" else "server_error")
        assert model.invoke("Hi.").response_metadata["attempts"] == 2
        assert len(emulated.requests) == 3


def test_the_model_is_copied_and_written_with_its_setting():
    model = ChatAnthropic(model="claude-sonnet-4-6", api_key="x", sdk_methods=True)
    assert model.model_copy().sdk_methods is True
    assert model.check("Hi.").ok
