"""The emulator without HTTP: a parsed call in, an answer out. Everything that it remembers is here.

What a call goes through: a fault that was ordered, the rules of the provider, the script or the default assistant, the
prompt cache, and the wire's own `serve` that says it all in the provider's words.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from langchain_unified.errors import RequestError
from langchain_unified.request import Block, JsonObject, Provider, Request, WireName
from langchain_unified.testing.emulation.cache import Clock, Hit, PromptCache
from langchain_unified.testing.emulation.codecs import Codec, codec_of
from langchain_unified.testing.emulation.delivery import Parcel, error_frame, frames
from langchain_unified.testing.emulation.faults import Fault, Faults
from langchain_unified.testing.emulation.rules import refusals
from langchain_unified.testing.emulation.rules.rule import Call, error_body
from langchain_unified.testing.emulation.script import Answers, ScriptEndedError
from langchain_unified.testing.emulation.segments import total
from langchain_unified.testing.emulation.tokens import output_tokens
from langchain_unified.wires._completion import Completion, Tokens

JSON: Mapping[str, str] = {"content-type": "application/json"}
SSE: Mapping[str, str] = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}

LIMITS: Mapping[Provider, Mapping[str, str]] = {
    "anthropic": {
        f"anthropic-ratelimit-{what}-{which}": value
        for what, most in (("requests", "4000"), ("tokens", "2400000"), ("input-tokens", "2000000"),
                           ("output-tokens", "400000"))
        for which, value in (("limit", most), ("remaining", most), ("reset", "2026-11-01T00:00:01Z"))
    },
    "openai": {
        "x-ratelimit-limit-requests": "5000",
        "x-ratelimit-limit-tokens": "800000",
        "x-ratelimit-remaining-requests": "4999",
        "x-ratelimit-remaining-tokens": "799900",
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-reset-tokens": "6ms",
    },
}  # fmt: skip
"""The rate-limit headers that come with every answer: names as recorded, figures that never run out."""


SHAPELESS = (AttributeError, IndexError, KeyError, RequestError, TypeError, ValueError)
"""What reading a body raises that is no body of the API."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address: its name, its provider, the wire that speaks there, and how a reply's id begins."""

    name: str
    provider: Provider
    wire: WireName
    prefix: str = ""
    counts: bool = False


ENDPOINTS: Mapping[str, Endpoint] = {
    "/v1/messages": Endpoint("anthropic.messages", "anthropic", "anthropic_messages", "msg_"),
    "/v1/messages/count_tokens": Endpoint("anthropic.count_tokens", "anthropic", "anthropic_messages", counts=True),
    "/v1/chat/completions": Endpoint("openai.chat", "openai", "openai_chat", "chatcmpl-"),
    "/v1/responses": Endpoint("openai.responses", "openai", "openai_responses", "resp_"),
    "/v1/responses/input_tokens": Endpoint("openai.input_tokens", "openai", "openai_responses", counts=True),
}

ERRORS: Mapping[tuple[Provider, str], tuple[int, str, str, str | None]] = {
    ("anthropic", "rate_limit"): (429, "rate_limit_error", "This request would exceed your rate limit.", None),
    ("anthropic", "server"): (500, "api_error", "Internal server error", None),
    ("anthropic", "overloaded"): (529, "overloaded_error", "Overloaded", None),
    ("openai", "rate_limit"): (429, "requests", "Rate limit reached.", "rate_limit_exceeded"),
    ("openai", "server"): (500, "server_error", "The server had an error processing your request.", None),
    ("openai", "overloaded"): (503, "server_error", "The server is overloaded.", "server_overloaded"),
}
"""By provider and fault: status, type, message and code of the error object."""


def _nothing() -> None:
    """What happens when most answers begin."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. `started` is called when its first byte goes out; status 0 is no answer at all."""

    status: int
    headers: Mapping[str, str]
    parcel: Parcel
    fault: Fault | None = None
    started: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request on its way through. `body` is what came, `whole` what it means with what the server holds."""

    endpoint: Endpoint
    body: JsonObject
    whole: JsonObject
    headers: Mapping[str, str]
    number: int
    fault: Fault | None = None

    @property
    def request_id(self) -> str:
        return f"req_{self.number:024d}"


@dataclass
class Engine:
    """Everything that one emulator remembers. `failures` are what functions of a script, or a wire, raised."""

    answers: Answers = field(default_factory=Answers)
    faults: Faults = field(default_factory=Faults)
    keys: frozenset[str] | None = None
    clock: Clock = field(default_factory=Clock)
    codecs: Callable[[str], Codec] = codec_of
    failures: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cache = PromptCache(self.clock)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._stored: dict[str, list[JsonObject]] = {}
        self._unstored: set[str] = set()

    def answer(self, endpoint: Endpoint, body: Any, headers: Mapping[str, str]) -> Answer:
        """The answer to one request. `body` is its JSON, `None` where it is none; header names are lower case."""
        whole = body if isinstance(body, dict) else {}
        with self._lock:
            visit = _Visit(endpoint, whole, self._continued(whole), headers, next(self._numbers))
            try:
                fault = self.faults.next(headers.get("x-emulator-fault"))
            except ValueError as problem:
                return self._refused(visit, str(problem))
        visit = replace(visit, fault=fault)
        if fault is not None and _instead(fault, visit):
            return self._failed(visit, fault)
        if not isinstance(body, dict):
            return self._refused(visit, "The request body is not a valid JSON object.")
        return self._judged(visit)

    def refused_key(self, provider: Provider, headers: Mapping[str, str]) -> Answer | None:
        """The refusal of a key that is missing or wrong, for addresses without a body; `None` for a good one."""
        endpoint = ENDPOINTS["/v1/messages" if provider == "anthropic" else "/v1/chat/completions"]
        with self._lock:
            visit = _Visit(endpoint, {}, {}, headers, next(self._numbers))
        refusal = next(refusals(Call(endpoint.name, {}, headers, self.keys)), None)
        bad = refusal is not None and refusal.rule.status == 401
        return self._judged(visit) if bad else None

    def headers_for(self, provider: Provider, number: int) -> dict[str, str]:
        """The headers of every answer."""
        name = "request-id" if provider == "anthropic" else "x-request-id"
        return {name: f"req_{number:024d}", **LIMITS[provider]}

    # --- one visit ----------------------------------------------------------------------------------------------------

    def _judged(self, visit: _Visit) -> Answer:
        endpoint = visit.endpoint
        call = Call(
            endpoint.name,
            visit.whole,
            visit.headers,
            self.keys,
            unstored=frozenset(self._unstored),
            known=frozenset(self._stored),
        )
        try:
            refusal = next(refusals(call), None)
            if refusal is not None:
                return self._whole(visit, refusal.rule.status, refusal.body(endpoint.provider, visit.request_id))
            if endpoint.counts:
                named = {"object": "response.input_tokens"} if endpoint.provider == "openai" else {}
                return self._whole(visit, 200, {**named, "input_tokens": total(call.segments)})
            codec = self.codecs(endpoint.wire)
            request = codec.read_request(visit.whole, visit.headers)
            hit = self.cache.look_up(endpoint.name, visit.whole, call.profile, call.segments)
        except SHAPELESS as problem:
            return self._refused(visit, f"The body is not of the API's shape: {type(problem).__name__}: {problem}")
        except Exception as problem:  # noqa: BLE001  # raised again where the emulator stops
            self.failures.append(problem)
            return self._refused(visit, f"The emulator failed: {type(problem).__name__}: {problem}")
        return self._served(visit, codec, request, hit)

    def _served(self, visit: _Visit, codec: Codec, request: Request, hit: Hit) -> Answer:
        try:
            said = _silence(visit.body) or self.answers.next(request)
            if isinstance(said, Fault):
                visit = replace(visit, fault=said)
                if _instead(said, visit):
                    return self._failed(visit, said)
                said = Answers().next(request)
            return self._rendered(visit, codec, self._finished(visit, _completions(said), hit), hit)
        except (RequestError, ScriptEndedError) as problem:
            return self._refused(visit, str(problem))
        except Exception as problem:  # noqa: BLE001  # raised again where the emulator stops
            self.failures.append(problem)
            return self._refused(visit, f"The script raised {type(problem).__name__}: {problem}")

    def _finished(self, visit: _Visit, said: Iterable[Completion], hit: Hit) -> list[Completion]:
        """The completions with what the model does not know: id, time, tokens."""
        name = f"{visit.endpoint.prefix}{visit.number:024d}"
        return [self._complete(each, visit, name, hit.tokens) for each in said]

    def _complete(self, said: Completion, visit: _Visit, name: str, tokens: Tokens) -> Completion:
        if said.tokens == Tokens():
            output, reasoning = output_tokens(said.blocks)
            said = replace(said, tokens=replace(tokens, output=output, reasoning=reasoning))
        if not self.answers.scripted:
            said = replace(said, blocks=tuple(_shown(block, visit) for block in said.blocks))
        return replace(
            said,
            id=said.id or name,
            model=said.model or str(visit.body["model"]),
            created=said.created or int(self.clock.now),
        )

    def _rendered(self, visit: _Visit, codec: Codec, said: Sequence[Completion], hit: Hit) -> Answer:
        wire = visit.endpoint.wire
        if visit.body.get("stream"):
            events = list(codec.render_events(said, visit.body))
            reply: JsonObject = next((event["response"] for event in reversed(events) if "response" in event), {})
            parcel = Parcel(wire, stream=tuple(frames(wire, events)), error=self._error_frame(visit))
        else:
            reply = codec.render_reply(said, visit.body)
            parcel = Parcel(wire, orjson.dumps(reply))
        if wire == "openai_responses":
            self._remember(visit, reply)
        headers = {**self.headers_for(visit.endpoint.provider, visit.number), **(SSE if parcel.stream else JSON)}
        return Answer(200, headers, parcel, visit.fault, lambda: self.cache.commit(hit))

    # --- errors -------------------------------------------------------------------------------------------------------

    def _whole(self, visit: _Visit, status: int, body: JsonObject, more: Mapping[str, str] | None = None) -> Answer:
        headers = {**self.headers_for(visit.endpoint.provider, visit.number), **JSON, **(more or {})}
        return Answer(status, headers, Parcel(visit.endpoint.wire, orjson.dumps(body)), _harmless(visit.fault))

    def _refused(self, visit: _Visit, message: str) -> Answer:
        body = error_body(visit.endpoint.provider, visit.request_id, "invalid_request_error", message)
        # A client that tries again would only hear the same.
        return self._whole(visit, 400, body, {"x-should-retry": "false"})

    def _failed(self, visit: _Visit, fault: Fault) -> Answer:
        """The answer of a fault that takes the model's place."""
        provider, wire = visit.endpoint.provider, visit.endpoint.wire
        if fault.kind == "refuse_connection":
            return Answer(0, {}, Parcel(wire), fault)
        if fault.error is not None:
            status, body = _error(provider, fault.error, visit.request_id)
            return self._whole(replace(visit, fault=fault), fault.status or status, body, fault.headers)
        data = orjson.dumps(fault.body) if isinstance(fault.body, Mapping) else fault.body or b""
        data = data.encode() if isinstance(data, str) else data
        own = self.headers_for(provider, visit.number) if fault.kind == "http" else {}
        kind = JSON if isinstance(fault.body, Mapping) else {}
        return Answer(fault.status or 500, {**own, **kind, **fault.headers}, Parcel(wire, data), fault)

    def _error_frame(self, visit: _Visit) -> bytes:
        _, body = _error(visit.endpoint.provider, "overloaded", visit.request_id)
        return error_frame(visit.endpoint.wire, body)

    # --- what OpenAI stores -------------------------------------------------------------------------------------------

    def _continued(self, body: JsonObject) -> JsonObject:
        """The body with the conversation that its `previous_response_id` stands for."""
        before = self._stored.get(str(body.get("previous_response_id")))
        return body if before is None else {**body, "input": [*before, *_items(body.get("input"))]}

    def _remember(self, visit: _Visit, reply: JsonObject) -> None:
        output = reply.get("output") or []
        with self._lock:
            if visit.body.get("store") is False:
                self._unstored.update(str(item["id"]) for item in output if item.get("id"))
            else:
                self._stored[str(reply.get("id"))] = [*_items(visit.whole.get("input")), *output]


def _silence(body: JsonObject) -> list[Completion]:
    """The answer to a request that only fills the cache, which takes nothing from a script; empty for the others."""
    if body.get("max_tokens") == 0:
        return [Completion("", "", (), finish_reason="length")]
    prewarm = (body.get("prompt_cache_options") or {}).get("prewarm")
    return [Completion("", "", ())] if prewarm else []


def _items(given: Any) -> list[JsonObject]:
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given or ())


def _completions(said: Any) -> Iterator[Completion]:
    yield from said


def _instead(fault: Fault, visit: _Visit) -> bool:
    """Whether a fault takes the model's place in this visit."""
    unstreamed = fault.kind == "overloaded_mid_stream" and not visit.body.get("stream")
    return fault.answers or unstreamed or fault.kind == "refuse_connection"


def _harmless(fault: Fault | None) -> Fault | None:
    """What of a fault is left for an answer that is no stream: everything but an error in mid-stream."""
    return None if fault is None or fault.kind == "overloaded_mid_stream" else fault


def _error(provider: Provider, kind: str, request_id: str) -> tuple[int, JsonObject]:
    status, name, message, code = ERRORS[provider, kind]
    return status, error_body(provider, request_id, name, message, code=code)


def _shown(block: Block, visit: _Visit) -> Block:
    """What the provider shows of a reasoning block: no more than was asked for."""
    if block["type"] != "reasoning":
        return block
    body, extras = visit.body, dict(block.get("extras") or {})
    if visit.endpoint.provider == "anthropic":
        omitted = (body.get("thinking") or {}).get("display") == "omitted"
        return {**block, "reasoning": "", "extras": extras} if omitted else block
    if "reasoning.encrypted_content" not in (body.get("include") or ()):
        extras.pop("encrypted_content", None)
    asked = (body.get("reasoning") or {}).get("summary")
    return {**block, "reasoning": block["reasoning"] if asked else "", "extras": extras}
