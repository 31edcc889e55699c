"""Tool call ids that the API takes, the same for a call and its result."""

from __future__ import annotations

import hashlib
import re

LEGAL = re.compile(r"[a-zA-Z0-9_-]+")


class CallIds:
    """Settles the ids of one conversation.

    A legal id stays. Any other becomes `toolu_` and 24 hex digits of its SHA-256, so that different ids stay different
    and a longer conversation gives the same ones. A call without an id is named by its place (which assistant turn,
    which of its calls without an id); the results without one that follow are taken to answer those in order.
    """

    def __init__(self) -> None:
        self.turn = 0
        self.calls = 0
        self.results = 0

    def next_turn(self) -> None:
        """An assistant turn begins."""
        self.turn += 1
        self.calls = self.results = 0

    def of_call(self, raw: str | None) -> str:
        """The id to send for a call."""
        if raw:
            return _legal(raw)
        self.calls += 1
        return _hashed(f"call {self.turn}.{self.calls}")

    def of_result(self, raw: str | None) -> str:
        """The id to send for the call that a result answers."""
        if raw:
            return _legal(raw)
        self.results += 1
        return _hashed(f"call {self.turn}.{self.results}")


def _legal(raw: str) -> str:
    return raw if LEGAL.fullmatch(raw) else _hashed(raw)


def _hashed(text: str) -> str:
    return f"toolu_{hashlib.sha256(text.encode()).hexdigest()[:24]}"
