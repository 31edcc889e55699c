"""A call from its body to the end of its answer: attempts at deployments, fallbacks, delivery."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

from langchain_unified.errors import RateLimitError, UnifiedError
from langchain_unified.gateway import body as bodies
from langchain_unified.gateway.deployments import Target
from langchain_unified.gateway.exchange import Exchange
from langchain_unified.gateway.failures import AttemptError, fallback_kind, is_clients_fault
from langchain_unified.gateway.passing import open_passing
from langchain_unified.gateway.refusals import BadRequestError
from langchain_unified.gateway.sending import PassedStream, WholeReply, header_of
from langchain_unified.gateway.state import Call, Gateway
from langchain_unified.request import WireName

MAX_FALLBACKS = 5
LONGEST_WAIT_SECONDS = 5.0
"""The longest wait before an attempt at the same deployment. A longer one is left to the client."""


async def serve(gateway: Gateway, exchange: Exchange, wire: WireName, *, counts: bool = False) -> None:
    """Answer a call. Raises our errors before the first byte of the answer, and `ClientLeftError`."""
    limits = gateway.limits
    data = await exchange.body(limit=limits.max_body_bytes, seconds=limits.body_seconds)
    body = bodies.parse(data, exchange.headers)
    model = bodies.model_of(body)
    stream = body.get("stream") is True and not counts
    call = Call(gateway, exchange, wire, data, body, model, counts=counts, stream=stream)
    async with exchange.while_connected():
        await _answer(call)
    await exchange.end()


async def _answer(call: Call) -> None:
    try:
        answer = await attempt_all(call)
    except AttemptError as failed:
        if failed.raw is None:
            raise failed.error from None
        await call.exchange.start(failed.raw.status, failed.raw.headers)
        await call.exchange.write(failed.raw.body)
        return
    try:
        await answer.deliver(call.exchange, header_of(answer.notes), call.gateway.limits.ping_seconds)
    finally:
        answer.close()


async def attempt_all(call: Call) -> WholeReply | PassedStream:
    """The first answer that a deployment gives. Raises the last `AttemptError`, or an error of the routing."""
    names, failed = [call.model], None
    for name in names:
        try:
            return await _attempt_name(call, name)
        except AttemptError as error:
            failed = error
            if name == call.model:
                kind = fallback_kind(error.error)
                names += call.gateway.router.rules.after(name, kind)[:MAX_FALLBACKS] if kind else ()
    assert failed is not None  # noqa: S101 - the loop ran once at least
    raise failed


async def _attempt_name(call: Call, name: str) -> WholeReply | PassedStream:
    """The first answer of a name's deployments: each is tried, and some again."""
    router = call.gateway.router
    endpoint = f"{call.wire}{'/count' if call.counts else ''}"
    targets = router.targets(name, endpoint)
    failed: AttemptError | None = None
    for number, target in enumerate(_attempts(targets, router.rules.retries)):
        if failed is not None and number >= len(targets):
            wait = _wait(failed.error, number - len(targets) + 1)
            if wait is None:
                break
            await asyncio.sleep(wait)
        try:
            call.attempts += 1
            return await _opened(call, target)
        except AttemptError as error:
            failed = error
            if is_clients_fault(error.error):
                break
            if counts_as_failure(error.error):
                router.cooldowns.failed(target.deployment, endpoint)
    assert failed is not None  # noqa: S101 - there is a target at least
    raise failed


async def _opened(call: Call, target: Target) -> WholeReply | PassedStream:
    if call.wire in target.wires:
        return await open_passing(call, target)
    what = f"{call.model!r} is a model of {target.deployment.provider}, which does not speak the API of this address"
    raise AttemptError(BadRequestError(f"{what}. Call it by its own API.", param="model"))


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
