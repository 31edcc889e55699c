"""One request on its way to an answer, and the answers that are no model's: JSON, refusals, faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import orjson

from langchain_unified.request import JsonObject, Provider
from langchain_unified.testing.emulation.delivery import Payload
from langchain_unified.testing.emulation.endpoints import EmulatedEndpoint
from langchain_unified.testing.emulation.faults import Fault
from langchain_unified.testing.emulation.rules.rule import error_body

JSON_HEADERS: Mapping[str, str] = {"content-type": "application/json"}
SSE_HEADERS: Mapping[str, str] = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}

FAULT_ERRORS: Mapping[tuple[Provider, str], tuple[int, str, str, str | None]] = {
    ("anthropic", "rate_limit"): (429, "rate_limit_error", "This request would exceed your rate limit.", None),
    ("anthropic", "server"): (500, "api_error", "Internal server error", None),
    ("anthropic", "overloaded"): (529, "overloaded_error", "Overloaded", None),
    ("openai", "rate_limit"): (429, "requests", "Rate limit reached.", "rate_limit_exceeded"),
    ("openai", "server"): (500, "server_error", "The server had an error processing your request.", None),
    ("openai", "overloaded"): (503, "server_error", "The server is overloaded.", "server_overloaded"),
}
"""By provider and `Fault.error`: status, type, message and code of the error object."""


def _do_nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class EmulatedAnswer:
    """An answer to be sent. `on_start` is called with its first byte. Status 0: the connection closes instead."""

    status: int
    headers: Mapping[str, str]
    payload: Payload
    fault: Fault | None = None
    on_start: Callable[[], None] = _do_nothing


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on its way to an answer.

    `body` is what was sent; in `full_body` the conversation that `previous_response_id` refers to is filled in.
    `rate_limits`: gives the headers of the rate limits. `in_batch`: whether it is an item of a batch.
    """

    endpoint: EmulatedEndpoint
    body: JsonObject
    full_body: JsonObject
    headers: Mapping[str, str]
    number: int
    fault: Fault | None = None
    rate_limits: Callable[[], Mapping[str, str]] = dict
    in_batch: bool = False

    @property
    def request_id(self) -> str:
        return f"req_{self.number:024d}"


def common_headers(exchange: Exchange) -> dict[str, str]:
    """The headers of every answer."""
    name = "request-id" if exchange.endpoint.provider == "anthropic" else "x-request-id"
    return {name: exchange.request_id, **exchange.rate_limits()}


def json_answer(
    exchange: Exchange, status: int, body: object, headers: Mapping[str, str] | None = None
) -> EmulatedAnswer:
    """An answer with a JSON body."""
    all_headers = {**common_headers(exchange), **JSON_HEADERS, **(headers or {})}
    fault = exchange.fault
    # An error in mid-stream cannot damage a body that is not a stream.
    fault = None if fault is None or fault.kind == "overloaded_mid_stream" else fault
    return EmulatedAnswer(status, all_headers, Payload(exchange.endpoint.wire, orjson.dumps(body)), fault)


def invalid_request(exchange: Exchange, message: str) -> EmulatedAnswer:
    """The refusal of a request that is not as the API wants it."""
    body = error_body(exchange.endpoint.provider, exchange.request_id, "invalid_request_error", message)
    # A retry would get the same error.
    return json_answer(exchange, 400, body, {"x-should-retry": "false"})


def fault_answer(exchange: Exchange, fault: Fault) -> EmulatedAnswer:
    """The answer of a fault that replaces the model's answer."""
    provider, wire = exchange.endpoint.provider, exchange.endpoint.wire
    if fault.kind == "refuse_connection":
        return EmulatedAnswer(0, {}, Payload(wire), fault)
    if fault.error is not None:
        status, body = fault_error(provider, fault.error, exchange.request_id)
        return json_answer(replace(exchange, fault=fault), fault.status or status, body, fault.headers)
    data = orjson.dumps(fault.body) if isinstance(fault.body, Mapping) else fault.body or b""
    data = data.encode() if isinstance(data, str) else data
    common = common_headers(exchange) if fault.kind == "http" else {}
    content_type = JSON_HEADERS if isinstance(fault.body, Mapping) else {}
    headers = {**common, **content_type, **fault.headers}
    return EmulatedAnswer(fault.status or 500, headers, Payload(wire, data), fault)


def replaces_answer(fault: Fault, exchange: Exchange) -> bool:
    """Whether the fault replaces the model's answer. If not, it damages the answer on its way."""
    not_streamed = fault.kind == "overloaded_mid_stream" and not exchange.body.get("stream")
    return fault.has_answer or not_streamed or fault.kind == "refuse_connection"


def fault_error(provider: Provider, error: str, request_id: str) -> tuple[int, JsonObject]:
    """The status and the error object of a fault."""
    status, kind, message, code = FAULT_ERRORS[provider, error]
    return status, error_body(provider, request_id, kind, message, code=code)
