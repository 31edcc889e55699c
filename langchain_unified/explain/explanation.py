"""`CacheExplanation`: what a call is expected to read from the prompt cache, and why not more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from langchain_unified.caching.segments import Section
from langchain_unified.explain.changes import Cause, Change
from langchain_unified.request import Adjustment

Verdict: TypeAlias = Literal["hit_expected", "partial_expected", "miss_expected", "unknown"]
"""`hit_expected`: all that the previous call left in the cache is read. `partial_expected`: some of it.
`miss_expected`: nothing. `unknown`: the provider stores a part of the conversation, which cannot be compared."""


@dataclass(frozen=True, slots=True)
class CacheExplanation:
    """What a call is expected to read from the prompt cache after another call, and why not more.

    `str()` gives sentences.

    - `verdict`: `hit_expected` (all that the earlier call wrote is read), `partial_expected` (a part of it),
      `miss_expected` (nothing) or `unknown` (the provider stores a part of the prompt, which cannot be compared).
    - `cause`: why more is not read, such as `tools`, `system` or `ttl`; `none` where all is read. `reason` is the cause
      as text, `remedy` says what to do.
    - `segment`: where the two calls first differ; `None` where the later one only adds to the earlier one. `message`
      (the index in the list of messages), `block` and `tool` give the same place as data.
    - `change`: what happened there: `added`, `removed`, `moved`, `edited`, `changed`, or the part of a tool that
      changed. `lost`: the parts of the prompt that cannot be read from the cache because of it.
    - `shared_tokens`: the length of the common beginning. `reusable_tokens` of `total_tokens` are read from the cache,
      up to `reusable_until`. `minimum`: the shortest prefix that the model caches. Tokens are estimates.
    - `dropped`: marks that were not sent. `diagnostics`: the provider's own diagnosis in the reply. `notes`: further
      sentences.
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
        """The part of the call that is expected to come from the cache, from 0 to 1."""
        return self.reusable_tokens / self.total_tokens if self.total_tokens else 0.0

    def __str__(self) -> str:
        """The verdict, its reason, the remedy and the notes."""
        sentences = [VERDICTS[self.verdict](self)]
        if self.verdict == "partial_expected" and self.reason:
            sentences.append(f"{self.reason[:1].upper()}{self.reason[1:]}.")
        if self.remedy:
            sentences.append(self.remedy)
        return " ".join([*sentences, *self.notes])


def _figures(found: CacheExplanation) -> str:
    until = f", up to {found.reusable_until}," if found.reusable_until else ""
    share = f"about {found.reusable_tokens:,} of {found.total_tokens:,} tokens ({found.share:.0%})"
    return f"{share}{until} come from the cache."


VERDICTS: Mapping[str, Callable[[CacheExplanation], str]] = {
    "hit_expected": lambda found: f"A hit is expected: {_figures(found)}",
    "partial_expected": lambda found: f"A partial hit is expected: {_figures(found)}",
    "miss_expected": lambda found: f"A miss is expected: {found.reason}.",
    "unknown": lambda found: f"No prediction is possible: {found.reason}.",
}
