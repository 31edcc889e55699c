"""Dry runs, prompt-cache reports and errors -> cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from langchain_unified.display.messages import adjustment_rows, message_card
from langchain_unified.display.parts import Card, Code, Fold, Part, Prose, Rows, Tone, as_json, figures
from langchain_unified.errors import UnifiedError
from langchain_unified.request import Adjustment, JsonObject


@runtime_checkable
class Report(Protocol):
    """What a dry run says (`CheckReport` of the chat models)."""

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


def check_card(report: Report) -> Card:
    """What a call would send, change, leave out or refuse."""
    title = f"{report.provider}/{report.model}"
    if report.refused is not None:
        return Card(title, (Prose(report.refused),), "bad", "is refused, nothing would be sent")
    parts: list[Part] = []
    if report.adjustments:
        parts.append(adjustment_rows(report.adjustments))
    if report.left_out:
        parts.append(Rows(("left out",), tuple((item,) for item in report.left_out)))
    if report.headers:
        parts.append(Fold("headers", (Rows((), tuple(report.headers.items())),)))
    parts.append(Fold("body", (Code(as_json(report.body)),)))
    changed = bool(report.adjustments or report.left_out)
    outcome = "goes out with changes" if changed else "goes out as written"
    return Card(title, tuple(parts), "warn" if changed else "good", f"by {report.wire}: {outcome}")


STATUSES: Mapping[str, tuple[Tone, str]] = {
    "hit": ("good", "all that was marked came from the cache"),
    "partial": ("good", "a part came from the cache, a part was newly written"),
    "write": ("plain", "written, for the next call to read"),
    "miss": ("warn", "marked, but neither read nor written"),
    "below_minimum": ("warn", "too short for this model's cache"),
    "off": ("plain", "not used"),
}


def cache_card(report: Mapping[str, Any]) -> Card:
    """`response_metadata["prompt_cache"]`: what the prompt cache did in a call, and which marks went out."""
    status = str(report.get("status"))
    tone, meaning = STATUSES.get(status, ("plain", ""))
    parts: list[Part] = []
    sent, dropped = report.get("marks_sent") or (), report.get("marks_dropped") or ()
    if sent:
        parts.append(
            Rows(("mark", "lives"), tuple((str(m.get("place", "")), str(m.get("ttl") or "default")) for m in sent))
        )
    if dropped:
        parts.append(
            Rows(("mark left out", "why"), tuple((str(m.get("what", "")), str(m.get("why", ""))) for m in dropped))
        )
    foot = figures([(report.get("read"), "tokens read"), (report.get("written"), "tokens written")])
    return Card(f"prompt cache: {status}", tuple(parts), tone, meaning, foot)


def error_card(error: BaseException) -> Card:
    """An error, with what the provider said and what had come of a stream."""
    parts: list[Part] = [Prose(str(error))]
    if isinstance(error, UnifiedError):
        named = [(name, getattr(error, name)) for name in FIELDS]
        rows = tuple((name, str(value)) for name, value in named if value is not None)
        if rows:
            parts.append(Rows((), (*rows, ("retryable", "yes" if error.is_retryable else "no"))))
        if error.partial is not None:
            parts.append(Fold("what had come", message_card(error.partial).parts))
    return Card(type(error).__name__, tuple(parts), "bad")


FIELDS = ("provider", "model", "status", "code", "retry_after", "request_id")
