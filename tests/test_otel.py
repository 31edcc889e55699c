"""Spans and metrics by OpenTelemetry's conventions for generative AI, collected in memory."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra `test` brings opentelemetry-sdk")

from langchain_core.messages import HumanMessage, SystemMessage
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as names
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.trace import SpanKind, StatusCode

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.errors import RateLimitError, RequestError
from langchain_unified.otel import CAPTURE, instrument, uninstrument
from langchain_unified.testing import Fault, emulator

SECRET = "sk-canary-0123456789abcdefghij"
PROMPT = "The word is heliotrope."

MODELS = {
    "anthropic_messages": lambda e, **k: ChatAnthropic(
        model="claude-sonnet-4-6", base_url=e.anthropic_url, api_key=SECRET, **k
    ),
    "openai_chat": lambda e, **k: ChatOpenAI(model="gpt-5.4", base_url=e.openai_url, api_key=SECRET, **k),
    "openai_responses": lambda e, **k: ChatUnified(
        "openai/gpt-5.4", use_responses_api=True, base_url=e.openai_url, api_key=SECRET, **k
    ),
}
WAYS = ["invoke", "ainvoke", "stream", "astream", "v3"]


class Collected:
    def __init__(self, **options):
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        tracing = TracerProvider()
        tracing.add_span_processor(SimpleSpanProcessor(self.exporter))
        instrument(tracer_provider=tracing, meter_provider=MeterProvider([self.reader]), **options)

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    def metrics(self):
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}

    def text(self):
        return " ".join(span.to_json() for span in self.spans) + str(self.metrics())


@pytest.fixture
def collected(monkeypatch):
    monkeypatch.delenv(CAPTURE, raising=False)
    yield Collected()
    uninstrument()


async def ask(model, way, messages=PROMPT):
    if way == "invoke":
        return model.invoke(messages)
    if way == "ainvoke":
        return await model.ainvoke(messages)
    if way == "stream":
        return list(model.stream(messages))
    if way == "astream":
        return [chunk async for chunk in model.astream(messages)]
    return list(model._stream_chat_model_events([HumanMessage(messages)]))


@pytest.mark.parametrize("wire", MODELS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_call_is_a_span_with_what_was_asked_and_answered(collected, wire, way):
    with emulator() as emulated:
        port = emulated.port
        await ask(MODELS[wire](emulated, max_tokens=500), way)
    (span,) = collected.spans
    provider = "anthropic" if wire == "anthropic_messages" else "openai"
    model = "claude-sonnet-4-6" if provider == "anthropic" else "gpt-5.4"
    found = span.attributes
    assert (span.name, span.kind) == (f"chat {model}", SpanKind.CLIENT)
    assert found[names.GEN_AI_OPERATION_NAME] == "chat"
    assert found[names.GEN_AI_PROVIDER_NAME] == provider
    assert found[names.GEN_AI_REQUEST_MODEL] == found[names.GEN_AI_RESPONSE_MODEL] == model
    assert found[names.GEN_AI_REQUEST_MAX_TOKENS] == 500
    assert found[names.GEN_AI_RESPONSE_FINISH_REASONS] == ("stop",)
    assert found[names.GEN_AI_USAGE_INPUT_TOKENS] > 0
    assert found[names.GEN_AI_USAGE_OUTPUT_TOKENS] > 0
    assert found[names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS] == 0
    assert found[names.GEN_AI_RESPONSE_ID]
    assert (found["server.address"], found["server.port"]) == ("127.0.0.1", port)
    assert found["langchain_unified.cost.usd"] > 0
    assert found["langchain_unified.attempts"] == 1
    streamed = way not in ("invoke", "ainvoke")
    assert found.get(names.GEN_AI_REQUEST_STREAM) == (True if streamed else None)
    assert (names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK in found) is streamed
    assert span.status.status_code is StatusCode.UNSET
    if provider == "openai":
        assert found["openai.api.type"] == {"openai_chat": "chat_completions"}.get(wire, "responses")
    points = collected.metrics()
    usage = points[gen_ai_metrics.GEN_AI_CLIENT_TOKEN_USAGE]
    by_type = {point.attributes[names.GEN_AI_TOKEN_TYPE]: point.sum for point in usage}
    assert by_type["input"] == found[names.GEN_AI_USAGE_INPUT_TOKENS]
    assert by_type["output"] == found[names.GEN_AI_USAGE_OUTPUT_TOKENS]
    (duration,) = points[gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION]
    assert duration.count == 1
    assert duration.attributes[names.GEN_AI_RESPONSE_MODEL] == model
    assert (gen_ai_metrics.GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK in points) is streamed


@pytest.mark.parametrize("wire", MODELS)
@pytest.mark.parametrize("way", WAYS)
async def test_nothing_of_content_or_keys_is_recorded_unasked(collected, wire, way):
    with emulator() as emulated:
        await ask(MODELS[wire](emulated), way)
        emulated.fail_next(Fault.rate_limit())
        with pytest.raises(RateLimitError):
            await ask(MODELS[wire](emulated, max_retries=0), way)
    assert len(collected.spans) == 2
    assert "heliotrope" not in collected.text()
    assert SECRET not in collected.text()


@pytest.mark.parametrize("way", WAYS)
async def test_an_error_of_the_server_is_an_error_of_the_span(collected, way):
    with emulator() as emulated:
        emulated.fail_next(Fault.rate_limit(), times=2)
        with pytest.raises(RateLimitError):
            await ask(MODELS["openai_chat"](emulated, max_retries=1, max_retry_wait=0), way)
    (span,) = collected.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "RateLimitError"
    assert span.attributes["http.response.status_code"] == 429
    (duration,) = collected.metrics()[gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION]
    assert duration.attributes["error.type"] == "RateLimitError"


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_that_is_refused_before_it_is_sent_is_a_failed_span(collected, way):
    with emulator() as emulated:
        model = MODELS["anthropic_messages"](emulated, temperature=2.0, on_unsupported="raise", logit_bias={"1": 2})
        with pytest.raises(RequestError):
            await ask(model, way)
        assert not emulated.requests
    (span,) = collected.spans
    assert span.status.status_code is StatusCode.ERROR


def test_content_is_recorded_when_it_is_asked_for():
    found = Collected(capture_content=True)
    try:
        with emulator() as emulated:
            model = MODELS["anthropic_messages"](emulated).bind_tools([weather])
            model.invoke([SystemMessage("Be brief."), HumanMessage(PROMPT)])
    finally:
        uninstrument()
    (span,) = found.spans
    asked = json.loads(span.attributes[names.GEN_AI_INPUT_MESSAGES])
    assert asked[0] == {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]}
    assert asked[1]["parts"] == [{"type": "text", "content": PROMPT}]
    (answer,) = json.loads(span.attributes[names.GEN_AI_OUTPUT_MESSAGES])
    assert answer["role"] == "assistant"
    assert answer["finish_reason"] in ("stop", "tool_call")
    assert "weather" in span.attributes[names.GEN_AI_TOOL_DEFINITIONS]
    assert SECRET not in span.to_json()


def weather(city: str) -> str:
    """The weather in a city."""
    return city


def test_a_variable_asks_for_content_as_for_other_instrumentation(monkeypatch):
    monkeypatch.setenv(CAPTURE, "true")
    found = Collected()
    try:
        with emulator() as emulated:
            MODELS["openai_chat"](emulated).invoke(PROMPT)
    finally:
        uninstrument()
    assert "heliotrope" in found.text()


def test_a_call_that_switches_the_provider_is_recorded_as_the_one_that_answers(collected):
    with emulator() as emulated:
        model = ChatUnified(
            "anthropic/claude-sonnet-4-6", anthropic_api_key=SECRET, openai_api_key=SECRET,
            anthropic_api_url=emulated.anthropic_url, openai_api_base=emulated.openai_url,
        )  # fmt: skip
        model.invoke(PROMPT)
        model.invoke(PROMPT, model="openai/gpt-5.4")
    providers = [span.attributes[names.GEN_AI_PROVIDER_NAME] for span in collected.spans]
    assert providers == ["anthropic", "openai"]


def test_a_stream_that_is_left_ends_its_span_without_an_error(collected):
    with emulator() as emulated:
        stream = MODELS["openai_chat"](emulated).stream(PROMPT)
        next(stream)
        stream.close()
    (span,) = collected.spans
    assert span.status.status_code is StatusCode.UNSET


def test_without_instrumentation_nothing_is_recorded(collected):
    uninstrument()
    with emulator() as emulated:
        MODELS["openai_chat"](emulated).invoke(PROMPT)
    assert not collected.spans
