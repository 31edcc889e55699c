"""Durations and budget periods. Where LiteLLM has a rule it is the same: litellm's `duration_parser.py`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_unified.gateway.errors import KeyRequestError
from langchain_unified.gateway.keys.periods import expiry, parse_duration, period_end, period_start


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    "duration, now, start, end",
    [
        ("1d", "2026-12-01T13:00", "2026-12-01", "2026-12-02"),
        ("1d", "2026-12-01T00:00", "2026-12-01", "2026-12-02"),
        ("7d", "2026-12-01T13:00", "2026-11-30", "2026-12-07"),  # Monday to Monday
        ("1w", "2026-11-30T00:00", "2026-11-30", "2026-12-07"),
        ("30d", "2026-12-31T23:59", "2026-12-01", "2027-01-01"),
        ("1mo", "2028-02-29T12:00", "2028-02-01", "2028-03-01"),
        ("3mo", "2026-11-15T12:00", "2026-10-01", "2027-01-01"),
        ("12mo", "2026-11-15T12:00", "2026-01-01", "2027-01-01"),
        ("6h", "2026-12-01T13:00", "2026-12-01T12:00", "2026-12-01T18:00"),
        ("5m", "2026-12-01T13:07", "2026-12-01T13:05", "2026-12-01T13:10"),
        ("30s", "2026-12-01T13:07:45", "2026-12-01T13:07:30", "2026-12-01T13:08"),
    ],
)
def test_periods_are_those_of_the_calendar_in_utc(duration: str, now: str, start: str, end: str) -> None:
    assert (period_start(duration, at(now)), period_end(duration, at(now))) == (at(start), at(end))


def test_without_a_duration_there_is_one_period() -> None:
    assert (period_start(None, at("2026-12-01")), period_end(None, at("2026-12-01"))) == (0, None)


UNITS = st.sampled_from(["s", "m", "h", "d", "w", "mo"])


@given(st.integers(1, 400), UNITS, st.integers(at("2020-01-01"), at("2099-01-01")))
def test_periods_follow_each_other_without_a_gap(count: int, unit: str, now: int) -> None:
    duration = f"{count}{unit}"
    start, end = period_start(duration, now), period_end(duration, now)
    assert end is not None
    assert start <= now < end
    assert period_start(duration, start) == start
    assert period_start(duration, end - 1) == start
    assert period_start(duration, end) == end


@pytest.mark.parametrize(
    "duration, now, end",
    [
        ("30s", "2026-12-01T13:00", "2026-12-01T13:00:30"),
        ("30d", "2026-12-01T13:00", "2026-12-31T13:00"),
        ("1mo", "2026-12-15T13:00", "2027-01-15T13:00"),
        ("2w", "2026-12-01T13:00", "2026-12-15T13:00"),
    ],
)
def test_a_key_expires_after_its_duration(duration: str, now: str, end: str) -> None:
    assert expiry(duration, at(now)) == at(end)


def test_a_month_after_the_31st_is_the_end_of_a_shorter_one() -> None:
    end = datetime.fromtimestamp(expiry("1mo", at("2027-01-31T12:00")) / 1000, UTC)
    assert datetime(2027, 3, 1, tzinfo=UTC) - end < timedelta(seconds=1)


WRONG = ["", "d", "1", "1y", "-1d", "0d", "1.5h", "1 d", "01d", "1D", "99999999999d", None, 5, "1d\n"]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(KeyRequestError, match="duration"):
        parse_duration(text, "duration")
