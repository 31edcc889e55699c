"""Durations (`30s`, `15m`, `12h`, `7d`, `2w`, `1mo`) and the budget periods that they make, in UTC.

A period starts at a time that depends on the clock alone: every process computes the same one, and a budget starts
again at the first check of a new period, without a job. `1d` starts at midnight, `1w` and `7d` on Monday, `1mo` and
`30d` on the first of the month, as in LiteLLM (`duration_parser.py`). Other numbers count from 1970: `6h` starts at
0, 6, 12 and 18 o'clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from langchain_unified.gateway.errors import KeyRequestError
from langchain_unified.redaction import masked

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
ALIGNED = {"7d": "1w", "30d": "1mo"}
MONDAY = 4 * 86_400
"""1970-01-05, the first Monday, in seconds."""
MAX_SECONDS = 100 * 366 * 86_400

_DURATION = re.compile(r"([1-9]\d{0,9})(mo|[smhdw])")


def parse_duration(text: object, field: str) -> tuple[int, str]:
    """`(number, unit)`. Raises `KeyRequestError`, which names the field."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise KeyRequestError(f"{field}: {shown(text)} is no duration. Write a number with s, m, h, d, w or mo: '30d'.")
    count, unit = int(found[1]), found[2]
    if count * SECONDS.get(unit, 30 * 86_400) > MAX_SECONDS:
        raise KeyRequestError(f"{field}: {shown(text)} is longer than 100 years. Leave it out for no end.")
    return count, unit


def shown(value: object) -> str:
    """A client's value in a message: its beginning, without what looks like a key."""
    return repr(masked(value if isinstance(value, str) else str(value))[:50])


def expiry(text: object, now_ms: int) -> int:
    """When a key of this `duration` expires, in milliseconds since 1970."""
    count, unit = parse_duration(text, "duration")
    if unit != "mo":
        return now_ms + count * SECONDS[unit] * 1000
    then = datetime.fromtimestamp(now_ms / 1000, UTC)
    months = then.year * 12 + then.month - 1 + count
    return _month_start(months) + min(_since_month_start(now_ms), _month_start(months + 1) - _month_start(months) - 1)


def period_start(duration: str | None, now_ms: int) -> int:
    """The start of the current budget period, in milliseconds since 1970. Without a duration: 0, one endless period."""
    return 0 if duration is None else _bounds(duration, now_ms)[0]


def period_end(duration: str | None, now_ms: int) -> int | None:
    """When the current budget period ends, in milliseconds since 1970; `None` without a duration."""
    return None if duration is None else _bounds(duration, now_ms)[1]


def _bounds(duration: str, now_ms: int) -> tuple[int, int]:
    count, unit = parse_duration(ALIGNED.get(duration, duration), "budget_duration")
    if unit == "mo":
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        months = (now.year * 12 + now.month - 1) // count * count
        return _month_start(months), _month_start(months + count)
    length = count * SECONDS[unit] * 1000
    offset = MONDAY * 1000 if unit == "w" else 0
    start = (now_ms - offset) // length * length + offset
    return start, start + length


def _month_start(months: int) -> int:
    return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000


def _since_month_start(now_ms: int) -> int:
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return now_ms - _month_start(now.year * 12 + now.month - 1)
