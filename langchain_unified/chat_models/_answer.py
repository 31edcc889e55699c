"""A plan -> complete answers -> LangChain's result."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables.config import ContextThreadPoolExecutor

from langchain_unified.caching.gate import Passage
from langchain_unified.caching.report import report
from langchain_unified.chat_models._finish import add_finish, list_writes_by_ttl, llm_output
from langchain_unified.chat_models._gateway import generation_info
from langchain_unified.chat_models._plan import Plan
from langchain_unified.chat_models._stops import cut_message
from langchain_unified.errors import ReplyError
from langchain_unified.history.servers import server_id
from langchain_unified.messages.server_reasoning import SERVER
from langchain_unified.request import JsonObject
from langchain_unified.structured.answer import Target, parse_answer, refusal_in
from langchain_unified.tools.names import give_caller_names
from langchain_unified.transport import Answer, AsyncEventStream, EventStream, Transport
from langchain_unified.wires.openai_responses.versions import in_version

MAX_PARALLEL = 8
"""How many requests of one call run at once."""


# --- sending ----------------------------------------------------------------------------------------------------------


def send_n(transport: Transport, plan: Plan) -> list[Answer]:
    """One answer per request of the plan, in order. Several requests run in parallel; the first error is raised."""
    if plan.gate is not None:
        return _send_gated(transport, replace(plan, gate=None), plan.gate)
    if plan.requests == 1:
        return [transport.send(plan.call)]
    with ContextThreadPoolExecutor(max_workers=min(plan.requests, MAX_PARALLEL)) as executor:
        return list(executor.map(transport.send, [plan.call] * plan.requests))


async def asend_n(transport: Transport, plan: Plan) -> list[Answer]:
    """Async twin of `send_n`. The first error cancels the requests that still run."""
    if plan.gate is not None:
        return await _asend_gated(transport, replace(plan, gate=None), plan.gate)
    if plan.requests == 1:
        return [await transport.asend(plan.call)]
    limit = asyncio.Semaphore(MAX_PARALLEL)

    async def send() -> Answer:
        async with limit:
            return await transport.asend(plan.call)

    tasks = [asyncio.ensure_future(send()) for _ in range(plan.requests)]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _send_gated(transport: Transport, plan: Plan, gate: Passage) -> list[Answer]:
    gate.enter()
    try:
        answers = send_n(transport, plan)
        gate.begun()
    finally:
        gate.leave()
    return answers


async def _asend_gated(transport: Transport, plan: Plan, gate: Passage) -> list[Answer]:
    try:
        await gate.aenter()
        answers = await asend_n(transport, plan)
        gate.begun()
    finally:
        gate.leave()
    return answers


# --- reading ----------------------------------------------------------------------------------------------------------


def read_answers(plan: Plan, answers: Sequence[Answer]) -> ChatResult:
    """The result of a call: each answer decoded, cut at the plan's stops, with what the call adds to its metadata."""
    generations: list[ChatGeneration] = []
    for answer in answers:
        added = call_metadata(plan, answer)
        info = generation_info(answer.headers) or {}
        for decoded in _decode(plan, answer):
            message = decoded
            if plan.output_version is not None and plan.wire.name == "openai_responses":
                message = in_version(message, answer.data, plan.output_version)
            if plan.stops:
                message = cut_message(message, plan.stops)
            if plan.caller_names:
                give_caller_names(message, plan.caller_names)
            message.response_metadata.update(added)
            finish = add_finish(message)
            add_cache_report(plan, message)
            if plan.writes_by_ttl:
                list_writes_by_ttl(message)
            if plan.target is not None:
                add_parsed(message, message, plan.target)
            generations.append(ChatGeneration(message=message, generation_info={**info, **finish} or None))
    found = [generation.message for generation in generations if isinstance(generation.message, AIMessage)]
    return ChatResult(generations=generations, llm_output=llm_output(found))


def _decode(plan: Plan, answer: Answer) -> Sequence[AIMessage]:
    """The messages of an answer. A `ReplyError` says which call it is of."""
    try:
        return plan.wire.decode(answer.data)
    except ReplyError as error:
        error.provider, error.model = plan.route.provider, plan.call.model
        error.request_id, error.attempts = answer.request_id, answer.attempts
        raise


def add_parsed(message: AIMessage, whole: AIMessage, target: Target) -> None:
    """Write the answer as the type of `response_format` into `additional_kwargs["parsed"]` of `message`.

    A refusal and a turn that calls tools have none. Raises `StructuredOutputError` for an answer that does not fit.
    """
    if refusal_in(whole) is not None:
        return
    value = parse_answer(whole, target)
    if not isinstance(value, AIMessage):
        message.additional_kwargs["parsed"] = value


def call_metadata(plan: Plan, answer: Answer | EventStream | AsyncEventStream) -> JsonObject:
    """What the call itself adds to `response_metadata`, for an invoked and a streamed answer alike.

    `attempts` is there where the first request failed.
    """
    added: JsonObject = {}
    headers = answer.headers
    if answer.request_id:
        added["request_id"] = answer.request_id
    if answer.attempts > 1:
        added["attempts"] = answer.attempts
    if plan.route.dialect.name != plan.route.provider and (server := server_id(plan.route.dialect)):
        added[SERVER] = server
    if plan.adjustments:
        added["adjustments"] = [dict(item) for item in plan.adjustments]
    if plan.include_headers:
        added["headers"] = {key: value for key, value in headers.items() if key.lower() not in PRIVATE_HEADERS}
    return added


PRIVATE_HEADERS = frozenset({"set-cookie", "openai-organization", "openai-project", "anthropic-organization-id"})


def add_cache_report(plan: Plan, message: AIMessage) -> None:
    """Write `response_metadata["prompt_cache"]` of an answer, where caching was asked for or happened.

    What the server changed in the input is added to the adjustments.
    """
    if "input_transformations" in message.response_metadata:
        _list_dropped_thinking(message)
    usage = message.usage_metadata
    if usage is None:
        return
    details = usage.get("input_token_details") or {}
    if not plan.marks.requested and not any(count for name, count in details.items() if "cache" in name):
        return
    caches_by_itself = plan.route.provider == "openai" and plan.route.dialect.cache_marks == "native"
    found = report(plan.request, plan.marks, usage, by_itself=caches_by_itself)
    if found is not None:
        message.response_metadata["prompt_cache"] = found


def _list_dropped_thinking(message: AIMessage) -> None:
    """Add to the adjustments of an answer what Anthropic says it left out of the prompt."""
    metadata = message.response_metadata
    dropped = [item for item in metadata["input_transformations"] or () if item.get("type") == "thinking_dropped"]
    if dropped:
        places = ", ".join(str(item.get("path")) for item in dropped)
        why = "The conversation before it has changed: Anthropic left it out of the prompt."
        found = {"what": f"earlier thinking ({places})", "why": why}
        metadata["adjustments"] = [*metadata.get("adjustments", ()), found]
