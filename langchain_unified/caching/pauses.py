"""When and how the conversations of a model are continued: what `pauses`, `windows` and `single_calls` decide by.

A prefix that is kept for an hour costs 0.75 of the input price more per written token than one for 5 minutes. After a
pause of 5 to 60 minutes it is read, where the other would be written again. `hour_pays` compares the two.

Nothing in a single request tells a window over the last messages from a short conversation, or a single call from the
first call of a conversation: only the calls before it do.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from langchain_unified.caching.requested import Place, call_ends, caller_turn_end, leading_blocks
from langchain_unified.caching.rules import DEFAULT_MINIMUM
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
    conversation wrote is no longer kept. `moved`: how many of the latest calls of this conversation in a row began with
    another first message than the call before. `alone`: how many of the latest calls without a mark nobody continued.
    """

    gaps: int = 0
    paused: int = 0
    expired: bool = False
    moved: int = 0
    alone: int = 0

    @property
    def share(self) -> float:
        """The share of gaps that are pauses, as far as it can be told yet, from 0 to 1."""
        if not self.paused:
            return 0.0
        return (self.paused if 2 * self.paused >= self.gaps else self.paused - CHANCE) / self.gaps

    @property
    def is_window(self) -> bool:
        """Whether the history of this conversation loses its first messages at each call."""
        return self.moved >= ENOUGH

    @property
    def are_single(self) -> bool:
        """Whether calls without a mark are not continued."""
        return self.alone >= ENOUGH


ENOUGH = 2
"""After how many calls in a row something is taken as the rule. One is not enough: a summary replaces the first
message once, and what is not written then costs 1.15 of the input price in the next call, where writing for nothing
costs 0.25."""

NO_PAUSES = Pauses()


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that was made: when, how long its prefix is kept, `moved` as in `Pauses`, and whether it had no mark."""

    at: float
    kept: float
    moved: int
    unmarked: bool


@dataclass(slots=True)
class PauseLog:
    """The gaps of one model. `clock` gives the time in seconds. Safe for threads; it is never written down."""

    clock: Callable[[], float] = time.time
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: OrderedDict[bytes, _Call] = field(default_factory=OrderedDict)
    """By the end of a call with the start of its conversation, and by its end alone."""
    _gaps: int = 0
    _paused: int = 0
    _alone: int = 0

    def pauses(self, request: Request) -> Pauses:
        """The calls up to now, the gap before this one included. Changes nothing."""
        with self._lock:
            before, moved = self._before(request)
            known = Pauses(self._gaps, self._paused, moved=moved, alone=self._alone)
            if before is None or moved:
                return known
            gap = self.clock() - before.at
            paused = self._paused + (SHORT <= gap < LONG)
            return replace(known, gaps=self._gaps + 1, paused=paused, expired=gap >= before.kept)

    def called(self, request: Request, *, long: bool, marked: bool = True) -> None:
        """A call is made. `long`: the end of its prompt is kept for an hour. `marked`: it has a mark."""
        end = caller_turn_end(request.turns, len(request.turns))
        with self._lock:
            before, moved = self._before(request)
            if before is not None and not moved:
                self._gaps += 1
                self._paused += SHORT <= self.clock() - before.at < LONG
                self._alone = 0 if before.unmarked else self._alone
            unmarked = not marked and _is_cacheable(request)
            self._alone += unmarked
            if end is not None:
                made = _Call(self.clock(), LONG if long else SHORT, moved, unmarked)
                for key in _keys(request, end):
                    self._seen[key] = made
                    self._seen.move_to_end(key)
            while len(self._seen) > 2 * MAX_CONVERSATIONS:
                self._seen.popitem(last=False)

    def _before(self, request: Request) -> tuple[_Call | None, int]:
        """The call that this one continues, and `moved` as in `Pauses`."""
        ends = call_ends(request.turns)
        if not ends:
            return None, 0
        whole, end = _keys(request, ends[-1])
        if whole in self._seen:
            return self._seen[whole], 0
        before = self._seen.get(end)
        return before, 0 if before is None else before.moved + 1


def _keys(request: Request, end: Place) -> tuple[bytes, bytes]:
    """What tells the call that ended here: model, place, text there and first message; and model and text alone.

    Marks are left out.
    """
    turn = request.turns[end[0]]
    blocks = [{key: value for key, value in block.items() if key != "mark"} for block in turn.blocks]
    data = compact_json([request.model, turn.role, turn.tool_call_id, blocks])
    alone = hashlib.sha256(data.encode(errors="surrogatepass")).digest()
    start = f"{end[0]} {_first_words(request)}"
    return hashlib.sha256(alone + start.encode(errors="surrogatepass")).digest(), alone


FIRST_WORDS = 2000
"""Characters of a conversation's first message that tell it from others."""


def _first_words(request: Request) -> str:
    """The beginning of the first message after the system prompt: a document there is not read as a whole."""
    leading = leading_blocks(request.turns)
    at = leading[-1][0] + 1 if leading else 0
    blocks = request.turns[at].blocks if at < len(request.turns) else ()
    return "\n".join(f"{block.get('text') or block['type']}"[:FIRST_WORDS] for block in blocks[:FIRST_BLOCKS])


FIRST_BLOCKS = 8
"""Blocks of it that are read."""


def _is_cacheable(request: Request) -> bool:
    """Whether a prompt is long enough to be written to a cache."""
    return _tokens(request) >= (request.profile.cache_minimum or DEFAULT_MINIMUM)


def _tokens(request: Request) -> float:
    tools = sum(_size(tool.parameters) + len(tool.description or "") for tool in request.tools)
    return (sum(_size(block) for turn in request.turns for block in turn.blocks) + tools) / CHARACTERS


def hour_pays(pauses: Pauses, request: Request, end: Place | None) -> bool:
    """Whether an hour for the end of this call is cheaper than 5 minutes, if pauses stay as frequent.

    `end`: the end of the call before, up to which the prompt is read from the cache.
    """
    if not pauses.share:
        return False
    total = _tokens(request)
    later = (block for turn in request.turns[end[0] + 1 if end else 0 :] for block in turn.blocks)
    new = total if pauses.expired or end is None else sum(map(_size, later)) / CHARACTERS
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
