"""A call from its body to the end of its answer: who calls, attempts at deployments, fallbacks, delivery, the books."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import nullcontext

import orjson

from langchain_unified.errors import RateLimitError, UnifiedError
from langchain_unified.gateway import body as bodies
from langchain_unified.gateway import metrics, report, tracing
from langchain_unified.gateway.crossed_streams import CrossedStream, SeveralStreams
from langchain_unified.gateway.crossing import holds_proofs
from langchain_unified.gateway.deployments import Target
from langchain_unified.gateway.exchange import ClientLeftError, Exchange
from langchain_unified.gateway.failures import AttemptError, RawError, fallback_kind, is_clients_fault
from langchain_unified.gateway.headers import given_headers
from langchain_unified.gateway.keys import secret_in
from langchain_unified.gateway.ledger import Ledger
from langchain_unified.gateway.passing import PassedStream, open_passing
from langchain_unified.gateway.refusals import BadRequestError
from langchain_unified.gateway.sending import WholeReply, adjustments_header
from langchain_unified.gateway.state import Call, Gateway
from langchain_unified.gateway.translating import open_crossing
from langchain_unified.request import JsonObject, WireName

Answer = WholeReply | PassedStream | CrossedStream | SeveralStreams

MAX_FALLBACKS = 5
LONGEST_WAIT_SECONDS = 5.0
"""The longest wait before an attempt at the same deployment. A longer one is left to the client."""


async def serve(
    gateway: Gateway, exchange: Exchange, wire: WireName, *, counts: bool = False, compacts: bool = False
) -> None:
    """Answer a call. Raises our errors before the first byte of the answer, and `ClientLeftError`."""
    call = await _received(gateway, exchange, wire, counts=counts, compacts=compacts)
    metrics.RUNNING.inc()
    try:
        with tracing.span(call) if gateway.traces else nullcontext():
            await _answered(call)
    except BaseException as error:
        report.ended(call, error)
        raise
    finally:
        metrics.RUNNING.dec()
    report.ended(call, None)
    await exchange.end()


async def _received(gateway: Gateway, exchange: Exchange, wire: WireName, *, counts: bool, compacts: bool) -> Call:
    """The call, once its caller is known and may ask for the model."""
    caller = await gateway.keys.authenticate(secret_in(exchange.headers, gateway.key_header))
    limits = gateway.limits
    data = await exchange.body(limit=limits.max_body_bytes, seconds=limits.body_seconds)
    body = bodies.parse(data, exchange.headers)
    headers: Mapping[str, str] = exchange.headers
    fallbacks: tuple[str, ...] = ()
    if wire != "anthropic_messages" and (body.keys() & OWN_KEYS):
        headers, fallbacks = given_headers(exchange.headers, body.pop("extra_headers", None)), _fallbacks(gateway, body)
        data = orjson.dumps(body)
    model = gateway.keys.allows(caller, bodies.model_of(body))
    return Call(
        gateway=gateway,
        exchange=exchange,
        wire=wire,
        caller=caller,
        data=data,
        body=body,
        model=model,
        headers=headers,
        ledger=Ledger(gateway.keys, gateway.prices, caller, body),
        counts=counts,
        compacts=compacts,
        stream=body.get("stream") is True and not counts and not compacts,
        fallbacks=tuple(gateway.keys.allows(caller, name) for name in fallbacks),
    )


OWN_KEYS = frozenset({"fallbacks", "extra_headers"})
"""Keys of a body that are for LiteLLM's proxy, not for OpenAI. Messages has a `fallbacks` of its own."""


def _fallbacks(gateway: Gateway, body: JsonObject) -> tuple[str, ...]:
    given = body.pop("fallbacks", None)
    if given is None:
        return ()
    if not gateway.takes_fallbacks:
        raise BadRequestError("`fallbacks` are set in the gateway's configuration.", param="fallbacks")
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise BadRequestError("`fallbacks` has to be a list of models' names.", param="fallbacks")
    return tuple(given)


# --- the answer -------------------------------------------------------------------------------------------------------


async def _answered(call: Call) -> None:
    """Answer the call. Its books are closed before a whole reply goes out, and at the end of a stream."""
    answer: Answer | None = None
    raw: RawError | None = None
    try:
        async with call.exchange.while_connected():
            answer = await attempt_all(call)
            await _begun(call, answer)
    except AttemptError as failed:
        if failed.raw is None:
            raise failed.error from None
        raw = failed.raw
    except ClientLeftError:
        if call.delivered is None or not call.delivered.is_complete:
            raise
    finally:
        if answer is not None:
            call.delivered = call.delivered or answer.delivered()
            answer.close()
        await call.ledger.close(call.target, call.delivered)
    if isinstance(answer, WholeReply):
        await answer.send(call.exchange, adjustments_header(answer.notes))
    elif raw is not None:
        await call.exchange.start(raw.status, raw.headers)
        await call.exchange.write(raw.body)


async def _begun(call: Call, answer: Answer) -> None:
    """Note who answers, and deliver a stream."""
    call.target = answer.target
    call.first_byte = report.seconds_since(call.started)
    if isinstance(answer, WholeReply):
        call.delivered = answer.delivered()
    else:
        more = adjustments_header(answer.notes)
        call.delivered = await answer.deliver(call.exchange, more, call.gateway.limits.ping_seconds)


async def attempt_all(call: Call) -> Answer:
    """The first answer that a deployment gives. Raises the last `AttemptError`, or an error of the routing."""
    names, failed = [call.model], None
    for name in names:
        try:
            return await _attempt_name(call, name)
        except AttemptError as error:
            failed = error
            if name == call.model:
                names += _names_after(call, name, error.error)
    assert failed is not None  # noqa: S101 - the loop ran once at least
    raise failed


def _names_after(call: Call, name: str, error: UnifiedError) -> list[str]:
    kind = fallback_kind(error)
    if kind is None:
        return []
    configured = call.gateway.router.rules.after(name, kind)
    return list(dict.fromkeys((*call.fallbacks, *configured)))[:MAX_FALLBACKS]


async def _attempt_name(call: Call, name: str) -> Answer:
    """The first answer of a name's deployments: each is tried, and some again."""
    router = call.gateway.router
    targets = router.targets(name, call.endpoint)
    await call.ledger.open(name, targets, counts=call.counts)
    failed: AttemptError | None = None
    for number, target in enumerate(_attempts(targets, router.rules.retries)):
        if failed is not None and number >= len(targets):
            wait = _wait(failed.error, number - len(targets) + 1)
            if wait is None:
                break
            await asyncio.sleep(wait)
        try:
            return await _attempt(call, target)
        except AttemptError as error:
            failed = error
            if is_clients_fault(error.error):
                break
    assert failed is not None  # noqa: S101 - there is a target at least
    raise failed


async def _attempt(call: Call, target: Target) -> Answer:
    call.attempts += 1
    router = call.gateway.router
    try:
        router.count_request(target.deployment)
        if call.wire in target.wires and (call.compacts or not holds_proofs(call.data)):
            return await open_passing(call, target)
        return await open_crossing(call, target)
    except AttemptError as error:
        metrics.FAILURES.labels(target.deployment.label, type(error.error).__name__).inc()
        if counts_as_failure(error.error):
            router.cooldowns.failed(target.deployment, call.endpoint)
        raise


def _attempts(targets: list[Target], retries: int) -> Iterator[Target]:
    """Each target once, then in turn again until all retries are used up."""
    for number in range(max(len(targets), 1 + retries)):
        yield targets[number % len(targets)]


def counts_as_failure(error: UnifiedError) -> bool:
    """Whether an error says that the deployment is in trouble: not one that only this request or its pace causes."""
    return bool(error.is_retryable) and (error.status is None or error.status >= 500)


def _wait(error: UnifiedError, attempt: int) -> float | None:
    """Seconds before another attempt at the same deployment; `None`: there is no point in one."""
    if not error.is_retryable:
        return None
    wait = error.retry_after
    if wait is None:
        wait = 0.25 * 2 ** (attempt - 1) * (0.75 + 0.5 * random.random())  # noqa: S311 - no secret
        wait = wait * 2 if isinstance(error, RateLimitError) else wait
    return wait if wait <= LONGEST_WAIT_SECONDS else None
