"""Why a call reads from the prompt cache, or does not: two calls compared, without a network.

The bodies that two calls make are laid beside each other the way a cache takes them (`explain/prompt.py`), the
first difference is named (`explain/changes.py`), and the provider's rules say what is left of use
(`explain/reuse.py`). Tokens are estimates, unless the later call's answer is given: then they are scaled to
what the provider counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from langchain_core.messages import AIMessage

from langchain_unified.caching.segments import Section
from langchain_unified.errors import ConfigurationError
from langchain_unified.explain import words
from langchain_unified.explain.changes import Cause, Change, Difference, first_difference
from langchain_unified.explain.prompt import Prompt, prompt_of
from langchain_unified.explain.reuse import STEPS, Reuse, kind_of, minimum_of, reuse
from langchain_unified.profiles import provider_of
from langchain_unified.request import Adjustment, JsonObject, Request, WireName

Verdict: TypeAlias = Literal["hit_expected", "partial_expected", "miss_expected", "unknown"]
"""`hit_expected`: all that the previous call left in the cache is read. `partial_expected`: some of it.
`miss_expected`: nothing. `unknown`: the provider holds a part of the conversation that is not seen here."""


@dataclass(frozen=True, slots=True)
class CacheExplanation:
    """What a call will find in the prompt cache of what the one before it left, and why not more.

    `str()` says it in sentences. `segment` is where the two calls first differ, `None` where the later one only goes
    on; `message`, `block` and `tool` say the same as data (`message` is the index in the list of messages), and
    `change` what happened there: `added`, `removed`, `moved`, `edited`, `changed`, or the part of a tool that is
    another. `lost` are the parts of the prompt whose cache this makes useless.

    `shared_tokens` is how much the calls have in common, `minimum` what the model caches at least, `reusable_until` how
    far the cache is read, with `reusable_tokens`, out of `total_tokens`: all by estimate. `dropped` are marks that did
    not go out, `diagnostics` is what the provider itself said in the answer.
    """

    verdict: Verdict
    cause: Cause = "none"
    segment: str | None = None
    change: Change | None = None
    message: int | None = None
    block: int | None = None
    tool: str | None = None
    lost: tuple[Section, ...] = ()
    shared_tokens: int = 0
    minimum: int | None = None
    reusable_until: str | None = None
    reusable_tokens: int = 0
    total_tokens: int = 0
    dropped: tuple[Adjustment, ...] = ()
    diagnostics: Mapping[str, Any] | None = None
    reason: str | None = None
    remedy: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """How much of the call is expected to come from the cache, from 0 to 1."""
        return self.reusable_tokens / self.total_tokens if self.total_tokens else 0.0

    def __str__(self) -> str:
        """The verdict, its reason, and what to do."""
        return words.sentences(self)


def explain_cache(
    previous: Any,
    next: Any,  # noqa: A002 - the word for it
    *,
    elapsed: float | timedelta | None = None,
    reply: AIMessage | None = None,
) -> CacheExplanation:
    """What the second of two calls reads from the prompt cache of what the first one wrote, and why not more.

    A call is what `model.check(messages)` reports, a request that `testing.emulator` recorded, or a `Request`.
    `elapsed`: seconds between the two, for lifetimes that ran out; absent, none has (recorded requests know their
    time). `reply`: the answer to the second call; its usage corrects the estimates, and the provider's own diagnosis in
    it is used. Raises `ConfigurationError` for what is no call, `RequestError` for a call that cannot be sent.
    """
    one, other = _call(previous, "first"), _call(next, "second")
    usage = _usage(reply)
    before, after = _scaled(prompt_of(one.request, one.wire), prompt_of(other.request, other.wire), usage)
    found = _unseen(before, after) or _compared(before, after, _seconds(elapsed, one, other))
    return _told(found, one, other, reply)


# --- what is given ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call:
    """A call to compare. `time` is in seconds, `None` where it is not known; `dropped` are its marks left out."""

    request: Request
    wire: WireName
    time: float | None = None
    dropped: tuple[Adjustment, ...] = ()


def _call(given: Any, which: str) -> _Call:
    request = given if isinstance(given, Request) else getattr(given, "request", None)
    if not isinstance(request, Request):
        refused = getattr(given, "refused", None)
        why = f"it is refused: {refused}" if refused else f"a {type(given).__name__} is none"
        raise ConfigurationError(f"explain_cache compares two calls; the {which}: {why}. {HOW}")
    dropped = tuple(item for item in getattr(given, "adjustments", ()) if item["what"].startswith(MARK))
    return _Call(request, getattr(given, "wire", None) or _wire(request), getattr(given, "time", None), dropped)


HOW = "Give what model.check(messages) returns, a request that the emulator recorded, or a Request."

MARK = "the prompt-cache mark"
"""How an adjustment begins that tells of a mark."""

NATURAL: Mapping[str | None, WireName] = {"anthropic": "anthropic_messages", "openai": "openai_responses"}
"""The wire of a bare request, by its model's provider."""


def _wire(request: Request) -> WireName:
    wire = NATURAL.get(provider_of(request.model))
    if wire is None:
        raise ConfigurationError(f"A bare Request does not tell the API of {request.model!r}. {HOW}")
    return wire


def _seconds(elapsed: float | timedelta | None, one: _Call, other: _Call) -> float | None:
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
    """The prompts with their estimates corrected by what the provider counted of the second."""
    counted = usage.get("input_tokens")
    if not counted or not after.tokens:
        return before, after
    scale = counted / after.tokens
    return replace(before, scale=scale), replace(after, scale=scale)


# --- what comes of it -------------------------------------------------------------------------------------------------

HELD = ("previous_response_id", "conversation", "thread", "prompt")
"""Body keys with which the provider holds a part of the prompt."""


def _unseen(before: Prompt, after: Prompt) -> CacheExplanation | None:
    """The answer for a conversation of which a part is not seen here."""
    held = next(((prompt, key) for prompt in (after, before) for key in HELD if prompt.body.get(key)), None)
    if held is None:
        return None
    reason, remedy = words.unseen(*held)
    return CacheExplanation("unknown", total_tokens=after.tokens, reason=reason, remedy=remedy)


def _compared(before: Prompt, after: Prompt, elapsed: float | None) -> CacheExplanation:
    difference = first_difference(before, after)
    result = reuse(before, after, difference, elapsed)
    verdict: Verdict = "miss_expected"
    if result.read is not None:
        verdict = "hit_expected" if result.read == result.wrote else "partial_expected"
    told = words.Told(before, after, difference, result, elapsed)
    found = CacheExplanation(
        verdict,
        result.cause,
        shared_tokens=_shared(before, difference),
        minimum=minimum_of(before),
        reusable_until=result.read.where.words if result.read else None,
        reusable_tokens=result.read.tokens if result.read else 0,
        total_tokens=after.tokens,
        dropped=_beyond(result),
        reason=words.reason(told),
        remedy=words.remedy(told),
    )
    return found if difference is None else _placed(found, difference)


def _placed(found: CacheExplanation, difference: Difference) -> CacheExplanation:
    where = difference.where
    return replace(
        found,
        segment=where.words,
        change=difference.change,
        message=where.message,
        block=where.block,
        tool=where.tool,
        lost=difference.lost if found.cause == difference.cause else (),
    )


def _shared(before: Prompt, difference: Difference | None) -> int:
    if difference is None:
        return before.tokens
    inside = round(difference.inside * before.scale) if kind_of(before) is STEPS else 0
    return before.before(difference.index) + inside


def _beyond(result: Reuse) -> tuple[Adjustment, ...]:
    return tuple(Adjustment(what=f"{MARK} on {where.words}", why=words.BEYOND) for where in result.dropped)


# --- what the answer says ---------------------------------------------------------------------------------------------

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
"""The providers' own reasons. What says that nothing is known (`unavailable`, …) is none."""


def _told(found: CacheExplanation, one: _Call, other: _Call, reply: AIMessage | None) -> CacheExplanation:
    """The explanation with what the calls and the answer say themselves."""
    metadata = reply.response_metadata if reply is not None else {}
    reported = (metadata.get("prompt_cache") or {}).get("marks_dropped") or ()
    dropped = [*found.dropped, *one.dropped, *other.dropped, *reported]
    unique = tuple({item["what"]: item for item in dropped}.values())
    said = _diagnostics(metadata)
    cause = DIAGNOSES.get(str((said or {}).get("reason") or (said or {}).get("type")))
    found = replace(found, dropped=unique, diagnostics=said)
    if cause is not None and found.cause == "none":
        found = _diagnosed(found, cause, _read(reply) or 0)
    return replace(found, notes=tuple(words.notes(found, _read(reply), str(metadata.get("model_provider")))))


def _diagnosed(found: CacheExplanation, cause: Cause, read: int) -> CacheExplanation:
    """The explanation where the provider saw what cannot be seen here."""
    verdict: Verdict = "partial_expected" if read else "miss_expected"
    reason, remedy = words.diagnosed(cause)
    found = replace(found, verdict=verdict, cause=cause, reason=reason, remedy=remedy)
    return replace(found, reusable_until=None, reusable_tokens=read)


def _diagnostics(metadata: Mapping[str, Any]) -> JsonObject | None:
    """What the provider found: Anthropic's `cache_miss_reason`, OpenAI's `prompt_cache_diagnostics`."""
    said = (metadata.get("diagnostics") or {}).get("cache_miss_reason") or metadata.get("prompt_cache_diagnostics")
    return dict(said) if isinstance(said, Mapping) else None


def _read(reply: AIMessage | None) -> int | None:
    """The tokens that the answer's usage says were read; `None` where it does not say."""
    details = _usage(reply).get("input_token_details")
    if details is None:
        return None
    return sum(int(count) for name, count in details.items() if name.endswith("cache_read"))


__all__ = ["CacheExplanation", "explain_cache"]
