"""When the conversations of a model are continued: what the rule `pauses` of a policy decides by.

A prefix that is kept for an hour costs 0.75 of the input price more per written token than one for 5 minutes. After a
pause of 5 to 60 minutes it is read, where the other would be written again. `hour_pays` compares the two.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from langchain_unified.caching.requested import Place, call_ends, caller_turn_end
from langchain_unified.caching.tokens import CHARACTERS
from langchain_unified.messages.json_text import compact_json
from langchain_unified.request import Request

SHORT, LONG = 300.0, 3600.0
"""The lifetimes of Anthropic's prefixes, in seconds."""

WRITE_SHORT, WRITE_LONG = 1.25, 2.0
"""Prices of a written token, as multiples of the input price."""

CHANCE = 0.7
"""What is taken off the number of pauses where they are not the rule: a single one may have been chance."""

MAX_CONVERSATIONS = 4096
"""The most conversations that are remembered; the one that was continued least recently is forgotten first."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """The gaps before the calls of a model that continued a conversation, up to now.

    `gaps`: their number; `paused`: how many of them took 5 to 60 minutes. `expired`: whether what the last call of this
    conversation wrote is no longer kept.
    """

    gaps: int = 0
    paused: int = 0
    expired: bool = False

    @property
    def share(self) -> float:
        """The share of gaps that are pauses, as far as it can be told yet, from 0 to 1."""
        if not self.paused:
            return 0.0
        return (self.paused if 2 * self.paused >= self.gaps else self.paused - CHANCE) / self.gaps


NO_PAUSES = Pauses()


@dataclass(slots=True)
class PauseLog:
    """The gaps of one model. `clock` gives the time in seconds. Safe for threads; it is never written down."""

    clock: Callable[[], float] = time.time
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: OrderedDict[bytes, tuple[float, float]] = field(default_factory=OrderedDict)
    """By the end of a call: when it was made, and how long its prefix is kept."""
    _gaps: int = 0
    _paused: int = 0

    def pauses(self, request: Request) -> Pauses:
        """The gaps up to now, that before this call included. Changes nothing."""
        with self._lock:
            gap, kept = self._gap(request)
            if gap is None:
                return Pauses(self._gaps, self._paused)
            return Pauses(self._gaps + 1, self._paused + (SHORT <= gap < LONG), expired=gap >= kept)

    def called(self, request: Request, *, long: bool) -> None:
        """A call is made. `long`: the end of its prompt is kept for an hour."""
        end = caller_turn_end(request.turns, len(request.turns))
        with self._lock:
            gap, _ = self._gap(request)
            if gap is not None:
                self._gaps += 1
                self._paused += SHORT <= gap < LONG
            if end is not None:
                key = _key(request, end)
                self._seen[key] = (self.clock(), LONG if long else SHORT)
                self._seen.move_to_end(key)
            if len(self._seen) > MAX_CONVERSATIONS:
                self._seen.popitem(last=False)

    def _gap(self, request: Request) -> tuple[float | None, float]:
        """The seconds since the call that this one continues, and how long its prefix is kept."""
        ends = call_ends(request.turns)
        found = self._seen.get(_key(request, ends[-1])) if ends else None
        return (None, 0.0) if found is None else (self.clock() - found[0], found[1])


def _key(request: Request, end: Place) -> bytes:
    """What tells the call that ended here: the model, the place, and the text there. Marks are left out."""
    turn = request.turns[end[0]]
    blocks = [{key: value for key, value in block.items() if key != "mark"} for block in turn.blocks]
    data = compact_json([request.model, end[0], turn.role, turn.tool_call_id, blocks])
    return hashlib.sha256(data.encode(errors="surrogatepass")).digest()


def hour_pays(pauses: Pauses, request: Request, end: Place | None) -> bool:
    """Whether an hour for the end of this call is cheaper than 5 minutes, if pauses stay as frequent.

    `end`: the end of the call before, up to which the prompt is read from the cache.
    """
    if not pauses.share:
        return False
    sizes = [sum(map(_size, turn.blocks)) for turn in request.turns]
    tools = sum(_size(tool.parameters) + len(tool.description or "") for tool in request.tools)
    total = (sum(sizes) + tools) / CHARACTERS
    new = total if pauses.expired or end is None else sum(sizes[end[0] + 1 :]) / CHARACTERS
    saved = pauses.share * (WRITE_SHORT - request.profile.cache_read_price) * total
    return saved > (WRITE_LONG - WRITE_SHORT) * new


MEDIA_SIZE = 4000
"""Characters that an image or a document counts for."""


def _size(value: object) -> int:
    if not isinstance(value, dict):
        return len(str(value))
    if isinstance(value.get("text"), str):
        return len(value["text"])
    size = len(repr(value))
    return min(size, MEDIA_SIZE) if "base64" in value else size
