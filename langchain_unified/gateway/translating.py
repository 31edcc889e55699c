"""The path where client and upstream speak different APIs: read, encode, decode, render."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from langchain_core.messages import AIMessage

from langchain_unified.chat_models._stops import cut_message
from langchain_unified.errors import ReplyError, RequestError, error_in
from langchain_unified.gateway.body_tokens import body_size
from langchain_unified.gateway.crossed_streams import (
    MAX_PARALLEL,
    CrossedStream,
    SeveralStreams,
    open_streams,
    request_id,
    settings_of,
)
from langchain_unified.gateway.crossing import Crossing, cross
from langchain_unified.gateway.deployments import Target
from langchain_unified.gateway.failures import AttemptError, error_in_stream
from langchain_unified.gateway.headers import made
from langchain_unified.gateway.opening import Outgoing, asked, whole_object
from langchain_unified.gateway.passing import defaults_for
from langchain_unified.gateway.refusals import not_compacted
from langchain_unified.gateway.sending import WholeReply
from langchain_unified.gateway.state import Call
from langchain_unified.gateway.used import used_in
from langchain_unified.request import JsonObject
from langchain_unified.wires import DOORS, WIRES, Wire


async def open_crossing(call: Call, target: Target) -> WholeReply | CrossedStream | SeveralStreams:
    """Send the call; returns when there is something to deliver. Raises `AttemptError`."""
    if call.compacts:
        raise AttemptError(not_compacted(call.model))
    try:
        wire = _upstream_wire(call, target)
        crossing = crossed(call, target, wire)
    except RequestError as error:
        raise AttemptError(error) from None
    if call.counts:
        return await _counted(call, target, wire, crossing)
    plan = crossing.plan
    headers = made(plan.call.headers, call.headers, target.deployment)
    request = Outgoing(plan.call.path, orjson.dumps(plan.call.body), headers, call.stream)
    if call.stream:
        return await open_streams(call, target, crossing, request)
    return await _whole(call, target, crossing, request)


def _upstream_wire(call: Call, target: Target) -> Wire:
    if not call.counts:
        return WIRES[target.wire_for(call.wire)]
    return WIRES["anthropic_messages" if target.deployment.provider == "anthropic" else "openai_responses"]


def crossed(call: Call, target: Target, wire: Wire) -> Crossing:
    """The call as the upstream's API has it. Raises `RequestError`."""
    defaults = defaults_for(call, target) if target.deployment.defaults else {}
    reading = DOORS[call.wire].read({**call.body, **defaults}, call.headers)
    return cross(
        reading,
        client=call.wire,
        upstream=wire,
        model=target.model,
        profile=target.profile,
        dialect=target.dialect,
        prompt_cache=target.deployment.prompt_cache,
        secret=call.gateway.secret,
        on_unsupported=target.deployment.on_unsupported,
    )


# --- whole replies ----------------------------------------------------------------------------------------------------


async def _whole(call: Call, target: Target, crossing: Crossing, request: Outgoing) -> WholeReply:
    limit = asyncio.Semaphore(MAX_PARALLEL)

    async def one() -> tuple[JsonObject, Mapping[str, str]]:
        async with limit:
            reply = await asked(call, target, request)
            payload = (await whole_object(reply))[1]
        if (reported := error_in(payload)) is not None:  # also of a response that failed: it would be an empty answer
            raise AttemptError(error_in_stream(reported, target.deployment))
        return payload, reply.headers

    answers = [await one()] if crossing.plan.requests == 1 else await _together(one, crossing.plan.requests)
    door, settings = DOORS[call.wire], settings_of(call, target)
    wire = crossing.plan.wire
    messages = [message for payload, _ in answers for message in _decoded(crossing, payload)]
    completions = [door.completion(message, settings, call.body) for message in messages]
    rendered = door.render_replies(completions, call.body)
    notes = (*crossing.notes, *(note for completion in completions for note in completion.notes))
    headers = [(b"content-type", b"application/json"), *request_id(target, answers[0][1], call)]
    used = tuple(used_in(wire.name, payload) for payload, _ in answers)
    return WholeReply(target, orjson.dumps(rendered), headers, used, notes)


async def _together(one: Any, count: int) -> list[tuple[JsonObject, Mapping[str, str]]]:
    """Several answers; the first error ends the others."""
    tasks = [asyncio.ensure_future(one()) for _ in range(count)]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _decoded(crossing: Crossing, payload: JsonObject) -> Iterable[AIMessage]:
    plan = crossing.plan
    try:
        messages = plan.wire.decode(payload)
    except ReplyError as error:
        error.provider, error.model = plan.route.provider, plan.route.model
        raise AttemptError(error) from None
    for message in messages:
        yield crossing.restore(cut_message(message, plan.stops) if plan.stops else message)


async def _counted(call: Call, target: Target, wire: Wire, crossing: Crossing) -> WholeReply:
    """The count of a prompt, by the upstream's endpoint where it has one, else estimated."""
    count: int | None = None
    if wire.encode_count is not None and wire.count_path is not None and target.dialect.counting != "estimated":
        encoded = wire.encode_count(crossing.plan.request)
        headers = made(encoded.headers, call.headers, target.deployment)
        try:
            reply = await asked(
                call, target, Outgoing(wire.count_path, orjson.dumps(encoded.body), headers, stream=False)
            )
            found = (await whole_object(reply))[1].get("input_tokens")
        except AttemptError:
            if target.dialect.counting == "endpoint":
                raise
            found = None
        count = found if isinstance(found, int) else None
    if count is None:
        count = body_size(call.body).tokens
    data = orjson.dumps(DOORS[call.wire].count_reply(count))
    return WholeReply(target, data, [(b"content-type", b"application/json")], notes=crossing.notes)
