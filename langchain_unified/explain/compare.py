"""`explain_cache`: two calls compared as a prompt cache compares them.

Both calls are encoded, and their bodies cut into segments (`explain/prompt.py`). The first difference is found
(`explain/changes.py`), and the provider's rules tell what can still be read (`explain/reuse.py`). Tokens are estimates;
with the reply to the later call, they are scaled to what the provider counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from langchain_core.messages import AIMessage

from langchain_unified.errors import ConfigurationError
from langchain_unified.explain import wording
from langchain_unified.explain.changes import Cause, Difference, first_difference
from langchain_unified.explain.edits import edited
from langchain_unified.explain.explanation import CacheExplanation, Verdict
from langchain_unified.explain.prompt import Prompt, prompt_of
from langchain_unified.explain.reuse import OPENAI_LEGACY_SCHEME, Reuse, minimum_of, reuse, scheme_of
from langchain_unified.profiles import provider_of
from langchain_unified.request import Adjustment, JsonObject, Request, WireName
from langchain_unified.usage import without_tier


def explain_cache(
    previous: Any,
    next: Any,  # noqa: A002  # the natural name beside `previous`
    *,
    elapsed: float | timedelta | None = None,
    reply: AIMessage | None = None,
) -> CacheExplanation:
    """Predict what a call reads from the prompt cache after another one, and say why it is not more.

    `previous`, `next`: the two calls. A call is a report of `model.check(messages)`, a request recorded by
    `testing.emulator`, or a `Request`.
    `elapsed`: the seconds between them, for entries that expire; absent, none has expired (recorded requests have their
    own times). `reply`: the answer to the second call. Its usage corrects the estimated tokens, and the provider's own
    diagnosis in it is used.
    Raises `ConfigurationError` for something that is not a call, `RequestError` for a call that cannot be sent.
    """
    one, other = _compared_call(previous, "first"), _compared_call(next, "second")
    usage = _usage(reply)
    before, after = prompt_of(one.request, one.wire), prompt_of(other.request, other.wire)
    found = _stored_at_provider(before, after) or edited(before, after, reply)
    if found is None:
        found = _compare(*_scaled(before, after, usage), _seconds(elapsed, one, other))
    return _with_reply(found, one, other, reply)


# --- the calls --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _ComparedCall:
    """`time` is in seconds, `None` where it is not known. `dropped` are marks that were not sent."""

    request: Request
    wire: WireName
    time: float | None = None
    dropped: tuple[Adjustment, ...] = ()


def _compared_call(given: Any, which: str) -> _ComparedCall:
    request = given if isinstance(given, Request) else getattr(given, "request", None)
    if not isinstance(request, Request):
        refused = getattr(given, "refused", None)
        why = f"it is refused ({refused})" if refused else f"{type(given).__name__} is not a call"
        raise ConfigurationError(f"explain_cache cannot use the {which} call: {why}. {HOW}")
    dropped = tuple(item for item in getattr(given, "adjustments", ()) if item["what"].startswith(MARK))
    wire = getattr(given, "wire", None) or _default_wire(request)
    return _ComparedCall(request, wire, getattr(given, "time", None), dropped)


HOW = "Give a report of model.check(messages), a request recorded by the emulator, or a Request."

MARK = "the prompt-cache mark"
"""How the adjustment for a mark begins."""

DEFAULT_WIRES: Mapping[str | None, WireName] = {"anthropic": "anthropic_messages", "openai": "openai_responses"}
"""The wire of a `Request`, by its model's provider."""


def _default_wire(request: Request) -> WireName:
    wire = DEFAULT_WIRES.get(provider_of(request.model))
    if wire is None:
        raise ConfigurationError(f"A Request for the model {request.model!r} does not show which API it is for. {HOW}")
    return wire


def _seconds(elapsed: float | timedelta | None, one: _ComparedCall, other: _ComparedCall) -> float | None:
    if isinstance(elapsed, timedelta):
        return elapsed.total_seconds()
    if elapsed is None and one.time is not None and other.time is not None:
        return other.time - one.time
    return elapsed


def _usage(reply: AIMessage | None) -> Mapping[str, Any]:
    if reply is not None and not isinstance(reply, AIMessage):
        raise ConfigurationError(f"reply is the answer to the second call, an AIMessage, not a {type(reply).__name__}.")
    return reply.usage_metadata or {} if reply is not None else {}


def _scaled(before: Prompt, after: Prompt, usage: Mapping[str, Any]) -> tuple[Prompt, Prompt]:
    """The prompts with their estimates scaled to what the provider counted for the second."""
    counted = usage.get("input_tokens")
    if not counted or not after.tokens:
        return before, after
    scale = counted / after.tokens
    return replace(before, scale=scale), replace(after, scale=scale)


# --- the comparison ---------------------------------------------------------------------------------------------------

STATE_KEYS = ("previous_response_id", "conversation", "thread", "prompt")
"""Body keys that name a part of the prompt that the provider stores."""


def _stored_at_provider(before: Prompt, after: Prompt) -> CacheExplanation | None:
    """The explanation where the provider stores a part of a prompt; else `None`."""
    found = next(((prompt, key) for prompt in (after, before) for key in STATE_KEYS if prompt.body.get(key)), None)
    if found is None:
        return None
    reason, remedy = wording.stored_at_provider(*found)
    return CacheExplanation("unknown", total_tokens=after.tokens, reason=reason, remedy=remedy)


def _compare(before: Prompt, after: Prompt, elapsed: float | None) -> CacheExplanation:
    difference = first_difference(before, after)
    result = reuse(before, after, difference, elapsed)
    verdict: Verdict = "miss_expected"
    if result.read is not None:
        verdict = "hit_expected" if result.read == result.written else "partial_expected"
    comparison = wording.Comparison(before, after, difference, result, elapsed)
    found = CacheExplanation(
        verdict,
        result.cause,
        shared_tokens=_shared_tokens(before, difference),
        minimum=minimum_of(before),
        reusable_until=result.read.place.label if result.read else None,
        reusable_tokens=result.read.tokens if result.read else 0,
        total_tokens=after.tokens,
        dropped=_beyond_limit(result),
        reason=wording.reason(comparison),
        remedy=wording.remedy(comparison),
    )
    return found if difference is None else _with_difference(found, difference)


def _with_difference(found: CacheExplanation, difference: Difference) -> CacheExplanation:
    place = difference.place
    return replace(
        found,
        segment=place.label,
        change=difference.change,
        message=place.message,
        block=place.block,
        tool=place.tool,
        lost=difference.lost if found.cause == difference.cause else (),
    )


def _shared_tokens(before: Prompt, difference: Difference | None) -> int:
    if difference is None:
        return before.tokens
    within = round(difference.tokens_within * before.scale) if scheme_of(before) is OPENAI_LEGACY_SCHEME else 0
    return before.tokens_before(difference.index) + within


def _beyond_limit(result: Reuse) -> tuple[Adjustment, ...]:
    why = wording.BEYOND_LIMIT
    return tuple(Adjustment(what=f"{MARK} on {place.label}", why=why) for place in result.dropped)


# --- what the reply adds ----------------------------------------------------------------------------------------------

DIAGNOSES: Mapping[str, Cause] = {
    "model_changed": "model",
    "tools_changed": "tools",
    "system_changed": "system",
    "messages_changed": "message",
    "input_changed": "message",
    "context_compacted": "message",
    "prompt_cache_key_changed": "key",
    "text_format_changed": "parameters",
    "reasoning_effort_changed": "parameters",
    "verbosity_changed": "parameters",
    "service_tier_changed": "parameters",
}
"""The providers' diagnoses. Those that name no cause (`unavailable`, …) are not here."""


def _with_reply(
    found: CacheExplanation, one: _ComparedCall, other: _ComparedCall, reply: AIMessage | None
) -> CacheExplanation:
    """The explanation with the marks that were dropped, the provider's diagnosis and the notes."""
    metadata = reply.response_metadata if reply is not None else {}
    reported = (metadata.get("prompt_cache") or {}).get("marks_dropped") or ()
    dropped = [*found.dropped, *one.dropped, *other.dropped, *reported]
    unique = tuple({item["what"]: item for item in dropped}.values())
    diagnosis = _diagnostics(metadata)
    cause = DIAGNOSES.get(str((diagnosis or {}).get("reason") or (diagnosis or {}).get("type")))
    found = replace(found, dropped=unique, diagnostics=diagnosis)
    read = _tokens_read(reply)
    if cause is not None and found.cause == "none":
        found = _with_diagnosis(found, cause, read or 0)
    return replace(found, notes=tuple(wording.notes(found, read, str(metadata.get("model_provider")))))


def _with_diagnosis(found: CacheExplanation, cause: Cause, read: int) -> CacheExplanation:
    """The explanation where the provider found a difference that the two calls do not show."""
    verdict: Verdict = "partial_expected" if read else "miss_expected"
    reason, remedy = wording.diagnosed(cause)
    found = replace(found, verdict=verdict, cause=cause, reason=reason, remedy=remedy)
    return replace(found, reusable_until=None, reusable_tokens=read)


def _diagnostics(metadata: Mapping[str, Any]) -> JsonObject | None:
    """The provider's diagnosis: Anthropic's `cache_miss_reason`, OpenAI's `prompt_cache_diagnostics`."""
    found = (metadata.get("diagnostics") or {}).get("cache_miss_reason") or metadata.get("prompt_cache_diagnostics")
    return dict(found) if isinstance(found, Mapping) else None


def _tokens_read(reply: AIMessage | None) -> int | None:
    """The tokens that were read, by the reply's usage; `None` where it does not tell."""
    details = _usage(reply).get("input_token_details")
    if details is None:
        return None
    return without_tier(details).get("cache_read", 0)
