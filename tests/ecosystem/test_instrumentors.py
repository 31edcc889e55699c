"""Instrumentation of the SDKs beside our models: what it sees of a call with `sdk_methods=True`."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("opentelemetry.sdk", reason="`make test-ecosystem` installs what is tested here")

from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.testing import emulator
from tests.ecosystem.collected import EXPORTER, PROVIDER

MODELS = {
    "messages": lambda e: ChatAnthropic("claude-sonnet-4-6", base_url=e.anthropic_url, api_key="x", sdk_methods=True),
    "chat": lambda e: ChatOpenAI(model="gpt-5.4", base_url=e.openai_url, api_key="x", sdk_methods=True),
    "responses": lambda e: ChatUnified(
        "openai/gpt-5.4", base_url=e.openai_url, api_key="x", use_responses_api=True, sdk_methods=True
    ),
}


@pytest.fixture
def spans():
    EXPORTER.clear()
    return EXPORTER, PROVIDER


def traceloop(provider):
    anthropic = pytest.importorskip("opentelemetry.instrumentation.anthropic", reason="make test-ecosystem")
    openai = pytest.importorskip("opentelemetry.instrumentation.openai", reason="make test-ecosystem")
    return [anthropic.AnthropicInstrumentor(), openai.OpenAIInstrumentor()]


def openinference(provider):
    anthropic = pytest.importorskip("openinference.instrumentation.anthropic", reason="make test-ecosystem")
    openai = pytest.importorskip("openinference.instrumentation.openai", reason="make test-ecosystem")
    return [anthropic.AnthropicInstrumentor(), openai.OpenAIInstrumentor()]


INSTRUMENTED = {
    "opentelemetry-instrumentation": (
        traceloop, "gen_ai.response.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens",
    ),
    "openinference": (
        openinference, "llm.model_name", "llm.token_count.prompt", "llm.token_count.completion",
    ),
}  # fmt: skip


async def stream(model):
    return [chunk async for chunk in model.astream("Hi.")]


WAYS = {
    "invoke": lambda model: model.invoke("Hi."),
    "stream": lambda model: list(model.stream("Hi.")),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("Hi.")),
    "astream": lambda model: asyncio.run(stream(model)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wire", MODELS)
@pytest.mark.parametrize("name", INSTRUMENTED)
def test_it_sees_model_and_usage_of_each_call(spans, name, wire, way):
    exporter, provider = spans
    found, model_key, in_key, out_key = INSTRUMENTED[name]
    instrumentors = found(provider)
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider)
    try:
        with emulator() as emulated:
            WAYS[way](MODELS[wire](emulated))
    finally:
        for instrumentor in instrumentors:
            instrumentor.uninstrument()
    (span,) = exporter.get_finished_spans()
    assert span.attributes[model_key] == ("claude-sonnet-4-6" if wire == "messages" else "gpt-5.4")
    assert span.attributes[in_key] > 0
    assert span.attributes[out_key] > 0


@pytest.mark.parametrize("wire", MODELS)
@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_logfire_sees_model_and_usage(spans, wire, way):
    logfire = pytest.importorskip("logfire", reason="make test-ecosystem")
    exporter, _ = spans
    processors = [SimpleSpanProcessor(exporter)]
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=processors)
    with logfire.instrument_anthropic(), logfire.instrument_openai(), emulator() as emulated:
        WAYS[way](MODELS[wire](emulated))
    usage = [span for span in exporter.get_finished_spans() if "gen_ai.usage.input_tokens" in span.attributes]
    assert len(usage) == 1
    assert usage[0].attributes["gen_ai.usage.output_tokens"] > 0


@pytest.mark.parametrize("wire", ["chat", "responses"])
@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_langfuses_openai_wrapper_sees_the_usage(spans, monkeypatch, wire, way):
    langfuse = pytest.importorskip("langfuse", reason="make test-ecosystem")
    exporter, _ = spans
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-lf-test")
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-lf-test")
    monkeypatch.setenv("LANGFUSE_HOST", "http://127.0.0.1:9")
    client = langfuse.Langfuse(public_key=f"pk-lf-{wire}-{way}", secret_key="sk-lf-test", span_exporter=exporter)
    __import__("langfuse.openai")
    with emulator() as emulated:
        WAYS[way](MODELS[wire](emulated))
    client.flush()
    found = [span for span in exporter.get_finished_spans() if span.name == "OpenAI-generation"]
    if not found:  # the wrapper reports to the first client of the process
        pytest.skip("Langfuse's first client of this process got the span")
    assert found[-1].attributes["langfuse.observation.model.name"] == "gpt-5.4"
    assert "usage" in str(sorted(found[-1].attributes))
