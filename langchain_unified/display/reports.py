"""Cards for dry runs, prompt-cache reports and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from langchain_unified.display.messages import adjustment_table, message_card
from langchain_unified.display.parts import Card, CardPart, Code, Fold, Prose, Table, Tone, as_json, counts_text
from langchain_unified.errors import UnifiedError
from langchain_unified.request import Adjustment, JsonObject


@runtime_checkable
class CheckReportLike(Protocol):
    """The report of a dry run: `CheckReport` of the chat models, which this package does not import."""

    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def wire(self) -> str | None: ...
    @property
    def body(self) -> JsonObject: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def adjustments(self) -> Sequence[Adjustment]: ...
    @property
    def left_out(self) -> Sequence[str]: ...
    @property
    def refused(self) -> str | None: ...
    @property
    def notice(self) -> str | None: ...


def check_card(report: CheckReportLike) -> Card:
    """What a call would send, change or leave out, or why it is refused."""
    title = f"{report.provider}/{report.model}"
    parts: list[CardPart] = [Prose(report.notice)] if report.notice else []
    if report.refused is not None:
        return Card(title, (Prose(report.refused), *parts), "bad", "is refused, nothing would be sent")
    if report.adjustments:
        parts.append(adjustment_table(report.adjustments))
    if report.left_out:
        parts.append(Table(("left out",), tuple((item,) for item in report.left_out)))
    if report.headers:
        parts.append(Fold("headers", (Table((), tuple(report.headers.items())),)))
    parts.append(Fold("body", (Code(as_json(report.body)),)))
    changed = bool(report.adjustments or report.left_out)
    outcome = "goes out with changes" if changed else "goes out as written"
    return Card(title, tuple(parts), "warn" if changed else "good", f"by {report.wire}: {outcome}")


CACHE_STATUSES: Mapping[str, tuple[Tone, str]] = {
    "hit": ("good", "everything marked was read from the cache"),
    "partial": ("good", "one part was read from the cache, another was written"),
    "write": ("plain", "written for later calls"),
    "miss": ("warn", "marked, but neither read nor written"),
    "below_minimum": ("warn", "shorter than the model caches"),
    "off": ("plain", "not used"),
}


def cache_card(report: Mapping[str, Any]) -> Card:
    """`response_metadata["prompt_cache"]`: what was read and written, and which marks were sent."""
    status = str(report.get("status"))
    tone, meaning = CACHE_STATUSES.get(status, ("plain", ""))
    parts: list[CardPart] = []
    sent, dropped = report.get("marks_sent") or (), report.get("marks_dropped") or ()
    if sent:
        rows = tuple((str(mark.get("place", "")), str(mark.get("ttl") or "default")) for mark in sent)
        parts.append(Table(("mark", "ttl"), rows))
    if dropped:
        rows = tuple((str(mark.get("what", "")), str(mark.get("why", ""))) for mark in dropped)
        parts.append(Table(("mark not sent", "why"), rows))
    foot = counts_text([(report.get("read"), "tokens read"), (report.get("written"), "tokens written")])
    return Card(f"prompt cache: {status}", tuple(parts), tone, meaning, foot)


def error_card(error: BaseException) -> Card:
    """An error, with the provider's details and the part of a stream that was received."""
    parts: list[CardPart] = [Prose(str(error))]
    if isinstance(error, UnifiedError):
        named = [(name, getattr(error, name)) for name in ERROR_FIELDS]
        rows = tuple((name, str(value)) for name, value in named if value is not None)
        if rows:
            parts.append(Table((), (*rows, ("retryable", "yes" if error.is_retryable else "no"))))
        if error.partial is not None:
            parts.append(Fold("received before the error", message_card(error.partial).parts))
    return Card(type(error).__name__, tuple(parts), "bad")


ERROR_FIELDS = ("provider", "model", "status", "code", "retry_after", "request_id")
