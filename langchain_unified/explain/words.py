"""What an explanation says: reasons and remedies, by cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langchain_unified.caching.rules import ANTHROPIC_LOOKBACK_BLOCKS, MAX_BREAKPOINTS
from langchain_unified.explain.changes import Cause, Difference
from langchain_unified.explain.prompt import Prompt
from langchain_unified.explain.reuse import (
    BLOCKS,
    BREAKPOINTS,
    STEPS,
    Entry,
    Kind,
    Reuse,
    kind_of,
    minimum_of,
)

if TYPE_CHECKING:
    from langchain_unified.explain import CacheExplanation


@dataclass(frozen=True, slots=True)
class Told:
    """What is known when the words are chosen."""

    before: Prompt
    after: Prompt
    difference: Difference | None
    reuse: Reuse
    elapsed: float | None
    entry: Entry | None = None
    """The prefix that is not read."""


def sentences(found: CacheExplanation) -> str:
    """The verdict, why, and what to do, as a user reads it."""
    said = [VERDICTS[found.verdict](found)]
    if found.verdict == "partial_expected":
        said.append(f"{_capital(found.reason)}.")
    if found.remedy:
        said.append(found.remedy)
    return " ".join([*said, *found.notes])


def _figures(found: CacheExplanation) -> str:
    until = f", up to {found.reusable_until}," if found.reusable_until else ""
    share = f"about {found.reusable_tokens:,} of {found.total_tokens:,} tokens ({found.share:.0%})"
    return f"{share}{until} come from the cache."


VERDICTS: Mapping[str, Callable[[CacheExplanation], str]] = {
    "hit_expected": lambda found: f"A hit is expected: {_figures(found)}",
    "partial_expected": lambda found: f"A partial hit is expected: {_figures(found)}",
    "miss_expected": lambda found: f"A miss is expected: {found.reason}.",
    "unknown": lambda found: f"Nothing can be told: {found.reason}.",
}


def _capital(text: str | None) -> str:
    return text[:1].upper() + text[1:] if text else ""


# --- reasons ----------------------------------------------------------------------------------------------------------


def reason(told: Told) -> str | None:
    """Why not more is read, as half a sentence; `None` where nothing stands in the way."""
    said = [REASONS[cause](replace(told, entry=entry)) for cause, entry in told.reuse.causes]
    return "; and ".join(said) or None


def _changed(told: Told) -> str:
    """What happened at the first difference, and what that takes along."""
    difference = told.difference
    if difference is None:
        return ""
    happened = HAPPENED.get(difference.change, f"has another {difference.change}")
    return f"{difference.where.words} {happened}, so {LOST[len(difference.lost)]}"


HAPPENED = {
    "added": "was added",
    "removed": "was removed",
    "moved": "stands elsewhere",
    "edited": "is not what it was",
    "changed": "changed",
}

LOST = {
    3: "nothing from there on is read",
    2: "of the system prompt and the messages nothing from there on is read",
    1: "of the messages nothing from there on is read",
}
"""By how many parts of a prompt are lost."""


def _model(told: Told) -> str:
    return f"{_words(told)} changed, and each model keeps a cache of its own"


def _key(told: Told) -> str:
    return f"{_words(told)} differs, and calls with different keys share no cache"


def _parameters(told: Told) -> str:
    some = told.difference is not None and (told.difference.where.words, told.difference.lost) in DEPENDS
    return _changed(told) + (" (on some models of the tools and the system prompt, too)" if some else "")


DEPENDS = tuple((words, ("messages",)) for words in ("`thinking`", "`reasoning_effort`"))


def _words(told: Told) -> str:
    return told.difference.where.words if told.difference else "something"


def _ran_out(told: Told) -> str:
    ttl = told.entry.ttl if told.entry else ""
    return f"{_duration(told.elapsed or 0)} passed, and what the previous call wrote lives for {LIVES.get(ttl, ttl)}"


LIVES = {
    "5m": "5 minutes", "in_memory": "5 to 10 minutes", "30m": "30 minutes", "1h": "an hour", "12h": "12 hours",
    "24h": "a day",
}  # fmt: skip


def _duration(seconds: float) -> str:
    """`90 s`, `12 min`, `3 h`."""
    size, unit = next((each for each in ((3600, "h"), (60, "min")) if seconds >= 2 * each[0]), (1, "s"))
    return f"{seconds / size:.0f} {unit}"


def _wrote(told: Told) -> str:
    return told.entry.where.words if told.entry else "nothing"


def _out_of_sight(told: Told) -> str:
    return (
        f"more than {ANTHROPIC_LOOKBACK_BLOCKS} blocks lie between {_wrote(told)}, up to where the previous call "
        "wrote, and the marks of this one"
    )


def _no_match(told: Told) -> str:
    where = "there or after it" if kind_of(told.after) is BLOCKS else "exactly there"
    return f"the previous call wrote up to {_wrote(told)}, and no mark of this one stands {where}"


def _short(told: Told) -> str:
    tokens, minimum = told.entry.tokens if told.entry else 0, minimum_of(told.before)
    return (
        f"what the previous call could have left has about {tokens:,} tokens (an estimate), "
        f"and {told.before.request.model} caches from {minimum:,} on"
    )


def _unmarked(told: Told) -> str:
    return f"{'the previous' if told.entry is None else 'this'} call has no mark"


REASONS: Mapping[Cause, Callable[[Told], str]] = {
    "model": _model,
    "tools": _changed,
    "system": _changed,
    "message": _changed,
    "parameters": _parameters,
    "key": _key,
    "ttl": _ran_out,
    "look_back": _out_of_sight,
    "no_matching_breakpoint": _no_match,
    "below_minimum": _short,
    "no_marks": _unmarked,
}


# --- remedies ---------------------------------------------------------------------------------------------------------

AUTO = "prompt_cache='auto' does it"


def remedy(told: Told) -> str | None:
    """What to do about it; `None` where there is nothing to do."""
    cause = told.reuse.cause
    if cause == "ttl":
        return LONGER[kind_of(told.before)].get(told.reuse.wrote.ttl if told.reuse.wrote else "", SOONER)
    change = told.difference.change if told.difference else ""
    return REMEDIES.get((cause, change)) or REMEDIES.get((cause, ""))


SOONER = "Call again sooner, or let a call in between keep it alive."

LONGER: Mapping[Kind, Mapping[str, str]] = {
    BLOCKS: {"5m": "Ask for a longer life: cached(…, ttl='1h'), or prompt_cache=PromptCache(ttl='1h')."},
    BREAKPOINTS: {"30m": "Ask for a longer life: prompt_cache=PromptCache(ttl='12h'), by the Responses API."},
    STEPS: {"in_memory": "Ask for a longer life: prompt_cache=PromptCache(ttl='24h')."},
}
"""By way of caching and lifetime, how to ask for a longer one."""

REMEDIES: Mapping[tuple[Cause, str], str] = {
    ("model", ""): "Stay with one model while a conversation goes on.",
    ("tools", ""): "Keep the definition of a tool the same while a conversation goes on.",
    ("tools", "added"): "Send all tools from the first call on; say with tool_choice which of them may be called.",
    ("tools", "removed"): "Send all tools in every call; say with tool_choice which of them may be called.",
    ("tools", "moved"): "Send the tools in one order, sorted by name for instance.",
    ("system", ""): "Keep what changes (a date, a user's name) out of the system prompt: put it into the last message.",
    ("system", "moved"): "Send the system prompt in every call, in the same place.",
    ("system", "added"): "Send the system prompt in every call, in the same place.",
    ("system", "removed"): "Send the system prompt in every call, in the same place.",
    ("message", ""): "Add to a conversation at its end, and send what was sent before as it was.",
    ("message", "removed"): "Shorten a history seldom and by much, not a little before each call.",
    ("parameters", ""): "Keep it the same while a conversation goes on.",
    ("parameters", "added"): "Send an image from the first call on, or put what the images show into words.",
    ("parameters", "removed"): "Leave one image where it was, or put what the images show into words from the start.",
    ("key", ""): "Give all calls of a conversation the same prompt_cache_key.",
    ("look_back", ""): f"Mark the end of what the previous call sent, too: {AUTO}.",
    ("no_matching_breakpoint", ""): f"Mark what the previous call marked, too: {AUTO}.",
    ("below_minimum", ""): "Put more of what stays (rules, examples, documents) before the mark, or do without.",
    ("no_marks", ""): "Mark what stays with cached(…), or set prompt_cache='auto'.",
}
"""By cause and change; the row without a change is for all others."""


def diagnosed(cause: Cause) -> tuple[str, str]:
    """Reason and remedy of a cause that only the provider knows."""
    return "the provider found a difference that the calls given here do not show", REMEDIES[cause, ""]


# --- beside the verdict -----------------------------------------------------------------------------------------------

BEYOND = f"A request writes {MAX_BREAKPOINTS} at most: the latest were written."

PROVIDERS = {"anthropic": "Anthropic", "openai": "OpenAI"}


def notes(found: CacheExplanation, read: int | None, provider: str) -> Iterator[str]:
    """What the calls and the answer add, a sentence each. `read`: the tokens that the answer says were read."""
    for item in found.dropped if found.cause in OF_MARKS else ():
        yield f"Left out: {item['what']}. {item['why']}"
    if found.diagnostics is not None:
        yield f"{PROVIDERS.get(provider, 'The provider')} says: {_diagnosis(found.diagnostics)}."
    if read == 0 and found.reusable_tokens:
        yield (
            "The answer read nothing all the same: a prefix can be read once the first answer to it has begun, and may "
            "be evicted early."
        )
    if read and found.verdict == "miss_expected":
        yield f"The answer read {read:,} tokens all the same, left by a call before these."


OF_MARKS: tuple[Cause, ...] = ("look_back", "no_matching_breakpoint", "no_marks")
"""Causes for which it matters that a mark was left out."""


def _diagnosis(said: Mapping[str, object]) -> str:
    missed = said.get("cache_missed_input_tokens", said.get("cache_missed_tokens"))
    return str(said.get("reason") or said.get("type")) + (f", about {missed:,} tokens missed" if missed else "")


def unseen(prompt: Prompt, key: str) -> tuple[str, str]:
    """Reason and remedy where the provider holds a part of the prompt, under a key of its body."""
    ask = ASKED[kind_of(prompt) is BLOCKS]
    return (
        f"the provider holds a part of the prompt (`{key}`), which is not seen here",
        f"Ask the provider: send {ask} and give the answer as reply.",
    )


ASKED = {
    True: "diagnostics={'previous_message_id': …}",
    False: "prompt_cache_options={'comparison_response_id': …}",
}
"""By whether it is Anthropic, how a call asks for the provider's own diagnosis."""
