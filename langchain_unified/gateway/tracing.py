"""OpenTelemetry: a span for each call, if it is asked for and opentelemetry is installed.

Names and attributes are those of the GenAI conventions: opentelemetry.io/docs/specs/semconv/gen-ai.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.state import Call

MISSING = "gateway_settings.tracing needs opentelemetry: pip install 'langchain-unified[otel]', an SDK and an exporter."


def check_installed() -> None:
    """Raise `ConfigurationError` if opentelemetry is not there."""
    try:
        import opentelemetry.trace  # noqa: F401
    except ImportError:
        raise ConfigurationError(MISSING) from None


@contextmanager
def span(call: Call) -> Iterator[None]:
    """A span around a call, below the client's (`traceparent`). Neither content nor keys are in it."""
    from opentelemetry import propagate, trace

    parent = propagate.extract(dict(call.headers))
    tracer = trace.get_tracer("langchain_unified.gateway")
    with tracer.start_as_current_span(
        f"chat {call.model}", context=parent, kind=trace.SpanKind.SERVER, record_exception=False
    ) as current:
        current.set_attribute("gen_ai.operation.name", "chat")
        current.set_attribute("gen_ai.request.model", call.model)
        current.set_attribute("gateway.endpoint", call.endpoint)
        try:
            yield
        finally:
            if call.target is not None:
                current.set_attribute("gen_ai.provider.name", call.target.deployment.provider)
                current.set_attribute("gen_ai.response.model", call.target.model)
            if (charge := call.ledger.charge) is not None:
                current.set_attribute("gen_ai.usage.input_tokens", charge.input_tokens)
                current.set_attribute("gen_ai.usage.output_tokens", charge.output_tokens)
                current.set_attribute("gateway.cost_usd", float(charge.cost))
            current.set_attribute("gateway.attempts", call.attempts)
