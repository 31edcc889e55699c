"""What prompt caching did for one reply: `response_metadata["prompt_cache"]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.caching.placement import PlacedMarks, SentMark
from langchain_unified.request import JsonObject, Request
from langchain_unified.usage import without_tier


def report(
    request: Request, marks: PlacedMarks, usage: Mapping[str, Any] | None, *, by_itself: bool
) -> JsonObject | None:
    """`response_metadata["prompt_cache"]` of a reply with this `usage_metadata`.

    `None` where the call neither asked for caching nor got any, and where the reply has no usage.

    `status`: `hit` (read, nothing written), `partial` (part read, part newly written), `write` (only written), `miss`
    (neither, although it was possible), `below_minimum` (neither: the marked part is shorter than the model caches),
    `off` (caching was switched off, or no mark was sent). `read` and `written` are tokens. `marks_sent` are
    `{place, ttl, why}`, of which `why` names the rule of a policy that set the mark; `marks_dropped` are `{what, why}`.
    `by_itself`: whether the model also caches without marks.
    """
    if usage is None:
        return None
    details = without_tier(usage.get("input_token_details"))
    read, written = details.get("cache_read", 0), details.get("cache_creation", 0)
    if not (marks.requested or read or written):
        return None
    status = _STATUS.get((bool(read), bool(written)))
    if status is None:
        possible = bool(marks.sent) or by_itself
        status = "off" if marks.off or not possible else _miss(request, usage)
    return {
        "status": status,
        "read": read,
        "written": written,
        "marks_sent": [_sent(mark) for mark in marks.sent],
        "marks_dropped": [dict(item) for item in marks.dropped],
    }


def _sent(mark: SentMark) -> JsonObject:
    return {"place": mark.place, **({"ttl": mark.ttl} if mark.ttl else {}), **({"why": mark.why} if mark.why else {})}


_STATUS = {(True, False): "hit", (True, True): "partial", (False, True): "write"}


def _miss(request: Request, usage: Mapping[str, Any]) -> str:
    minimum = request.profile.cache_minimum
    tokens = usage.get("input_tokens")
    if minimum is None or tokens is None:
        return "miss"
    return "below_minimum" if tokens * marked_share(request) < minimum else "miss"


def marked_share(request: Request) -> float:
    """The part of the prompt up to its last mark, from 0 to 1, by the length of its text; 1 without marks."""
    sizes = [(_size(tool.parameters) + len(tool.description or ""), tool.mark is not None) for tool in request.tools]
    sizes += [(_size(block), "mark" in block) for turn in request.turns for block in turn.blocks]
    last = max((at for at, (_, marked) in enumerate(sizes) if marked), default=len(sizes) - 1)
    total = sum(size for size, _ in sizes)
    return sum(size for size, _ in sizes[: last + 1]) / total if total else 1.0


MAX_MEDIA_SIZE = 6000
"""The most characters that media data count for: its length says nothing about its tokens."""


def _size(value: Mapping[str, Any]) -> int:
    if isinstance(value.get("text"), str):
        return len(value["text"])
    size = len(repr(value))  # works for any content: a report must not lose a reply that was paid for
    return min(size, MAX_MEDIA_SIZE) if "base64" in value else size
