"""Prints the spans that one instrumentation makes of our calls, as JSON: `python -m tests.ecosystem.spans NAME`.

Each instrumentation has a process of its own: some of them cannot be switched off again.
"""

from __future__ import annotations

import asyncio
import json
import sys

from opentelemetry import trace

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.testing import emulator
from tests.ecosystem.collected import EXPORTER, PROVIDER, SimpleSpanProcessor


def traceloop():
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    AnthropicInstrumentor().instrument(tracer_provider=PROVIDER)
    OpenAIInstrumentor().instrument(tracer_provider=PROVIDER)


def openinference():
    from openinference.instrumentation.anthropic import AnthropicInstrumentor
    from openinference.instrumentation.openai import OpenAIInstrumentor

    AnthropicInstrumentor().instrument(tracer_provider=PROVIDER)
    OpenAIInstrumentor().instrument(tracer_provider=PROVIDER)


def logfire():
    import logfire

    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[SimpleSpanProcessor(EXPORTER)])
    logfire.instrument_anthropic()
    logfire.instrument_openai()


def langfuse():
    from langfuse import Langfuse

    Langfuse(public_key="pk-lf-test", secret_key="sk-lf-test", host="http://127.0.0.1:9", span_exporter=EXPORTER)
    __import__("langfuse.openai")


def anthropic_sdk():
    trace.set_tracer_provider(PROVIDER)


INSTRUMENTATION = {each.__name__: each for each in (traceloop, openinference, logfire, langfuse, anthropic_sdk)}


def flush(name):
    if name == "langfuse":
        from langfuse import get_client

        get_client().flush()


async def stream(model):
    return [chunk async for chunk in model.astream("Hi.")]


WAYS = {
    "invoke": lambda model: model.invoke("Hi."),
    "stream": lambda model: list(model.stream("Hi.")),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("Hi.")),
    "astream": lambda model: asyncio.run(stream(model)),
}


def main(name: str) -> None:
    INSTRUMENTATION[name]()
    with emulator() as e:
        claude = {"base_url": e.anthropic_url, "api_key": "x", "sdk_methods": True}
        gpt = {"base_url": e.openai_url, "api_key": "x", "sdk_methods": True}
        models = {
            "messages": ChatAnthropic(model="claude-sonnet-4-6", **claude),
            "chat": ChatOpenAI(model="gpt-5.4", **gpt),
            "responses": ChatUnified("openai/gpt-5.4", use_responses_api=True, **gpt),
        }
        for wire, model in models.items():
            for way, call in WAYS.items():
                EXPORTER.clear()
                call(model)
                flush(name)
                found = [{"name": span.name, **(span.attributes or {})} for span in EXPORTER.get_finished_spans()]
                print(json.dumps({"wire": wire, "way": way, "spans": found}, default=str))


if __name__ == "__main__":
    main(sys.argv[1])
