"""The sentences of an explanation: reasons and remedies by cause, and notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from langchain_unified.caching.rules import ANTHROPIC_LOOKBACK_POSITIONS, MAX_BREAKPOINTS
from langchain_unified.explain.changes import Cause, Difference
from langchain_unified.explain.explanation import CacheExplanation
from langchain_unified.explain.prompt import Prompt
from langchain_unified.explain.reuse import (
    ANTHROPIC_SCHEME,
    OPENAI_LEGACY_SCHEME,
    OPENAI_SCHEME,
    CachedPrefix,
    CachingScheme,
    Reuse,
    minimum_of,
    scheme_of,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known about two calls. `prefix` is the one that a reason is about: it is not read."""

    before: Prompt
    after: Prompt
    difference: Difference | None
    reuse: Reuse
    elapsed: float | None
    prefix: CachedPrefix | None = None


# --- reasons ----------------------------------------------------------------------------------------------------------


def reason(comparison: Comparison) -> str | None:
    """Why not more is read, a clause without a full stop; `None` where everything is read."""
    clauses = [REASON_BY_CAUSE[cause](replace(comparison, prefix=prefix)) for cause, prefix in comparison.reuse.causes]
    return "; and ".join(clauses) or None


def _changed(comparison: Comparison) -> str:
    """What happened at the first difference, and which parts of the prompt are not read because of it."""
    difference = comparison.difference
    if difference is None:
        return ""
    happened = CHANGE_VERBS.get(difference.change, f"has a different {difference.change}")
    since = "" if difference.cause == "parameters" else " from there on"
    return f"{difference.place.label} {happened}, so {NOT_READ[len(difference.lost)]}{since}"


CHANGE_VERBS = {
    "added": "was added",
    "removed": "was removed",
    "moved": "was moved",
    "edited": "was edited",
    "changed": "changed",
}

NOT_READ = {
    3: "nothing is read",
    2: "the system prompt and the messages are not read",
    1: "the messages are not read",
}
"""By the number of parts of the prompt that are lost."""


def _model(comparison: Comparison) -> str:
    return f"{_difference_label(comparison)} changed, and each model has its own cache"


def _key(comparison: Comparison) -> str:
    return f"{_difference_label(comparison)} differs, and calls with different keys share no cache"


def _parameters(comparison: Comparison) -> str:
    label, lost = _difference_label(comparison), comparison.difference.lost if comparison.difference else ()
    if label in LOSS_BY_MODEL and lost == ("messages",):
        return f"{_changed(comparison)}, and on some models the tools and the system prompt are not read either"
    return _changed(comparison)


LOSS_BY_MODEL = ("`thinking`", "`reasoning_effort`")
"""Settings that affect more of the prompt on some models than on others."""


def _difference_label(comparison: Comparison) -> str:
    return comparison.difference.place.label if comparison.difference else "something"


def _expired(comparison: Comparison) -> str:
    ttl = comparison.prefix.ttl if comparison.prefix else ""
    passed = _duration(comparison.elapsed or 0)
    return f"{passed} passed, and what the previous call wrote is kept for {TTL_NAMES.get(ttl, ttl)}"


TTL_NAMES = {
    "5m": "5 minutes", "in_memory": "5 to 10 minutes", "30m": "30 minutes", "1h": "an hour", "12h": "12 hours",
    "24h": "a day",
}  # fmt: skip


def _duration(seconds: float) -> str:
    """`90 s`, `12 min`, `3 h`."""
    size, unit = next((each for each in ((3600, "h"), (60, "min")) if seconds >= 2 * each[0]), (1, "s"))
    return f"{seconds / size:.0f} {unit}"


def _prefix_end(comparison: Comparison) -> str:
    return comparison.prefix.place.label if comparison.prefix else "nothing"


def _beyond_lookback(comparison: Comparison) -> str:
    return (
        f"the previous call wrote up to {_prefix_end(comparison)}, and the next mark of this call is "
        f"{ANTHROPIC_LOOKBACK_POSITIONS} blocks or more behind it"
    )


def _no_matching_breakpoint(comparison: Comparison) -> str:
    where = "there or after it" if scheme_of(comparison.after) is ANTHROPIC_SCHEME else "exactly there"
    return f"the previous call wrote up to {_prefix_end(comparison)}, and this call has no mark {where}"


def _too_short(comparison: Comparison) -> str:
    tokens = comparison.prefix.tokens if comparison.prefix else 0
    return (
        f"the previous call could write about {tokens:,} tokens (an estimate), and {comparison.before.request.model} "
        f"caches only prefixes of {minimum_of(comparison.before):,} tokens or more"
    )


def _unmarked(comparison: Comparison) -> str:
    return f"{'the previous' if comparison.prefix is None else 'this'} call has no mark"


REASON_BY_CAUSE: Mapping[Cause, Callable[[Comparison], str]] = {
    "model": _model,
    "tools": _changed,
    "system": _changed,
    "message": _changed,
    "parameters": _parameters,
    "key": _key,
    "ttl": _expired,
    "look_back": _beyond_lookback,
    "no_matching_breakpoint": _no_matching_breakpoint,
    "below_minimum": _too_short,
    "no_marks": _unmarked,
}


# --- remedies ---------------------------------------------------------------------------------------------------------


def remedy(comparison: Comparison) -> str | None:
    """What to do; `None` where there is nothing to do."""
    result = comparison.reuse
    if result.cause == "ttl":
        return LONGER_TTL[scheme_of(comparison.before)].get(result.written.ttl if result.written else "", SOONER)
    if result.cause in APART_CAUSES and (alike := _alike(comparison)) >= ALIKE:
        return APART.format(place=_difference_label(comparison), tokens=f"{alike:,}")
    change = comparison.difference.change if comparison.difference else ""
    return REMEDY_BY_CAUSE.get((result.cause, change)) or REMEDY_BY_CAUSE.get((result.cause, ""))


ALIKE = 256
"""Tokens from which on the equal beginning of two texts is worth a block of its own."""

APART_CAUSES: tuple[Cause, ...] = ("message", "system", "none", "no_matching_breakpoint", "below_minimum", "no_marks")
"""Causes for which a text that begins alike in both calls could be read, if it stood apart."""

APART = (
    "{place} begins alike in both calls, for about {tokens} tokens, but only whole blocks are cached: put what is the "
    "same (a document) into a block of its own before the rest."
)


def _alike(comparison: Comparison) -> int:
    """The tokens that the first texts that differ have in common at their start, where only whole blocks are cached."""
    difference = comparison.difference
    if difference is None or scheme_of(comparison.before) is OPENAI_LEGACY_SCHEME:
        return 0
    return round(difference.tokens_within * comparison.before.scale)


SOONER = "Make the next call sooner, or one in between, which keeps the entry alive."

LONGER_TTL: Mapping[CachingScheme, Mapping[str, str]] = {
    ANTHROPIC_SCHEME: {"5m": "Ask for a longer ttl: cached(…, ttl='1h') or prompt_cache=PromptCache(ttl='1h')."},
    OPENAI_SCHEME: {"30m": "Ask for a longer ttl: prompt_cache=PromptCache(ttl='12h'), on the Responses API."},
    OPENAI_LEGACY_SCHEME: {"in_memory": "Ask for a longer ttl: prompt_cache=PromptCache(ttl='24h')."},
}
"""By caching scheme and TTL, how to ask for a longer one."""

REMEDY_BY_CAUSE: Mapping[tuple[Cause, str], str] = {
    ("model", ""): "Use the same model for all calls of a conversation.",
    ("tools", ""): "Keep the definition of a tool the same during a conversation.",
    ("tools", "added"): "Send all tools from the first call on, and choose among them with tool_choice.",
    ("tools", "removed"): "Send all tools in every call, and choose among them with tool_choice.",
    ("tools", "moved"): "Send the tools in the same order in every call, sorted by name for example.",
    ("system", ""): "Keep what changes (a date, a user's name) out of the system prompt: put it into the last message.",
    ("system", "moved"): "Send the system prompt in every call, in the same place.",
    ("system", "added"): "Send the system prompt in every call, in the same place.",
    ("system", "removed"): "Send the system prompt in every call, in the same place.",
    ("message", ""): "Add new messages at the end, and send the earlier ones unchanged.",
    ("message", "removed"): "Shorten a history rarely and by a lot, not a little before each call.",
    ("parameters", ""): "Keep it the same during a conversation.",
    ("parameters", "added"): "Send an image from the first call on, or describe the images in text.",
    ("parameters", "removed"): "Keep one image where it was, or describe the images in text from the start.",
    ("key", ""): "Give all calls of a conversation the same prompt_cache_key.",
    ("look_back", ""): "Mark the end of what the previous call sent, too. prompt_cache='auto' does that.",
    ("no_matching_breakpoint", ""): "Mark what the previous call marked, too. prompt_cache='auto' does that.",
    ("below_minimum", ""): "Put more of what stays the same (rules, examples, documents) before the mark.",
    ("no_marks", ""): "Mark what stays the same with cached(…), or set prompt_cache='auto'.",
}
"""By cause and change. The row without a change is for all other changes."""


def diagnosed(cause: Cause) -> tuple[str, str]:
    """Reason and remedy for a cause that only the provider knows."""
    return "the provider found a difference that these two calls do not show", REMEDY_BY_CAUSE[cause, ""]


def stored_at_provider(prompt: Prompt, key: str) -> tuple[str, str]:
    """Reason and remedy where the provider stores a part of the prompt, which a key of the body names."""
    option = ANTHROPIC_DIAGNOSIS if scheme_of(prompt) is ANTHROPIC_SCHEME else OPENAI_DIAGNOSIS
    return (
        f"the provider stores a part of the prompt (`{key}`), which cannot be compared here",
        f"Ask the provider: send {option}, and give the answer as reply.",
    )


ANTHROPIC_DIAGNOSIS = "diagnostics={'previous_message_id': …}"
OPENAI_DIAGNOSIS = "prompt_cache_options={'comparison_response_id': …}"
"""How a call asks for the provider's own diagnosis."""


def edited_by_provider(applied: Sequence[Mapping[str, object]] | None) -> tuple[str, str]:
    """Reason and remedy where `context_management` edits the prompt. `applied`: what the reply says, if it is there."""
    if applied is None:
        return UNREAD_EDITS, READ_EDITS
    cleared = ", ".join(f"{edit.get('type')}: {_cleared(edit)}" for edit in applied)
    return f"the provider cleared a part of the prompt before the cache saw it ({cleared})", CLEAR_MUCH


def _cleared(edit: Mapping[str, object]) -> str:
    counts = {key.removeprefix("cleared_").replace("_", " "): count for key, count in edit.items() if key != "type"}
    return " and ".join(f"{count} {name}" for name, count in counts.items())


UNREAD_EDITS = "the provider may clear a part of the prompt (`context_management`) before the cache sees it"
READ_EDITS = (
    "Give the answer as reply: response_metadata['context_management']['applied_edits'] in it says what was cleared."
)
CLEAR_MUCH = (
    "Clear rarely and by a lot: clear_at_least, and a higher trigger. prompt_cache='auto' reads up to its anchor."
)


# --- notes ------------------------------------------------------------------------------------------------------------

BEYOND_LIMIT = f"A request writes {MAX_BREAKPOINTS} breakpoints at most: the latest."

PROVIDER_TITLES = {"anthropic": "Anthropic", "openai": "OpenAI"}

MARK_CAUSES: tuple[Cause, ...] = ("look_back", "no_matching_breakpoint", "no_marks")
"""Causes for which a dropped mark matters."""


def notes(found: CacheExplanation, read: int | None, provider: str) -> Iterator[str]:
    """Sentences about the dropped marks and the reply. `read`: the tokens that were read, by the reply's usage."""
    for item in found.dropped if found.cause in MARK_CAUSES else ():
        yield f"Not sent: {item['what']}. {item['why']}"
    if found.diagnostics is not None:
        yield f"{PROVIDER_TITLES.get(provider, 'The provider')} reports: {_diagnosis(found.diagnostics)}."
    if read == 0 and found.reusable_tokens:
        yield (
            "But the answer read nothing: a prefix can be read only after the first answer to it has begun, and it may "
            "be evicted early."
        )
    if read and found.verdict == "miss_expected":
        yield f"But the answer read {read:,} tokens, which an earlier call had written."


def _diagnosis(diagnostics: Mapping[str, object]) -> str:
    missed = diagnostics.get("cache_missed_input_tokens", diagnostics.get("cache_missed_tokens"))
    name = str(diagnostics.get("reason") or diagnostics.get("type"))
    return name + (f", about {missed:,} tokens missed" if missed else "")
