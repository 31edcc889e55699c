"""Spans and metrics of every call, by OpenTelemetry's conventions for generative AI. Needs the extra `otel`.

    from langchain_unified.otel import instrument
    instrument()

Each call to a model is one span `chat <model>` of kind CLIENT, with retries inside of it. Content (messages, tools) is
recorded only with `capture_content=True` or `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true`. Attributes whose
name begins with `langchain_unified.` are ours; the others are those of the conventions (semantic-conventions 1.38,
https://opentelemetry.io/docs/specs/semconv/gen-ai/).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self
from urllib.parse import urlsplit

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.outputs import ChatResult
from langchain_core.runnables.config import var_child_runnable_config

from langchain_unified._version import __version__
from langchain_unified.chat_models._observed import Attached, Observation
from langchain_unified.chat_models._plan import Plan
from langchain_unified.cost import message_cost
from langchain_unified.errors import ConfigurationError, UnifiedError
from langchain_unified.redaction import redacted
from langchain_unified.request import JsonObject, Provider

try:
    from opentelemetry import context, metrics, trace
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode
except ImportError as exc:  # pragma: no cover - the message names the remedy
    raise ImportError("langchain_unified.otel needs the extra `otel`: pip install 'langchain-unified[otel]'") from exc

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The variable with which other instrumentation of generative AI is told to record content."""

HOSTS: Mapping[Provider, str] = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}

REQUEST_ATTRIBUTES: Mapping[str, str] = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "stop": "gen_ai.request.stop_sequences",
    "stop_sequences": "gen_ai.request.stop_sequences",
    "n": "gen_ai.request.choice.count",
}
"""Key of a body -> attribute."""

DIMENSIONS = (
    "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "server.address", "server.port",
)  # fmt: skip
"""The attributes of a span that its measurements have as well."""

API_TYPES: Mapping[str, str] = {"openai_chat": "chat_completions", "openai_responses": "responses"}

SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
"""The bucket boundaries that the conventions advise."""


def instrument(
    *, tracer_provider: Any | None = None, meter_provider: Any | None = None, capture_content: bool | None = None
) -> None:
    """Report every call of every model in this process, from now on. A second call replaces the first.

    `tracer_provider`, `meter_provider`: absent, the global ones. `capture_content`: whether messages and tool
    definitions are recorded, without secrets; absent, `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` says so, and
    by default they are not.
    """
    if capture_content not in (None, True, False):
        raise ConfigurationError(f"capture_content must be True or False, not {capture_content!r}.")
    if capture_content is None:
        capture_content = os.environ.get(CAPTURE, "").lower() in ("true", "1", "span_only", "span_and_event")
    Attached.observer = CallObserver(tracer_provider, meter_provider, capture_content=capture_content)


def uninstrument() -> None:
    """Report nothing any more."""
    Attached.observer = None


class CallObserver:
    """Makes a span and measurements of each call."""

    def __init__(self, tracer_provider: Any, meter_provider: Any, *, capture_content: bool) -> None:
        self.capture_content = capture_content
        self.tracer = trace.get_tracer("langchain_unified", __version__, tracer_provider)
        meter = metrics.get_meter("langchain_unified", __version__, meter_provider)
        seconds: dict[str, Any] = {"unit": "s", "explicit_bucket_boundaries_advisory": SECONDS}
        self.tokens = meter.create_histogram(
            "gen_ai.client.token.usage", unit="{token}", explicit_bucket_boundaries_advisory=TOKENS
        )
        self.duration = meter.create_histogram("gen_ai.client.operation.duration", **seconds)
        self.first_chunk = meter.create_histogram("gen_ai.client.operation.time_to_first_chunk", **seconds)
        self.cost = meter.create_counter("langchain_unified.client.cost", unit="USD")

    def plan(self, make: Callable[[], Plan], messages: Sequence[BaseMessage], address: str | None) -> Plan:
        """The plan with the observation of its call. A call that is refused before it is sent is a failed span."""
        observation = ObservedCall(self, messages)
        try:
            plan = make()
        except Exception as error:
            with observation:
                observation.fail(error)
            raise
        observation.describe(plan, address)
        return replace(plan, seen=observation)


class ObservedCall(Observation):
    """The span and the measurements of one call."""

    def __init__(self, observer: CallObserver, messages: Sequence[BaseMessage]) -> None:
        self.observer = observer
        self.messages = messages
        self.name = "chat"
        self.attributes: JsonObject = {"gen_ai.operation.name": "chat"}
        self.answers: Sequence[AIMessage] = ()
        self.chunks: Sequence[AIMessageChunk] = ()
        self.error: BaseException | None = None
        self.span: Span | None = None
        self.token: Any = None

    def describe(self, plan: Plan, address: str | None) -> None:
        """Take over what is known before the request."""
        provider = plan.route.provider
        where = urlsplit(address or HOSTS[provider])
        self.name = f"chat {plan.route.model}"
        self.attributes |= {
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": plan.route.model,
            "server.address": where.hostname or "",
            "server.port": where.port or (443 if where.scheme == "https" else 80),
            **dict(_request_attributes(plan)),
        }
        thread = ((var_child_runnable_config.get() or {}).get("configurable") or {}).get("thread_id")
        if thread is not None:
            self.attributes["gen_ai.conversation.id"] = str(thread)
        if self.observer.capture_content:
            self.attributes["gen_ai.input.messages"] = _json([_message(message) for message in self.messages])
            if tools := plan.call.body.get("tools"):
                self.attributes["gen_ai.tool.definitions"] = _json(tools)

    def result(self, result: ChatResult) -> ChatResult:
        self.answers = [g.message for g in result.generations if isinstance(g.message, AIMessage)]
        return result

    def begun(self, chunks: Sequence[AIMessageChunk]) -> None:
        self.chunks = chunks
        waited = time.perf_counter() - self.started
        if self.span is not None:
            self.span.set_attribute("gen_ai.response.time_to_first_chunk", waited)
        self.observer.first_chunk.record(waited, self._dimensions())
        self._detach()  # the consumer of the stream runs in its own context

    def fail(self, error: BaseException) -> None:
        """The call ended with this error."""
        self.error = error

    def __enter__(self) -> Self:
        self.started = time.perf_counter()
        self.span = self.observer.tracer.start_span(self.name, kind=SpanKind.CLIENT, attributes=self.attributes)
        self.token = context.attach(trace.set_span_in_context(self.span))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._detach()
        span, took = self.span, time.perf_counter() - self.started
        if span is None:
            return
        if error is not None and not isinstance(error, GeneratorExit):
            self.error = error
        answers = self.answers or self._streamed()
        dimensions = self._dimensions(answers)
        if self.error is not None:
            dimensions["error.type"] = type(self.error).__name__
            self._describe_error(span, self.error)
        if answers:
            span.set_attributes(dict(_response_attributes(answers)))
            self._record_usage(span, answers, dimensions)
            if self.observer.capture_content:
                span.set_attribute("gen_ai.output.messages", _json([_message(answer) for answer in answers]))
        self.observer.duration.record(took, dimensions)
        span.end()

    def _streamed(self) -> Sequence[AIMessage]:
        """The answer of a stream, as far as it came."""
        return [add_ai_message_chunks(self.chunks[0], *self.chunks[1:])] if self.chunks else ()

    def _detach(self) -> None:
        if self.token is not None:
            context.detach(self.token)
            self.token = None

    def _dimensions(self, answers: Sequence[AIMessage] = ()) -> dict[str, Any]:
        """The attributes of a measurement."""
        found = {name: self.attributes[name] for name in DIMENSIONS if name in self.attributes}
        if answers and (model := answers[0].response_metadata.get("model_name")):
            found["gen_ai.response.model"] = model
        return found

    def _describe_error(self, span: Span, error: BaseException) -> None:
        """The error's class, code and status. Its text may quote the prompt, so that it is content."""
        span.set_attribute("error.type", type(error).__name__)
        if isinstance(error, UnifiedError):
            about = {
                "http.response.status_code": error.status,
                "langchain_unified.error.code": error.code,
                "langchain_unified.request_id": error.request_id,
                "langchain_unified.attempts": error.attempts,
            }
            span.set_attributes({name: value for name, value in about.items() if value is not None})
        span.set_status(Status(StatusCode.ERROR, str(error) if self.observer.capture_content else type(error).__name__))

    def _record_usage(self, span: Span, answers: Sequence[AIMessage], dimensions: dict[str, Any]) -> None:
        usage = answers[0].usage_metadata
        if usage is None:
            return
        tokens = self.observer.tokens
        tokens.record(usage["input_tokens"], {**dimensions, "gen_ai.token.type": "input"})
        tokens.record(usage["output_tokens"], {**dimensions, "gen_ai.token.type": "output"})
        cost = message_cost(answers[0]).total
        if cost is not None:
            span.set_attribute("langchain_unified.cost.usd", float(cost))
            self.observer.cost.add(float(cost), dimensions)


# --- attributes -------------------------------------------------------------------------------------------------------


def _request_attributes(plan: Plan) -> Iterator[tuple[str, Any]]:
    body = plan.call.body
    for key, name in REQUEST_ATTRIBUTES.items():
        value = body.get(key)
        if value is not None and not (key == "n" and value == 1):
            yield name, [value] if key == "stop" and isinstance(value, str) else value
    if plan.request.stream:
        yield "gen_ai.request.stream", True
    yield "gen_ai.output.type", "text" if plan.request.output is None else "json"
    if plan.wire.name in API_TYPES:
        yield "openai.api.type", API_TYPES[plan.wire.name]
        if tier := body.get("service_tier"):
            yield "openai.request.service_tier", tier


def _response_attributes(answers: Sequence[AIMessage]) -> Iterator[tuple[str, Any]]:
    metadata = answers[0].response_metadata
    reasons = [answer.response_metadata.get("finish_reason") for answer in answers]
    found = {
        "gen_ai.response.id": metadata.get("id"),
        "gen_ai.response.model": metadata.get("model_name"),
        "gen_ai.response.finish_reasons": [reason for reason in reasons if reason] or None,
        "langchain_unified.request_id": metadata.get("request_id"),
        "langchain_unified.attempts": metadata.get("attempts", 1),
    }
    if metadata.get("model_provider") == "openai":
        found["openai.response.service_tier"] = metadata.get("service_tier")
        found["openai.response.system_fingerprint"] = metadata.get("system_fingerprint")
    if usage := answers[0].usage_metadata:
        into, out = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
        found |= {
            "gen_ai.usage.input_tokens": usage["input_tokens"],
            "gen_ai.usage.output_tokens": usage["output_tokens"],
            "gen_ai.usage.cache_read.input_tokens": into.get("cache_read"),
            "gen_ai.usage.cache_creation.input_tokens": into.get("cache_creation"),
            "gen_ai.usage.reasoning.output_tokens": out.get("reasoning"),
        }
    yield from ((name, value) for name, value in found.items() if value is not None)


# --- content ----------------------------------------------------------------------------------------------------------

ROLES: Mapping[str, str] = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "tool": "tool"}


def _json(value: Any) -> str:
    return json.dumps(redacted({"value": value})["value"], ensure_ascii=False, default=str)


def _message(message: BaseMessage) -> JsonObject:
    """A message in the conventions' form. Media are named, their data is left out."""
    found: JsonObject = {"role": ROLES.get(message.type, message.type)}
    if isinstance(message, ToolMessage):
        found["parts"] = [{"type": "tool_call_response", "id": message.tool_call_id, "response": message.text}]
        return found
    found["parts"] = [_part(block) for block in message.content_blocks]
    if reason := message.response_metadata.get("normalized_finish_reason"):
        found["finish_reason"] = reason
    return found


def _part(block: Mapping[str, Any]) -> JsonObject:
    if (write := PARTS.get(block["type"])) is not None:
        return write(block)
    return {"type": block["type"], **{key: block[key] for key in ("mime_type", "url", "name", "id") if key in block}}


PARTS: Mapping[str, Callable[[Any], JsonObject]] = {
    "text": lambda block: {"type": "text", "content": block.get("text", "")},
    "reasoning": lambda block: {"type": "reasoning", "content": block.get("reasoning", "")},
    "tool_call": lambda block: {
        "type": "tool_call", "id": block.get("id"), "name": block.get("name"), "arguments": block.get("args"),
    },
}  # fmt: skip
