"""Clients of one provider's API on a model of the other's, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from tests.gateway.running import Running, entry, gateway
from tests.support.server import Received, Reply, serve

HI = [{"role": "user", "content": "hi"}]
MODELS = ("claude", "gpt")


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with gateway() as found:
        yield found


@pytest.fixture(scope="module")
def http(running: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running.url) as client:
        yield client


@pytest.mark.parametrize("model", MODELS)
def test_the_openai_sdk_on_both_providers(running: Running, model: str) -> None:
    client = openai.OpenAI(base_url=running.url, api_key="anything", max_retries=0)
    answer = client.chat.completions.create(model=model, messages=HI)
    assert answer.choices[0].message.content == "You said: hi"
    assert answer.id.startswith("chatcmpl-")
    assert answer.usage.total_tokens > 0
    assert len(client.chat.completions.create(model=model, messages=HI, n=2).choices) == 2
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(model=model, messages=HI, stream=True, stream_options=options))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "You said: hi"
    assert [chunk.usage is not None for chunk in chunks].count(True) == 1
    assert client.responses.create(model=model, input="hi").output_text == "You said: hi"
    events = list(client.responses.create(model=model, input="hi", stream=True))
    assert events[-1].type == "response.completed"
    assert events[-1].response.usage.output_tokens > 0
    assert client.responses.input_tokens.count(model=model, input="hi there").input_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_the_anthropic_sdk_on_both_providers(running: Running, model: str) -> None:
    client = anthropic.Anthropic(base_url=running.url, api_key="anything", max_retries=0)
    answer = client.messages.create(model=model, max_tokens=20, messages=HI)
    assert answer.content[0].text == "You said: hi"
    assert answer.id.startswith("msg_")
    with client.messages.stream(model=model, max_tokens=20, messages=HI) as stream:
        assert "".join(stream.text_stream) == "You said: hi"
        assert stream.get_final_message().usage.output_tokens > 0
    assert client.messages.count_tokens(model=model, messages=HI).input_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_the_partner_classes_on_both_providers(running: Running, model: str) -> None:
    settings: dict[str, Any] = {"model": model, "base_url": running.url, "api_key": "x", "max_retries": 0}
    for chat in (ChatOpenAI(**settings), ChatOpenAI(**settings, use_responses_api=True), ChatAnthropic(**settings)):
        assert chat.invoke("hi").text == "You said: hi"
        assert "".join(chunk.text for chunk in chat.stream("hi")) == "You said: hi"
    assert ChatAnthropic(**settings).get_num_tokens_from_messages([HumanMessage("hi")]) > 0


def test_what_a_model_cannot_take_is_named_in_a_header(http: httpx2.Client) -> None:
    body = {"model": "claude", "messages": HI, "presence_penalty": 1}
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200
    assert answer.headers["x-gateway-adjustments"] == "presence_penalty"


def test_without_drop_params_it_is_refused() -> None:
    with gateway(litellm_settings={"drop_params": False}) as running:
        body = {"model": "claude", "messages": HI, "presence_penalty": 1}
        answer = httpx2.post(running.url + "/v1/chat/completions", json=body)
        assert answer.status_code == 400
        assert "presence_penalty" in answer.json()["error"]["message"]
        assert running.sent == []


@pytest.mark.parametrize("where", ["header", "body"])
def test_betas_of_the_client_reach_claude(running: Running, http: httpx2.Client, where: str) -> None:
    extra = {"anthropic-beta": "max-tokens-3-5-sonnet-2024-07-15"}
    body = {"model": "claude", "messages": HI, **({"extra_headers": extra} if where == "body" else {})}
    http.post("/chat/completions", json=body, headers=extra if where == "header" else {})
    assert running.sent[-1].headers["anthropic-beta"] == "max-tokens-3-5-sonnet-2024-07-15"


def failed_response(request: Received) -> Reply:
    """OpenAI's answer with status 200 for a response that failed, by the SDK's types `Response` and `ResponseError`."""
    error = {"code": "server_error", "message": "An error occurred while processing your request."}
    about = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5.6", "status": "failed"}
    more = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    return Reply.json({**about, **more, "output": [], "error": error, "usage": None})


def test_a_response_that_failed_is_no_empty_answer() -> None:
    with serve(failed_response) as upstream:
        own = entry("failing", "openai/gpt-5.6", f"{upstream.url}/v1")
        with gateway(entries=[own], router_settings={"num_retries": 0}) as running:
            client = anthropic.Anthropic(base_url=running.url, api_key="x", max_retries=0)
            with pytest.raises(anthropic.InternalServerError, match="An error occurred") as raised:
                client.messages.create(model="failing", max_tokens=50, messages=HI)
            assert raised.value.body["error"]["type"] == "api_error"
            # On its own API it passes as it is.
            passed = openai.OpenAI(base_url=running.url, api_key="x", max_retries=0)
            assert passed.responses.create(model="failing", input="hi").status == "failed"
            rules = {"num_retries": 0, "fallbacks": [{"failing": ["claude"]}]}
            with gateway(entries=[own], router_settings=rules) as second:
                client = anthropic.Anthropic(base_url=second.url, api_key="x", max_retries=0)
                assert client.messages.create(model="failing", max_tokens=50, messages=HI).stop_reason == "end_turn"
