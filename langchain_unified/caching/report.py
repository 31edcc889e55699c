"""What prompt caching did for one answer: `response_metadata["prompt_cache"]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.caching.placement import Marks
from langchain_unified.request import Block, JsonObject, Request

# --- after the call ---------------------------------------------------------------------------------------------------


def report(request: Request, marks: Marks, usage: Mapping[str, Any] | None, *, by_itself: bool) -> JsonObject | None:
    """`response_metadata["prompt_cache"]` of a reply with this `usage_metadata`.

    `None` where caching was no matter, and where there is no usage to tell.

    `status`: `hit` (read, nothing written), `partial` (part read, part newly written), `write` (only written), `miss`
    (neither, although it could have been), `below_minimum` (neither, and the marked part is shorter than the model
    caches), `off` (nothing was asked for). `read` and `written` are tokens. `marks_sent` are `{place, ttl}`,
    `marks_dropped` `{what, why}`. `by_itself`: whether the model also caches without marks.
    """
    if usage is None:
        return None  # nothing is known
    details = usage.get("input_token_details") or {}
    read, written = _tokens(details, "cache_read"), _tokens(details, "cache_creation")
    if not (marks.asked or read or written):
        return None
    status = _STATUS.get((bool(read), bool(written)))
    if status is None:
        waiting = bool(marks.sent) or by_itself
        status = "off" if marks.off or not waiting else _unread(request, usage)
    return {
        "status": status,
        "read": read,
        "written": written,
        "marks_sent": [{"place": mark.place, **({"ttl": mark.ttl} if mark.ttl else {})} for mark in marks.sent],
        "marks_dropped": [dict(item) for item in marks.dropped],
    }


_STATUS = {(True, False): "hit", (True, True): "partial", (False, True): "write"}


def _tokens(details: Mapping[str, Any], key: str) -> int:
    """A count, whichever service tier it was counted under (`priority_cache_read`)."""
    return sum(count for name, count in details.items() if name == key or name.endswith(f"_{key}"))


def _unread(request: Request, usage: Mapping[str, Any]) -> str:
    minimum = request.profile.cache_minimum
    tokens = usage.get("input_tokens")
    if minimum is None or tokens is None:
        return "miss"
    return "below_minimum" if tokens * marked_share(request) < minimum else "miss"


def marked_share(request: Request) -> float:
    """How much of the prompt stands at or before its last mark, by the length of what is written; 1 without marks."""
    sizes = [(_size(tool.parameters) + len(tool.description or ""), tool.mark is not None) for tool in request.tools]
    sizes += [(_size(block), "mark" in block) for turn in request.turns for block in turn.blocks]
    last = max((at for at, (_, marked) in enumerate(sizes) if marked), default=len(sizes) - 1)
    whole = sum(size for size, _ in sizes)
    return sum(size for size, _ in sizes[: last + 1]) / whole if whole else 1.0


PICTURE = 6000
"""What an image counts for, in characters: its data say nothing about its tokens."""


def _size(value: Block) -> int:
    if isinstance(value.get("text"), str):
        return len(value["text"])
    size = len(repr(value))  # whatever it holds: an answer that was paid for must not be lost to its report
    return min(size, PICTURE) if "base64" in value else size
