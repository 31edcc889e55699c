"""A span for each call, if it is asked for."""

from __future__ import annotations

import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.gateway.running import UPSTREAM_KEY, gateway

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CANARY = "a secret question"


@pytest.mark.parametrize("model", ["claude", "gpt"])
def test_a_call_has_a_span_below_the_clients(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    with gateway(gateway_settings={"tracing": True}) as running:
        body = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": CANARY}]}
        headers = {"traceparent": PARENT, "x-api-key": "sk-of-the-client"}
        assert httpx2.post(running.url + "/v1/messages", json=body, headers=headers).status_code == 200
    [span] = spans.get_finished_spans()
    assert span.name == f"chat {model}"
    assert format(span.context.trace_id, "032x") == PARENT.split("-")[1]
    assert span.attributes is not None
    assert span.attributes["gen_ai.request.model"] == model
    assert int(str(span.attributes["gen_ai.usage.output_tokens"])) > 0
    shown = str(span.attributes) + str(span.events)
    assert not any(secret in shown for secret in (CANARY, UPSTREAM_KEY, "sk-of-the-client"))
