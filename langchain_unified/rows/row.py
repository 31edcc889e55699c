"""`Row`: what became of one input. An answer, a structured object, another output, or an error, as plain JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, TypedDict, TypeGuard

import orjson
from langchain_core.messages import AIMessage, BaseMessage, message_to_dict
from langchain_core.messages.ai import UsageMetadata

from langchain_unified.cost.prices import EXACT, CallerPrices
from langchain_unified.redaction import masked
from langchain_unified.replies import Reply
from langchain_unified.request import JsonObject
from langchain_unified.usage import without_tier


class RowError(TypedDict):
    """Why a row has no answer. `type`: the name of the error's class. `status`: the HTTP status, if there was one."""

    type: str
    status: int | None
    code: str | None
    message: str


class Row(TypedDict):
    """What became of one input. What is not known is `None`, never 0.

    `text`: the text of the answer; of a structured answer or another output its JSON. `message`: the last message of
    the model, as LangChain's `message_to_dict` writes it. Tokens and `cost` (USD, a decimal as text) are the sum of all
    calls of the row. `error` is `None` where the row has an answer.
    """

    id: str
    text: str | None
    message: JsonObject | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read: int | None
    cache_creation: int | None
    cost: str | None
    model: str | None
    finish_reason: str | None
    error: RowError | None


NO_PRICES = CallerPrices.of(None)


def row_of(
    row_id: str, outcome: object, calls: Sequence[AIMessage] | None = None, prices: CallerPrices = NO_PRICES
) -> Row:
    """The row for an outcome: an `AIMessage`, a structured object, any other output of a runnable, or an exception.

    `calls`: the messages of all calls that the row made, where they are known; `None`: the messages in the outcome.
    """
    error = outcome if isinstance(outcome, BaseException) else None
    raw = list(calls) if calls is not None else _messages_in(outcome)
    last = next(reversed([*raw, *_messages_in(outcome)]), None)
    replies = [Reply(message, prices) for message in raw]
    reply = Reply(last, prices) if last is not None else None
    if _is_include_raw(outcome):
        error = outcome["parsing_error"]
    return Row(
        id=row_id,
        text=None if isinstance(outcome, BaseException) else text_of(outcome),
        message=None if last is None else message_to_dict(last),
        **_tokens(replies),
        cost=_cost(replies),
        model=reply.model if reply else None,
        finish_reason=reply.finish_reason if reply else None,
        error=None if error is None else error_of(error),
    )


def error_of(error: BaseException) -> RowError:
    """An exception as data. The name of its class is the public one; secrets in its message are masked."""
    status, code = getattr(error, "status", None), getattr(error, "code", None)
    return RowError(
        type=type(error).__name__,
        status=status if isinstance(status, int) else None,
        code=str(code) if code is not None else None,
        message=masked(str(error)) or type(error).__name__,
    )


# --- text -------------------------------------------------------------------------------------------------------------


def text_of(outcome: object) -> str | None:
    """The text of a message or of the last message of an agent's state; of anything else its JSON."""
    if isinstance(outcome, str) or outcome is None:
        return outcome
    if isinstance(outcome, BaseMessage):
        return str(outcome.text)
    if _is_include_raw(outcome):
        return text_of(outcome["parsed"])
    if isinstance(outcome, Mapping) and (messages := _messages_in(outcome)):
        structured = outcome.get("structured_response")
        return text_of(structured if structured is not None else messages[-1])
    return orjson.dumps(outcome, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: Any) -> Any:
    """What JSON can hold of an object: the fields of a model, the amount of a decimal, else its text."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, Mapping):
        return dict(value)
    return value.dict() if hasattr(value, "__fields__") else str(value)


# --- messages in outcomes ---------------------------------------------------------------------------------------------


def _is_include_raw(outcome: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether it is what `with_structured_output(include_raw=True)` returns."""
    return isinstance(outcome, Mapping) and outcome.keys() == {"raw", "parsed", "parsing_error"}


def _messages_in(outcome: object) -> list[AIMessage]:
    """The model's messages in an outcome: itself, the raw one beside a parsed one, or the new ones of an agent."""
    if isinstance(outcome, AIMessage):
        return [outcome]
    if isinstance(outcome, BaseException):
        found: Iterable[Any] = (getattr(outcome, "raw_message", None), getattr(outcome, "partial", None))
    elif isinstance(outcome, Mapping):
        messages = outcome.get("messages")
        found = [outcome.get("raw"), *(messages if isinstance(messages, list) else ())]
    else:
        return []
    return [message for message in found if isinstance(message, AIMessage)]


# --- sums -------------------------------------------------------------------------------------------------------------


class Tokens(TypedDict):
    """The token counts of a row."""

    input_tokens: int | None
    output_tokens: int | None
    cache_read: int | None
    cache_creation: int | None


def _tokens(replies: Iterable[Reply]) -> Tokens:
    sums = Tokens(input_tokens=None, output_tokens=None, cache_read=None, cache_creation=None)
    for reply in replies:
        usage = reply.usage
        if usage is not None:
            for name, count in _counted(usage).items():
                sums[name] = (sums[name] or 0) + count  # type: ignore[literal-required]
    return sums


def _counted(usage: UsageMetadata) -> dict[str, int]:
    """The counts of one message. Anthropic's writes by TTL are added up."""
    details = without_tier(usage.get("input_token_details"))
    by_ttl = [count for name, count in details.items() if name.startswith("ephemeral_")]
    written = sum(by_ttl) if by_ttl else details.get("cache_creation")
    counts = {
        "input_tokens": usage["input_tokens"],
        "output_tokens": usage["output_tokens"],
        "cache_read": details.get("cache_read"),
        "cache_creation": written,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _cost(replies: Sequence[Reply]) -> str | None:
    """The sum of what the calls cost; `None` where one of them has no known price, or no call was made."""
    totals = [reply.cost.total for reply in replies]
    if not totals or any(total is None for total in totals):
        return None
    with localcontext(EXACT):
        return f"{sum((total for total in totals if total is not None), Decimal(0)).normalize():f}"
