"""The view of an answer: one name for each fact, on both providers, whole, streamed, and from the partner packages."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

from langchain_unified import ChatUnified, ConfigurationError, Reply, UnifiedError, reply
from langchain_unified.request import Request
from langchain_unified.testing import Emulator, emulator
from langchain_unified.wires import WIRES
from langchain_unified.wires._completion import Completion, Tokens
from tests.support.corpus import WIRE_OF, needs_corpus, sse_events, streams
from tests.support.streams import chunks_of, total

DAY = 1_795_132_800  # 2026-11-20
MODELS = {"anthropic": "anthropic/claude-opus-5", "chat": "openai/gpt-4o", "responses": "openai/gpt-5.6"}
NAMES = {"anthropic": "claude-opus-5", "chat": "gpt-4o", "responses": "gpt-5.6"}
RAW = {"anthropic": ("end_turn", "tool_use"), "chat": ("stop", "tool_calls"), "responses": ("completed", "completed")}
COST = {"anthropic": "0.0057", "chat": "0.003", "responses": "0.00456"}
each_api = pytest.mark.parametrize("api", MODELS)


def said(request: Request) -> Completion:
    tokens = Tokens(uncached=600, cache_read=400, output=100, reasoning=20)
    if request.tools:
        call = {"type": "tool_call", "id": "call_1", "name": "weather", "args": {"city": "Rome"}}
        return Completion("", "", (call,), "tool_calls", tokens=tokens, created=DAY)
    thought = {"type": "reasoning", "reasoning": "They greet me.", "extras": {"signature": "c2ln"}}
    text = {"type": "text", "text": "Hello, all three."}
    return Completion("", "", (thought, text), tokens=tokens, created=DAY)


@pytest.fixture
def server() -> Iterator[Emulator]:
    with emulator(said) as running:
        yield running


def chat_model(server: Emulator, api: str, **fields: Any) -> ChatUnified:
    url = server.anthropic_url if api == "anthropic" else server.openai_url
    return ChatUnified(MODELS[api], api_key="any", base_url=url, max_retries=0, **fields)


def weather(city: str) -> str:
    """The weather in a city."""
    return "sun"


@each_api
@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer(server: Emulator, api: str, streamed: bool) -> None:
    model = chat_model(server, api)
    chunks = list(model.stream("Hi")) if streamed else [model.invoke("Hi")]
    view = reply(sum(chunks[1:], start=chunks[0]))
    assert view.content == "Hello, all three."
    assert (view.provider, view.model) == (MODELS[api].partition("/")[0], NAMES[api])
    assert view.id is not None
    assert view.id.startswith({"anthropic": "msg_", "chat": "chatcmpl-", "responses": "resp_"}[api])
    assert view.request_id is not None
    assert view.request_id.startswith("req_")
    assert (view.finish_reason, view.finish_reasons) == ("stop", [RAW[api][0]])
    assert view.common_finish_reasons == ["stop"]
    assert (view.input_tokens, view.cached_tokens, view.output_tokens) == (1_000, 400, 100)
    assert view.usage == view.message.usage_metadata
    assert view.tool_calls == []
    assert view.reasoning == (None if api == "chat" else "They greet me.")
    assert view.cost.total == Decimal(COST[api])
    assert view.cost_metadata == view.cost
    assert view.from_cache is False


@each_api
def test_a_call_of_a_tool(server: Emulator, api: str) -> None:
    view = reply(chat_model(server, api).bind_tools([weather]).invoke("Hi"))
    assert (view.content, view.reasoning) == ("", None)
    assert (view.finish_reason, view.finish_reasons) == ("tool_calls", [RAW[api][1]])
    assert [(call["name"], call["args"]) for call in view.tool_calls] == [("weather", {"city": "Rome"})]
    assert "calls weather" in repr(view)


@each_api
def test_the_chunks_of_a_stream(server: Emulator, api: str) -> None:
    views = [reply(chunk) for chunk in chat_model(server, api).stream("Hi")]
    assert "".join(view.content for view in views) == "Hello, all three."
    first, last = views[0], views[-1]
    assert (first.finish_reason, first.finish_reasons, first.common_finish_reasons) == (None, None, None)
    assert (first.usage, first.input_tokens, first.cached_tokens, first.output_tokens) == (None, None, None, None)
    assert (first.model, first.request_id, first.prompt_cache) == (None, None, None)
    assert first.cost.total is None
    assert first.cost.reason == "the stream ended before it reported its usage"
    # Only the last chunk has the provider's id.
    assert first.id == first.message.id == last.message.id != last.id
    assert last.id == last.message.response_metadata["id"]
    assert (last.finish_reason, last.model, last.output_tokens) == ("stop", NAMES[api], 100)
    assert last.cost.total == Decimal(COST[api])


@each_api
def test_what_langchain_s_cache_gives(server: Emulator, api: str) -> None:
    model = chat_model(server, api, cache=InMemoryCache())
    first, second = reply(model.invoke("Hi")), reply(model.invoke("Hi"))
    assert (first.from_cache, second.from_cache) == (False, True)
    assert (second.content, second.input_tokens) == ("Hello, all three.", 1_000)
    assert second.cost.total == 0
    assert second.cost.original is not None
    assert second.cost.original.total == first.cost.total == Decimal(COST[api])
    assert str(second.cost) == f"$0 (from LangChain's cache; it cost ${COST[api]})"


def test_a_cached_message_without_usage() -> None:
    message = AIMessage("Hi").model_copy(update={"usage_metadata": {"total_cost": 0}})
    view = reply(message)
    assert view.from_cache
    assert (view.usage, view.input_tokens, view.cost.total) == (None, None, 0)


def test_what_a_message_does_not_contain_is_none() -> None:
    view = reply(AIMessage(""))
    absent = ("finish_reason", "finish_reasons", "common_finish_reasons", "id", "model", "provider", "usage",
              "input_tokens", "cached_tokens", "output_tokens", "reasoning", "prompt_cache", "request_id")  # fmt: skip
    assert {name: getattr(view, name) for name in absent} == dict.fromkeys(absent)
    assert (view.content, view.tool_calls, view.from_cache) == ("", [], False)
    assert view.cost.total is None
    assert repr(view) == "<Reply ''>"


def test_it_shows_what_counts() -> None:
    message = AIMessage(
        "A long answer. " * 20,
        response_metadata={"model_provider": "openai", "model_name": "gpt-4o", "finish_reason": "stop", "created": DAY},
        usage_metadata={
            "input_tokens": 12_000,
            "output_tokens": 5,
            "total_tokens": 12_005,
            "input_token_details": {"cache_read": 8_000},
        },
    )
    text = ("A long answer. " * 20)[:59] + "…"
    assert repr(reply(message)) == f"<Reply openai/gpt-4o, {text!r}, stop, 12,000 in (8,000 cached), 5 out, $0.02005>"
    own = {"gpt-4o": {"input": 1, "output": 0, "cache_read": 0}}
    assert reply(message, prices=own).cost.total == Decimal("0.004")


def test_it_cannot_be_written_to() -> None:
    view = reply(AIMessage("Hi"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        view.message = AIMessage("Ho")  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        view.content = "Ho"  # type: ignore[misc]
    assert not hasattr(view, "__dict__")


@pytest.mark.parametrize("other", [HumanMessage("Hi"), "Hi", {"role": "assistant"}, None])
def test_only_answers_have_a_view(other: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"not {type(other).__name__}") as caught:
        reply(other)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, UnifiedError)


def test_a_wrong_price_is_an_error_at_once() -> None:
    with pytest.raises(ConfigurationError, match="'inptu'"):
        reply(AIMessage("Hi"), prices={"gpt-4o": {"inptu": 1, "output": 2}})


def test_without_the_extra_only_the_cost_is_missing(monkeypatch: pytest.MonkeyPatch, server: Emulator) -> None:
    message = chat_model(server, "chat").invoke("Hi")
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    view = reply(message)
    assert (view.input_tokens, view.cost.total) == (1_000, None)
    assert "[cost]" in str(view.cost.reason)  # from the index or the checkout
    assert "[cost]" in repr(view)


def test_the_prompt_cache_s_report_is_passed_on() -> None:
    report = {"status": "hit", "read": 400, "written": 0, "marks_sent": [], "marks_dropped": []}
    assert reply(AIMessage("Hi", response_metadata={"prompt_cache": report})).prompt_cache == report
    assert reply(AIMessage("Hi", response_metadata={"prompt_cache": "hit"})).prompt_cache is None


# --- messages of other packages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "metadata, calls, common, raw",
    [
        ({"stop_reason": "end_turn"}, False, "stop", "end_turn"),  # langchain-anthropic
        ({"stop_reason": "max_tokens"}, False, "length", "max_tokens"),
        ({"stop_reason": "model_context_window_exceeded"}, False, "context_window", "model_context_window_exceeded"),
        ({"finish_reason": "tool_calls"}, True, "tool_calls", "tool_calls"),  # langchain-openai, Chat
        ({"finish_reason": "function_call"}, True, "tool_calls", "function_call"),
        ({"status": "completed"}, False, "stop", "completed"),  # langchain-openai, Responses
        ({"status": "completed"}, True, "tool_calls", "completed"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            False,
            "length",
            "max_output_tokens",
        ),
        ({"status": "failed"}, False, "error", "failed"),
        ({"finish_reason": "STOP"}, False, "stop", "STOP"),  # langchain-google-genai
        ({"finish_reason": "MAX_TOKENS"}, False, "length", "MAX_TOKENS"),
        ({"finish_reason": "weird"}, False, "other", "weird"),
    ],
)
def test_the_finish_reasons_of_other_packages(metadata: dict[str, Any], calls: bool, common: str, raw: str) -> None:
    tool_calls = [{"name": "weather", "args": {}, "id": "call_1"}] if calls else []
    view = reply(AIMessage("", response_metadata=metadata, tool_calls=tool_calls))
    assert (view.finish_reason, view.finish_reasons) == (common, [raw])


@pytest.mark.parametrize("streamed", [False, True])
def test_the_messages_of_the_partner_packages(server: Emulator, streamed: bool) -> None:
    anthropic, openai = pytest.importorskip("langchain_anthropic"), pytest.importorskip("langchain_openai")
    models = {
        "anthropic": anthropic.ChatAnthropic(model="claude-opus-5", api_key="any", base_url=server.anthropic_url),
        "chat": openai.ChatOpenAI(model="gpt-4o", api_key="any", base_url=server.openai_url, stream_usage=True),
        "responses": openai.ChatOpenAI(
            model="gpt-5.6", api_key="any", base_url=server.openai_url, use_responses_api=True
        ),
    }
    for api, model in models.items():
        chunks = list(model.stream("Hi")) if streamed else [model.invoke("Hi")]
        view = reply(sum(chunks[1:], start=chunks[0]))
        assert (view.content, view.provider, view.model) == (
            "Hello, all three.",
            MODELS[api].partition("/")[0],
            NAMES[api],
        ), api
        assert (view.input_tokens, view.cached_tokens, view.output_tokens) == (1_000, 400, 100), api
        assert view.finish_reason == "stop", api
        assert view.cost.total == Decimal(COST[api]), api


def test_a_partner_s_cache_writes_by_ttl_are_read() -> None:
    """langchain-anthropic puts the parts among the details, and 0 for the whole, so that a sum counts them once."""
    message = AIMessage(
        "Hi",
        response_metadata={"model_provider": "anthropic", "model_name": "claude-opus-5"},
        usage_metadata={
            "input_tokens": 3_100,
            "output_tokens": 0,
            "total_tokens": 3_100,
            "input_token_details": {
                "cache_read": 0,
                "cache_creation": 0,
                "ephemeral_5m_input_tokens": 1_000,
                "ephemeral_1h_input_tokens": 2_000,
            },  # type: ignore[typeddict-unknown-key]
        },
    )
    lines = {line.kind: line.units for line in reply(message).cost.lines}
    assert lines == {"uncached": 100, "cache_write_5m": 1_000, "cache_write_1h": 2_000}


def test_a_server_s_reasoning_beside_the_content() -> None:
    view = reply(AIMessage("4", additional_kwargs={"reasoning_content": "2 and 2"}))
    assert view.reasoning == "2 and 2"
    headers = {"X-Request-Id": "req_7"}
    assert reply(AIMessage("4", response_metadata={"headers": headers})).request_id == "req_7"


# --- recorded streams -------------------------------------------------------------------------------------------------


@needs_corpus
@pytest.mark.parametrize("endpoint, wire", WIRE_OF.items())
def test_every_recorded_chunk_has_a_view(endpoint: str, wire: Any) -> None:
    count = 0
    for exchange in streams(endpoint)[::4]:
        chunks = chunks_of(WIRES[wire], sse_events(exchange["response"]["sse"]), plain=True)
        views = [reply(chunk) for chunk in chunks]
        assert all(isinstance(view, Reply) and isinstance(view.message, AIMessageChunk) for view in views)
        whole = reply(total(chunks))
        assert "".join(view.content for view in views) == whole.content
        assert whole.finish_reason is not None
        assert views[-1].finish_reason == whole.finish_reason
        assert repr(whole).startswith("<Reply ")
        count += 1
    assert count > 15
