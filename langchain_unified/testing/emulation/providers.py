"""Both providers without HTTP: a parsed call in, an answer out.

A call passes these steps: an injected fault, the rules of the provider, the prompt cache, the script or the built-in
assistant, and the wire's `serve` codec, which writes the reply in the provider's form.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from langchain_unified.errors import RequestError
from langchain_unified.request import JsonObject, Provider, Request, WireName
from langchain_unified.testing.emulation.batches.plan import BatchSettings
from langchain_unified.testing.emulation.batches.reply import ManagedRefusalError, ManagedReply
from langchain_unified.testing.emulation.cache import CacheLookup, Clock, EmulatedCache
from langchain_unified.testing.emulation.codecs import Codec, codec_of
from langchain_unified.testing.emulation.delivery import Payload, error_frame, frames
from langchain_unified.testing.emulation.endpoints import ENDPOINTS, EmulatedEndpoint, total_tokens
from langchain_unified.testing.emulation.exchange import (
    JSON_HEADERS,
    SSE_HEADERS,
    EmulatedAnswer,
    Exchange,
    common_headers,
    fault_answer,
    fault_error,
    invalid_request,
    json_answer,
    replaces_answer,
)
from langchain_unified.testing.emulation.faults import Fault, FaultSource
from langchain_unified.testing.emulation.quota import Quota, QuotaPlan
from langchain_unified.testing.emulation.reasoning import thought_of, visible_reasoning, with_thought
from langchain_unified.testing.emulation.rules import refusals
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Refusal, error_body, prompt_segments
from langchain_unified.testing.emulation.script import AnswerSource, ScriptEndedError, assistant_answers
from langchain_unified.testing.emulation.servers import EmulatedServer, readable
from langchain_unified.testing.emulation.stored import StoredReplies, queued
from langchain_unified.testing.emulation.tokens import Totals, output_tokens, prompt_total
from langchain_unified.wires._completion import Completion, Tokens

MALFORMED_BODY_ERRORS = (AttributeError, IndexError, KeyError, RequestError, TypeError, ValueError)
"""What the rules and codecs raise if a body does not have the shape of the API."""


@dataclass
class EmulatedProviders:
    """Both providers with their state: scripted answers, faults, prompt cache and stored responses.

    `valid_keys`: the API keys that are accepted; `None` accepts any. `failures`: exceptions of script functions and
    codecs, raised again when the emulator stops. `totals`: what was answered so far.
    """

    answers: AnswerSource = field(default_factory=AnswerSource)
    faults: FaultSource = field(default_factory=FaultSource)
    valid_keys: frozenset[str] | None = None
    clock: Clock = field(default_factory=Clock)
    codecs: Callable[[WireName], Codec] = codec_of
    server: EmulatedServer | None = None
    """The other server that it plays; `None`: the providers themselves."""
    batches: BatchSettings = field(default_factory=BatchSettings)
    quota: QuotaPlan = field(default_factory=QuotaPlan)
    keep: int | None = None
    """How many stored responses are kept; `None`: all."""
    latency: float = 0.0
    """Seconds from a request until its answer begins."""
    failures: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.totals = Totals()
        self.quotas: dict[Provider, Quota] = {
            "anthropic": Quota("anthropic", self.quota), "openai": Quota("openai", self.quota)
        }  # fmt: skip
        self.cache = EmulatedCache(self.clock)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._stored_responses: dict[str, list[JsonObject]] = {}
        self.replies = StoredReplies()
        self._unstored_items: set[str] = set()
        self._reasoning_before: dict[str, str] = {}

    def answer(self, endpoint: EmulatedEndpoint, body: Any, headers: Mapping[str, str]) -> EmulatedAnswer:
        """The answer to one request. `body`: the parsed JSON, `None` if it is not JSON. Header names are lower case."""
        given = body if isinstance(body, dict) else {}
        with self._lock:
            exchange = self._exchange(endpoint, given, headers)
            try:
                fault = self.faults.next(headers.get("x-emulator-fault"), endpoint.name)
            except ValueError as error:
                return invalid_request(exchange, str(error))
        exchange = replace(exchange, fault=fault)
        if fault is not None and replaces_answer(fault, exchange):
            return fault_answer(exchange, fault)
        if not isinstance(body, dict):
            return invalid_request(exchange, "The request body is not a valid JSON object.")
        return self._check_and_answer(exchange)

    def refused_key(self, provider: Provider, headers: Mapping[str, str]) -> EmulatedAnswer | None:
        """The refusal of a missing or wrong key at an address without a body; `None` for a valid key."""
        endpoint = ENDPOINTS["/v1/messages" if provider == "anthropic" else "/v1/chat/completions"]
        exchange = self._exchange(endpoint, {}, headers)
        refusal = next(refusals(EmulatedCall(endpoint.name, {}, headers, self.valid_keys)), None)
        unauthorized = refusal is not None and refusal.rule.status == 401
        return self._check_and_answer(exchange) if unauthorized else None

    def stored(self, response_id: str, headers: Mapping[str, str], *, cancel: bool = False) -> EmulatedAnswer:
        """The answer to a request for a stored response, or to end one that is made in the background."""

        def carry_out() -> ManagedReply:
            status, body = self.replies.cancel(response_id) if cancel else self.replies.get(response_id)
            return ManagedReply(body, status=status)

        return self.managed("stored response", "openai", headers, carry_out)

    def managed(
        self, name: str, provider: Provider, headers: Mapping[str, str], carry_out: Callable[[], ManagedReply]
    ) -> EmulatedAnswer:
        """The answer to a request that asks no model, such as one about a batch or a file. `name`: of its endpoint.

        `carry_out` does what is asked for, after the key is checked and unless a fault replaces the answer.
        """
        refused = self.refused_key(provider, headers)
        if refused is not None:
            return refused
        endpoint = ENDPOINTS["/v1/messages" if provider == "anthropic" else "/v1/responses"]
        with self._lock:
            exchange = self._exchange(endpoint, {}, headers)
            try:
                fault = self.faults.next(headers.get("x-emulator-fault"), name)
            except ValueError as error:
                return invalid_request(exchange, str(error))
        exchange = replace(exchange, fault=fault)
        if fault is not None and replaces_answer(fault, exchange):
            return fault_answer(exchange, fault)
        try:
            reply = carry_out()
        except ManagedRefusalError as no:
            body = error_body(provider, exchange.request_id, no.kind, no.message, code=no.code, param=no.param)
            return json_answer(exchange, no.status, body)
        data = reply.body if isinstance(reply.body, bytes) else orjson.dumps(reply.body)
        all_headers = {**common_headers(exchange), "content-type": reply.content_type}
        return EmulatedAnswer(reply.status, all_headers, Payload(endpoint.wire, data), fault)

    def answer_item(
        self,
        endpoint: EmulatedEndpoint,
        body: JsonObject,
        headers: Mapping[str, str],
        *,
        fault: Fault | None = None,
        refusal: str | None = None,
    ) -> tuple[int, str, JsonObject]:
        """Status, request id and body of the answer to an item of a batch: by the rules and answers of a live call.

        `fault`: of this item; those of live calls do not apply. `refusal`: why a batch does not take it.
        """
        with self._lock:
            exchange = replace(self._exchange(endpoint, body, headers), in_batch=True)
        if fault is not None:
            answer = fault_answer(exchange, fault)
        elif refusal is not None:
            answer = invalid_request(exchange, refusal)
        else:
            answer = self._check_and_answer(exchange)
            answer.on_start()
        try:
            reply = orjson.loads(answer.payload.body)
        except ValueError:  # a fault without JSON, such as an HTML page
            reply = {}
        return answer.status, exchange.request_id, reply if isinstance(reply, dict) else {}

    # --- one exchange -------------------------------------------------------------------------------------------------

    def _exchange(self, endpoint: EmulatedEndpoint, body: JsonObject, headers: Mapping[str, str]) -> Exchange:
        quota, full_body = self.quotas[endpoint.provider], self._with_previous_response(body)
        number = next(self._numbers)
        return Exchange(endpoint, body, full_body, headers, number, rate_limits=lambda: quota.headers(self.clock.now))

    def _check_and_answer(self, exchange: Exchange) -> EmulatedAnswer:
        endpoint = exchange.endpoint
        call = EmulatedCall(
            endpoint.name,
            exchange.full_body,
            exchange.headers,
            self.valid_keys,
            unstored_items=self._unstored_items,
            stored_responses=self._stored_responses.keys(),
            reasoning_before=self._reasoning_before,
        )
        try:
            refusal = next(refusals(call, None if self.server is None else self.server.rules), None)
            if refusal is not None:
                body = self._error_of(refusal, exchange)
                return json_answer(exchange, refusal.rule.status, body)
            if endpoint.counts_tokens:
                return json_answer(exchange, 200, _counted(call))
            codec = self.codecs(endpoint.wire)
            plays = self.server is not None and endpoint.wire == "openai_chat"
            given = readable(exchange.full_body) if plays else exchange.full_body
            request = codec.read_request(given, exchange.headers)
            lookup = self.cache.look_up(endpoint.name, exchange.full_body, call.profile, prompt_segments(call))
        except MALFORMED_BODY_ERRORS as error:
            return invalid_request(
                exchange, f"The body does not have the shape of the API: {type(error).__name__}: {error}"
            )
        except Exception as error:  # noqa: BLE001  # raised again when the emulator stops
            self.failures.append(error)
            return invalid_request(exchange, f"The emulator failed: {type(error).__name__}: {error}")
        return self._over_quota(exchange, request, lookup) or self._generate(exchange, codec, request, lookup)

    def _over_quota(self, exchange: Exchange, request: Request, lookup: CacheLookup) -> EmulatedAnswer | None:
        """The refusal of a request above the rate limits, which a batch does not have; `None` if it is taken."""
        provider, tokens = exchange.endpoint.provider, lookup.tokens
        if exchange.in_batch or not self.quota:
            return None
        counted = prompt_total(tokens) - (tokens.cache_read if provider == "anthropic" else 0)
        max_tokens = int(request.params.get("max_tokens") or 0)
        over = self.quotas[provider].take(request.model, counted, max_tokens, self.clock.now)
        if over is None:
            return None
        code = "rate_limit_exceeded" if provider == "openai" else None
        body = error_body(provider, exchange.request_id, over.kind, over.message, code=code)
        return json_answer(exchange, 429, body, over.headers)

    def _generate(self, exchange: Exchange, codec: Codec, request: Request, lookup: CacheLookup) -> EmulatedAnswer:
        try:
            next_answer = _prewarm_answer(exchange.body) or self.answers.next(request)
            if isinstance(next_answer, Fault):
                exchange = replace(exchange, fault=next_answer)
                if replaces_answer(next_answer, exchange):
                    return fault_answer(exchange, next_answer)
                completions = assistant_answers(request)
            else:
                completions = next_answer
            completions = [self._with_metadata(each, exchange, lookup) for each in completions]
            self._count(exchange, [each.tokens for each in completions])
            return self._render(exchange, codec, completions, lookup)
        except (RequestError, ScriptEndedError) as error:
            return invalid_request(exchange, str(error))
        except Exception as error:  # noqa: BLE001  # raised again when the emulator stops
            self.failures.append(error)
            return invalid_request(exchange, f"The script raised {type(error).__name__}: {error}")

    def _count(self, exchange: Exchange, tokens: Sequence[Tokens]) -> None:
        output = sum(each.output for each in tokens)
        with self._lock:
            self.totals.add(tokens[0], output)
        if not exchange.in_batch:
            self.quotas[exchange.endpoint.provider].spend_output(output, self.clock.now)

    def _with_metadata(self, completion: Completion, exchange: Exchange, lookup: CacheLookup) -> Completion:
        """The completion with the id, model, time and tokens that it does not set itself."""
        if completion.tokens == Tokens():
            output, reasoning = output_tokens(completion.blocks)
            completion = replace(completion, tokens=replace(lookup.tokens, output=output, reasoning=reasoning))
        if self.server is not None and exchange.endpoint.wire == "openai_chat":
            completion = with_thought(completion, self.server, exchange)
        elif not self.answers.scripted:
            blocks = tuple(visible_reasoning(block, exchange) for block in completion.blocks)
            completion = replace(completion, blocks=blocks)
        return replace(
            completion,
            id=completion.id or f"{exchange.endpoint.id_prefix}{exchange.number:024d}",
            model=completion.model or str(exchange.body["model"]),
            created=completion.created or int(self.clock.now),
        )

    def _render(
        self, exchange: Exchange, codec: Codec, completions: Sequence[Completion], lookup: CacheLookup
    ) -> EmulatedAnswer:
        wire, provider = exchange.endpoint.wire, exchange.endpoint.provider
        if exchange.body.get("stream"):
            events = list(codec.render_events(completions, exchange.body))
            if self.server is not None and wire == "openai_chat":
                events = self.server.stream(events, thought_of(completions[0]))
            reply: JsonObject = next((event["response"] for event in reversed(events) if "response" in event), {})
            _, overloaded = fault_error(provider, "overloaded", exchange.request_id)
            payload = Payload(wire, stream=tuple(frames(wire, events)), error=error_frame(wire, overloaded))
        else:
            reply = codec.render_reply(completions, exchange.body)
            if self.server is not None and wire == "openai_chat":
                reply = self.server.reply(reply, [thought_of(each) for each in completions])
            first = queued(reply) if wire == "openai_responses" and exchange.body.get("background") else reply
            payload = Payload(wire, orjson.dumps(first))
        if wire == "openai_responses":
            self._store_response(exchange, reply)
        headers = {**common_headers(exchange), **(SSE_HEADERS if payload.stream else JSON_HEADERS)}
        return EmulatedAnswer(200, headers, payload, exchange.fault, lambda: self.cache.commit(lookup))

    def _error_of(self, refusal: Refusal, exchange: Exchange) -> object:
        if self.server is not None and self.server.error is not None and exchange.endpoint.provider == "openai":
            return self.server.error(refusal)
        return refusal.body(exchange.endpoint.provider, exchange.request_id)

    # --- responses that OpenAI stores ---------------------------------------------------------------------------------

    def _with_previous_response(self, body: JsonObject) -> JsonObject:
        """The body, with the conversation of its `previous_response_id` before its input."""
        previous = self._stored_responses.get(str(body.get("previous_response_id")))
        return body if previous is None else {**body, "input": [*previous, *_items(body.get("input"))]}

    def _store_response(self, exchange: Exchange, reply: JsonObject) -> None:
        output = reply.get("output") or []
        with self._lock:
            if exchange.body.get("store") is False:
                self._unstored_items.update(str(item["id"]) for item in output if item.get("id"))
            else:
                conversation = [*_items(exchange.full_body.get("input")), *output]
                self._stored_responses[str(reply.get("id"))] = conversation
                self._reasoning_before.update(_reasoning_before(output))
                self.replies.add(reply, in_background=_is_pending(exchange.body))
            if self.keep is not None:
                self._forget(self.keep)

    def _forget(self, keep: int) -> None:
        """Keep the last ones only, so that a long run does not fill the memory."""
        while len(self._stored_responses) > keep:
            first = next(iter(self._stored_responses))
            del self._stored_responses[first]
            self.replies.replies.pop(first, None)


def _counted(call: EmulatedCall) -> JsonObject:
    """The answer to a request that counts the tokens of a prompt."""
    counted: JsonObject = {"input_tokens": total_tokens(prompt_segments(call))}
    if call.provider == "openai":
        return {"object": "response.input_tokens", **counted}
    if call.body.get("context_management"):
        counted["context_management"] = {"original_input_tokens": total_tokens(call.segments)}
    return counted


def _is_pending(body: JsonObject) -> bool:
    """Whether the answer is made after the reply to the request. A stream shows it until its end."""
    return bool(body.get("background")) and not body.get("stream")


def _reasoning_before(output: Sequence[JsonObject]) -> dict[str, str]:
    """By the id of an item directly after reasoning, the id of that reasoning item."""
    pairs = [(earlier, item) for earlier, item in itertools.pairwise(output) if earlier.get("type") == "reasoning"]
    return {str(item["id"]): str(earlier["id"]) for earlier, item in pairs if item.get("id") and earlier.get("id")}


def _prewarm_answer(body: JsonObject) -> list[Completion]:
    """The answer to a request that only fills the cache. It takes none from a script. Empty for other requests."""
    if body.get("max_tokens") == 0:
        return [Completion("", "", (), finish_reason="length")]
    prewarm = (body.get("prompt_cache_options") or {}).get("prewarm")
    return [Completion("", "", ())] if prewarm else []


def _items(given: Any) -> list[JsonObject]:
    """The `input` of the Responses API as a list of items."""
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given or ())
