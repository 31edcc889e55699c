"""What LangChain and its users expect of a chat model, on every class and API, against a local server."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any, TypedDict

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import ConfigurableField
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, RateLimitError
from tests.support.replies import NO_DETAILS, answer
from tests.support.server import Received, Reply, Server, serve

CLASSES = ("anthropic", "chat", "responses", "unified-anthropic", "unified-openai")


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(answer) as running:
        yield running


def build(name: str, server: Server, **kwargs: Any) -> Any:
    kwargs = {"api_key": "not-a-key", "max_retries": 0, **kwargs}
    if name == "anthropic":
        return ChatAnthropic(**{"model": "claude-sonnet-4-5", "base_url": server.url, **kwargs})
    if name == "unified-anthropic":
        return ChatUnified(**{"model": "anthropic/claude-sonnet-4-5", "base_url": server.url, **kwargs})
    if name == "unified-openai":
        return ChatUnified(**{"model": "openai/gpt-4o", "base_url": server.url + "/v1", **kwargs})
    responses = name == "responses"
    return ChatOpenAI(**{"model": "gpt-4o", "base_url": server.url + "/v1", "use_responses_api": responses, **kwargs})


each = pytest.mark.parametrize("name", CLASSES)


@each
async def test_the_four_ways_say_the_same(name: str, server: Server) -> None:
    model = build(name, server)
    streamed = reduce(add, model.stream("hi"))
    astreamed = reduce(add, [chunk async for chunk in model.astream("hi")])
    for message in (model.invoke("hi"), await model.ainvoke("hi"), streamed, astreamed):
        assert message.text == "hello"
        assert isinstance(message.content, list if name == "responses" else str)
        assert message.usage_metadata == {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7, **NO_DETAILS}
        assert message.response_metadata["finish_reason"] == "stop"
        assert message.response_metadata["request_id"] == "req_1"
        assert str(message.id).startswith("lc_run-")
        assert message.response_metadata["id"] != message.id
    assert len(server.requests) == 4


@each
def test_plain_text_streams_as_text(name: str, server: Server) -> None:
    """Programs print `chunk.content`; all the chunks of a message carry one id.

    `ChatOpenAI` on Responses streams blocks, as langchain-openai does.
    """
    chunks = list(build(name, server).stream("hi"))
    assert {type(chunk.content) for chunk in chunks} == {list if name == "responses" else str}
    assert "".join(chunk.text for chunk in chunks) == "hello"
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].chunk_position == "last"


@each
def test_batch(name: str, server: Server) -> None:
    assert [m.text for m in build(name, server).batch(["a", "b", "c"])] == ["hello"] * 3


# --- which model, which provider --------------------------------------------------------------------------------------


def test_a_call_may_change_the_provider(server: Server) -> None:
    model = ChatUnified(
        "anthropic/claude-sonnet-4-5",
        anthropic_api_key="a-key",
        openai_api_key="o-key",
        anthropic_api_url=server.url,
        openai_api_base=server.url + "/v1",
    )
    first = model.invoke("hi")
    second = model.invoke([HumanMessage("hi"), first, HumanMessage("again")], model="openai/gpt-4o")
    third = model.invoke("hi", model="gpt-5.6")
    assert [m.response_metadata["model_provider"] for m in (first, second, third)] == ["anthropic", "openai", "openai"]
    paths = [request.path for request in server.requests]
    assert paths == ["/v1/messages", "/v1/chat/completions", "/v1/responses"]
    assert server.requests[0].json["max_tokens"] == 64000
    assert "max_tokens" not in server.requests[1].json


def test_the_required_limit_is_that_of_the_model_of_the_call(server: Server) -> None:
    model = build("anthropic", server)
    model.invoke("hi")
    model.invoke("hi", model="claude-opus-4-6")
    model.invoke("hi", model="claude-nobody-knows-1")
    model.invoke("hi", max_tokens=9)
    limits = [request.json["max_tokens"] for request in server.requests]
    assert limits == [64000, 128000, 4096, 9]


def test_configurable_model(server: Server) -> None:
    model = build("unified-openai", server).configurable_fields(model=ConfigurableField(id="model"))
    model.invoke("hi", config={"configurable": {"model": "openai/gpt-4.1"}})
    assert "".join(c.content for c in model.stream("hi")) == "hello"
    assert [request.json["model"] for request in server.requests] == ["gpt-4.1", "gpt-4o"]
    assert server.requests[1].json["stream"] is True


def test_fallback_to_the_other_provider() -> None:
    def respond(request: Received) -> Reply:
        if request.path == "/v1/messages":
            error = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}
            return Reply.json(error, 429, {"retry-after": "7"})
        return answer(request)

    with serve(respond) as server:
        claude, gpt = build("unified-anthropic", server), build("unified-openai", server)
        assert claude.with_fallbacks([gpt]).invoke("hi").response_metadata["model_provider"] == "openai"
        with pytest.raises(RateLimitError) as caught:
            claude.invoke("hi")
    assert caught.value.retry_after == 7
    assert caught.value.is_retryable


@each
def test_tracing_params_follow_the_call(name: str, server: Server) -> None:
    model = build(name, server, temperature=0.5, max_tokens=9)
    provider = "anthropic" if "anthropic" in name else "openai"
    params = model._get_ls_params(stop=["x"])
    assert params["ls_provider"] == provider
    assert params["ls_model_name"] in ("claude-sonnet-4-5", "gpt-4o")
    assert (params["ls_temperature"], params["ls_max_tokens"], params["ls_stop"]) == (0.5, 9, ["x"])
    assert model._get_ls_params(model="another")["ls_model_name"] == "another"
    assert model._llm_type == f"{provider}-chat"
    assert model._identifying_params["temperature"] == 0.5
    assert model.asdict()["_type"] == f"{provider}-chat"
    assert model.profile["max_output_tokens"] > 1000


# --- parameters -------------------------------------------------------------------------------------------------------


@each
def test_stop_from_everywhere(name: str, server: Server) -> None:
    if name == "responses":
        pytest.skip("the Responses API has no stop sequences")
    key = "stop_sequences" if "anthropic" in name else "stop"
    build(name, server, stop=["a"]).invoke("hi")
    build(name, server).invoke("hi", stop=["b"])
    build(name, server).bind(stop_sequences="c").invoke("hi")
    assert [request.json[key] for request in server.requests] == [["a"], ["b"], ["c"]]


def test_sampling_on_a_model_that_takes_it_uses_the_version_that_takes_it(server: Server) -> None:
    build("anthropic", server, temperature=0.0, top_k=3).invoke("hi")
    build("anthropic", server).invoke("hi")
    first, second = server.requests
    assert (first.json["temperature"], first.json["top_k"]) == (0.0, 3)
    assert first.headers["anthropic-version"] == "2023-06-01"
    assert second.headers["anthropic-version"] == "2026-10-21"


def test_what_cannot_be_said_is_named_once_and_noted(server: Server) -> None:
    model = build("anthropic", server)
    with pytest.warns(UserWarning, match="seed"):
        first = model.invoke("hi", seed=7)
    second = model.invoke("hi", seed=7)  # a second warning would be an error here
    for message in (first, second):
        (adjustment,) = message.response_metadata["adjustments"]
        assert adjustment["what"] == "seed"
    assert "seed" not in server.requests[0].json
    quiet = build("anthropic", server, on_unsupported="ignore").invoke("hi", seed=7)
    assert quiet.response_metadata["adjustments"] == first.response_metadata["adjustments"]


@each
def test_call_keywords_of_the_transport(name: str, server: Server) -> None:
    model = build(name, server, default_headers={"x-default": "1"}, default_query={"q": "1"})
    model.invoke("hi", extra_headers={"x-call": "2"}, extra_query={"r": "2"}, extra_body={"new_key": 3}, timeout=5)
    (request,) = server.requests
    assert (request.headers["x-default"], request.headers["x-call"]) == ("1", "2")
    assert (request.query["q"], request.query["r"]) == ("1", "2")
    assert request.json["new_key"] == 3


def test_betas_add_up(server: Server) -> None:
    model = build("anthropic", server, betas=["b-1"], default_headers={"anthropic-beta": "b-0"})
    model.invoke("hi", extra_headers={"anthropic-beta": "b-2"})
    assert set(server.requests[0].headers["anthropic-beta"].split(",")) == {"b-0", "b-1", "b-2"}


@each
def test_a_key_per_call(name: str, server: Server) -> None:
    build(name, server).invoke("hi", api_key="tenant-key")
    headers = server.requests[0].headers
    assert "tenant-key" in headers.get("authorization", "") + headers.get("x-api-key", "")
    assert "not-a-key" not in str(headers)


# --- tools ------------------------------------------------------------------------------------------------------------


class Weather(BaseModel):
    """The weather."""

    city: str = Field(description="where")


class WeatherDict(TypedDict):
    """The weather."""

    city: str


def get_weather(city: str) -> str:
    """The weather."""
    return city


@tool
def weather_tool(city: str) -> str:
    """The weather."""
    return city


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: dict[str, Any] = {
    "Weather": Weather,
    "WeatherDict": WeatherDict,
    "get_weather": get_weather,
    "weather_tool": weather_tool,
    "openai": {"type": "function", "function": {"name": "openai", "description": "The weather.", "parameters": SCHEMA}},
    "flat": {"type": "function", "name": "flat", "description": "The weather.", "parameters": SCHEMA},
    "anthropic": {"name": "anthropic", "description": "The weather.", "input_schema": SCHEMA},
    "schema": {"title": "schema", "description": "The weather.", **SCHEMA},
}


def sent_tool(request: Received) -> tuple[str, str, dict[str, Any]]:
    sent = request.json["tools"][0]
    sent = sent.get("function", sent)
    return sent["name"], sent["description"], sent.get("input_schema") or sent["parameters"]


@each
@pytest.mark.parametrize("written", TOOLS)
def test_tools_written_in_any_way(name: str, written: str, server: Server) -> None:
    build(name, server).bind_tools([TOOLS[written]]).invoke("hi")
    sent, description, schema = sent_tool(server.requests[0])
    assert (sent, description) == (written, "The weather.")
    assert schema["properties"]["city"]["type"] == "string"
    assert schema["required"] == ["city"]


FORMS: list[Any] = [
    "t",
    {"type": "tool", "name": "t"},
    {"type": "function", "function": {"name": "t"}},
    {"type": "function", "name": "t"},
]
NAMED = (
    {"type": "tool", "name": "t"},
    {"type": "function", "function": {"name": "t"}},
    {"type": "function", "name": "t"},
)
CHOICES: list[tuple[Any, Any, Any, Any]] = [
    # what was written, on Anthropic, on Chat, on Responses
    ("auto", {"type": "auto"}, "auto", "auto"),
    ("any", {"type": "any"}, "required", "required"),
    ("required", {"type": "any"}, "required", "required"),
    (True, {"type": "any"}, "required", "required"),
    ("none", {"type": "none"}, "none", "none"),
    *((form, *NAMED) for form in FORMS),
]  # fmt: skip


@pytest.mark.parametrize("choice, anthropic, chat, responses", CHOICES)
def test_tool_choice_means_the_same(choice: Any, anthropic: Any, chat: Any, responses: Any, server: Server) -> None:
    for name, expected in (("anthropic", anthropic), ("chat", chat), ("responses", responses)):
        build(name, server).bind_tools([{"name": "t", "input_schema": SCHEMA}], tool_choice=choice).invoke("hi")
        assert server.requests[-1].json["tool_choice"] == expected


@each
def test_serial_calls(name: str, server: Server) -> None:
    model = build(name, server)
    model.bind_tools([get_weather], parallel_tool_calls=False).invoke("hi")
    model.bind_tools([get_weather]).invoke("hi", parallel_tool_calls=False)
    for request in server.requests:
        if "anthropic" in name:
            assert request.json["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
        else:
            assert request.json["parallel_tool_calls"] is False


@each
def test_strict_tools_and_a_response_format(name: str, server: Server) -> None:
    schema = {**SCHEMA, "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    build(name, server).bind_tools([get_weather], strict=True, response_format=form).invoke("hi")
    body = server.requests[0].json
    tool_sent = body["tools"][0]
    assert (tool_sent.get("function") or tool_sent)["strict"] is True
    if "anthropic" in name:
        assert body["output_config"]["format"]["schema"]["required"] == ["city"]
    elif name == "responses":
        assert body["text"]["format"] == {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}
    else:
        assert body["response_format"] == form


@each
async def test_a_tool_loop(name: str) -> None:
    def respond(request: Received) -> Reply:
        done = any(word in str(request.body) for word in ('"tool_result"', '"role":"tool"', "function_call_output"))
        return answer(request, "done") if done else answer(request, "", (("get_weather", {"city": "Paris"}),) * 2)

    with serve(respond) as server:
        model = build(name, server).bind_tools([get_weather])
        whole, streamed = model.invoke("hi"), reduce(add, model.stream("hi"))
        for message in (whole, streamed):
            assert [call["args"] for call in message.tool_calls] == [{"city": "Paris"}] * 2
            assert len({call["id"] for call in message.tool_calls}) == 2
            assert message.response_metadata["finish_reason"] == "tool_calls"
            results = [ToolMessage("18", tool_call_id=call["id"]) for call in message.tool_calls]
            assert (await model.ainvoke([HumanMessage("hi"), message, *results])).text == "done"


# --- the rest of LangChain --------------------------------------------------------------------------------------------


@each
def test_output_version_v1(name: str, server: Server) -> None:
    model = build(name, server, output_version="v1")
    whole = model.invoke("hi")
    assert [block["type"] for block in whole.content] == ["text"]
    streamed = reduce(add, model.stream("hi"))
    assert [block["text"] for block in streamed.content_blocks] == ["hello"]
    oldest = build(name, server, output_version="v0").invoke("hi")
    assert oldest.text == "hello"
    assert isinstance(oldest.content, list if name == "responses" else str)
    # A v1 message goes back to the wire that made it.
    model.invoke([HumanMessage("hi"), whole, HumanMessage("more")])
    assert "hello" in str(server.requests[-1].body)


@each
def test_streaming_switches(name: str, server: Server) -> None:
    assert [c.text for c in build(name, server, disable_streaming=True).stream("hi")] == ["hello"]
    build(name, server, streaming=True).invoke("hi")
    build(name, server, disable_streaming="tool_calling").bind_tools([get_weather]).invoke("hi", stream=True)
    assert [bool(request.json.get("stream")) for request in server.requests] == [False, True, False]


@each
def test_rate_limiter_and_cache(name: str, server: Server) -> None:
    limiter = InMemoryRateLimiter(requests_per_second=1000, check_every_n_seconds=0.001)
    model = build(name, server, rate_limiter=limiter, cache=InMemoryCache())
    first, second = model.invoke("hi"), model.invoke("hi")
    assert first.content == second.content
    assert len(server.requests) == 1


@each
def test_callbacks_see_tokens(name: str, server: Server) -> None:
    class Tokens(BaseCallbackHandler):
        def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
            seen.append(kwargs["chunk"].message.text)
            assert token == kwargs["chunk"].message.content

    seen: list[str] = []
    list(build(name, server).stream("hi", config={"callbacks": [Tokens()]}))
    assert "".join(seen) == "hello"


@each
async def test_astream_events(name: str, server: Server) -> None:
    events = [event["event"] async for event in build(name, server).astream_events("hi", version="v2")]
    assert events[0] == "on_chat_model_start"
    assert events[-1] == "on_chat_model_end"
    assert "on_chat_model_stream" in events


@each
def test_counting_tokens(name: str, server: Server) -> None:
    model = build(name, server)
    count = model.get_num_tokens_from_messages([SystemMessage("be brief"), HumanMessage("hi")], tools=[get_weather])
    assert count == 11
    assert model.get_num_tokens("hi") == 11
    body = server.requests[0].json
    assert body["tools"]
    assert "max_tokens" not in body


@each
def test_a_copy_before_and_after_use(name: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(name, server)
    for _ in range(2):
        assert copy.deepcopy(model).invoke("hi").text == "hello"
        frozen = pickle.dumps(model)
        assert b"not-a-key" not in frozen
        monkeypatch.setenv("ANTHROPIC_API_KEY", "from-env")
        monkeypatch.setenv("OPENAI_API_KEY", "from-env")
        assert pickle.loads(frozen).invoke("hi").text == "hello"
        assert model.invoke("hi").text == "hello"


@each
def test_one_request_per_call_whatever_the_loop(name: str, server: Server) -> None:
    model = build(name, server)
    for _ in range(3):
        assert asyncio.run(model.ainvoke("hi")).text == "hello"
    assert len(server.requests) == 3


@each
def test_instances_share_connections(name: str, server: Server) -> None:
    for _ in range(5):
        build(name, server).invoke("hi")
        list(build(name, server).stream("hi"))
    assert server.connections == 1


def test_a_reply_is_an_ai_message(server: Server) -> None:
    assert type(build("chat", server).invoke("hi")) is AIMessage
    assert all(type(chunk) is AIMessageChunk for chunk in build("chat", server).stream("hi"))


def test_response_headers_on_request(server: Server) -> None:
    headers = build("chat", server, include_response_headers=True).invoke("hi").response_metadata["headers"]
    assert headers["x-request-id"] == "req_1"
    assert "headers" not in build("chat", server).invoke("hi").response_metadata


def test_previous_response_and_container_of_the_history(server: Server) -> None:
    model = build("responses", server, use_previous_response_id=True)
    first = model.invoke("hi")
    model.invoke([HumanMessage("hi"), first, HumanMessage("more")])
    body = server.requests[1].json
    assert body["previous_response_id"] == "resp_1"
    assert len(body["input"]) == 1
    claude = build("anthropic", server, reuse_last_container=True)
    history = [
        HumanMessage("a"),
        AIMessage("b", response_metadata={"container": {"id": "container_1"}}),
        HumanMessage("c"),
    ]
    claude.invoke(history)
    assert server.requests[2].json["container"] == "container_1"


def test_disabled_params(server: Server) -> None:
    model = build("chat", server, disabled_params={"parallel_tool_calls": None}, seed=1)
    model.bind_tools([get_weather], parallel_tool_calls=False).invoke("hi")
    assert "parallel_tool_calls" not in server.requests[0].json
    assert server.requests[0].json["seed"] == 1
