"""Testing one fact: the calls, and what they show."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage

from langchain_unified import (
    AuthenticationError,
    BillingError,
    ChatAnthropic,
    ChatOpenAI,
    ConnectionFailedError,
    InvalidRequestError,
    MissingKeyError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    UnifiedError,
    cached,
    message_cost,
)
from langchain_unified.cli.verify.facts import NO_MODEL, Fact
from langchain_unified.profiles import profile_for
from langchain_unified.transport.config import HttpCall

NOT_TESTED = (
    AuthenticationError, PermissionDeniedError, BillingError, RateLimitError, ServerError, ConnectionFailedError,
    RequestTimeoutError,
)  # fmt: skip
"""Errors that say nothing about a fact."""

SENTENCE = "This prefix is sent twice. "
"""Five tokens or more by every tokenizer."""


@dataclass(frozen=True)
class Outcome:
    """`holds` is `None` where the fact could not be tested; `saw` says what happened."""

    fact: Fact
    holds: bool | None
    saw: str
    request_id: str | None = None


def ask(fact: Fact) -> Outcome:
    """Test one fact. An error that says nothing about it is an outcome, too. Raises `MissingKeyError` without a key."""
    try:
        return ASKING[fact.kind](fact)
    except NOT_TESTED as error:
        return Outcome(fact, None, f"{type(error).__name__}: {error}", error.request_id)
    except MissingKeyError:
        raise
    except UnifiedError as error:
        return Outcome(fact, False, f"{type(error).__name__}: {error}", error.request_id)


def model_of(fact: Fact) -> Any:
    """The chat model for a fact: one try, and an answer of few tokens."""
    if fact.provider == "anthropic":
        return ChatAnthropic(fact.model, max_tokens=64, max_retries=1)
    return ChatOpenAI(fact.model, max_tokens=64, max_retries=1, use_responses_api=fact.endpoint == "responses")


def _send(fact: Fact) -> str | None:
    """Send the fact's body as it is. Returns the request id."""
    transport = model_of(fact)._transport(fact.provider)
    answer = transport.send(HttpCall(path=fact.path, body=fact.body, model=fact.model))
    return cast("str | None", answer.request_id)


def _refused(fact: Fact) -> Outcome:
    try:
        request_id = _send(fact)
    except (InvalidRequestError, NotFoundError) as error:
        return Outcome(fact, True, str(error), error.request_id)
    return Outcome(fact, False, "the request was accepted", request_id)


def _accepted(fact: Fact) -> Outcome:
    return Outcome(fact, True, "the request was accepted", _send(fact))


def _whole(fact: Fact) -> Outcome:
    return _complete(fact, model_of(fact).invoke("Answer with the word yes."))


def _streamed(fact: Fact) -> Outcome:
    chunks: list[AIMessageChunk] = list(model_of(fact).stream("Answer with the word yes."))
    message = chunks[0] + chunks[1:] if chunks else AIMessage("")
    return _complete(fact, message)


def _complete(fact: Fact, message: AIMessage) -> Outcome:
    """Whether an answer has all that this package promises of each answer."""
    metadata, usage = message.response_metadata, message.usage_metadata
    missing = [
        what
        for what, there in (
            ("a text, or the reason why it ended early", message.text or metadata.get("finish_reason") == "length"),
            ("a finish reason", metadata.get("finish_reason") in ("stop", "length")),
            ("usage", usage is not None and usage["output_tokens"]),
            ("a request id", metadata.get("request_id")),
            ("a price", message_cost(message).total is not None),
        )
        if not there
    ]
    saw = f"missing: {', '.join(missing)}" if missing else f"complete, {message_cost(message).total} USD"
    return Outcome(fact, not missing, saw, metadata.get("request_id"))


def _cached(fact: Fact) -> Outcome:
    """A prefix of twice the minimum, marked, with a new beginning: written first, read the second time."""
    minimum = profile_for(fact.provider, fact.model).cache_minimum or 1024
    prefix = f"{uuid.uuid4()}. " + SENTENCE * (2 * minimum // 5)
    model, reads = model_of(fact), []
    for question in ("Answer with the word yes.", "Answer with the word no."):
        messages = [cached(SystemMessage(prefix)), HumanMessage(question)]
        answer = model.invoke(messages, on_unsupported="ignore")
        details: Mapping[str, Any] = (answer.usage_metadata or {}).get("input_token_details", {})
        reads.append(int(details.get("cache_read") or 0))
    saw = f"read {reads[0]} tokens, then {reads[1]}"
    return Outcome(fact, reads[0] == 0 and reads[1] >= minimum, saw, answer.response_metadata.get("request_id"))


ASKING: Mapping[str, Callable[[Fact], Outcome]] = {
    "refused": _refused,
    "accepted": _accepted,
    "whole": _whole,
    "streamed": _streamed,
    "cached": _cached,
}


def highest_cost(facts: list[Fact]) -> tuple[Decimal, list[str]]:
    """What the calls cost at most, in US dollars, if all are answered; the models without a known price."""
    total, unpriced = Decimal(0), set()
    for fact in facts:
        usage: Any = {
            "input_tokens": fact.input_tokens,
            "output_tokens": fact.output_tokens,
            "total_tokens": fact.input_tokens + fact.output_tokens,
        }
        if not usage["total_tokens"] or fact.model == NO_MODEL:
            continue
        named = {"model_provider": fact.provider, "model_name": fact.model}
        cost = message_cost(AIMessage("", usage_metadata=usage, response_metadata=named)).total
        total += cost or 0
        unpriced |= {fact.model} if cost is None else set()
    return total, sorted(unpriced)


__all__ = ["Outcome", "ask", "highest_cost"]
