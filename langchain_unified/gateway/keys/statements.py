"""The SQL of the hot path, the same for SQLite and PostgreSQL. Parameters are written `:name`.

Reserving is one conditional UPDATE: it starts a new budget period or minute, checks every limit and takes what the call
may cost, or changes nothing. No value of a caller is ever part of a statement's text.
"""

from __future__ import annotations

import re

RECORD_COLUMNS = (
    "key_id, key_name, key_alias, user_id, models, aliases, metadata, created_at, expires_at, max_budget, "
    "budget_duration, rpm_limit, tpm_limit, max_parallel, period, spend, total_spend, reserved, in_flight, minute, "
    "minute_requests, minute_tokens"
)

FIND = f"SELECT {RECORD_COLUMNS} FROM gateway_keys WHERE key_hash = :key_hash"  # noqa: S608
READ = f"SELECT {RECORD_COLUMNS} FROM gateway_keys WHERE key_id = :key_id AND key_hash IS NOT NULL"  # noqa: S608
READ_ALIAS = f"SELECT {RECORD_COLUMNS} FROM gateway_keys WHERE key_alias = :key_alias"  # noqa: S608
LIST = (
    f"SELECT {RECORD_COLUMNS} FROM gateway_keys WHERE key_hash IS NOT NULL "  # noqa: S608
    "ORDER BY created_at, key_id LIMIT :limit OFFSET :offset"
)
COUNT = "SELECT count(*) FROM gateway_keys WHERE key_hash IS NOT NULL"

INSERT = """
INSERT INTO gateway_keys (key_id, key_hash, key_name, key_alias, user_id, models, aliases, metadata, created_at,
    expires_at, max_budget, budget_duration, rpm_limit, tpm_limit, max_parallel, period, spend, total_spend, reserved,
    in_flight, minute, minute_requests, minute_tokens)
VALUES (:key_id, :key_hash, :key_name, :key_alias, :user_id, :models, :aliases, :metadata, :created_at,
    :expires_at, :max_budget, :budget_duration, :rpm_limit, :tpm_limit, :max_parallel, :period, 0, 0, 0,
    0, 0, 0, 0)
"""

DELETE = "DELETE FROM gateway_keys WHERE key_id = :key_id AND key_hash IS NOT NULL"

SPEND_OF_PERIOD = "(CASE WHEN period < :period THEN 0 ELSE spend END)"
NEW_PERIOD = "period = CASE WHEN period < :period THEN :period ELSE period END"
NEW_MINUTE = "minute = CASE WHEN minute < :minute THEN :minute ELSE minute END"

RESERVE = f"""
UPDATE gateway_keys SET
    spend = {SPEND_OF_PERIOD},
    {NEW_PERIOD},
    reserved = reserved + :amount,
    in_flight = in_flight + 1,
    minute_requests = CASE WHEN minute < :minute THEN 1 ELSE minute_requests + 1 END,
    minute_tokens = CASE WHEN minute < :minute THEN :tokens ELSE minute_tokens + :tokens END,
    {NEW_MINUTE}
WHERE key_id = :key_id
    AND (expires_at IS NULL OR expires_at > :now)
    AND (max_budget IS NULL OR {SPEND_OF_PERIOD} + reserved + :amount <= max_budget)
    AND (rpm_limit IS NULL OR (CASE WHEN minute < :minute THEN 0 ELSE minute_requests END) < rpm_limit)
    AND (tpm_limit IS NULL OR (CASE WHEN minute < :minute THEN 0 ELSE minute_tokens END) + :tokens <= tpm_limit)
    AND (max_parallel IS NULL OR in_flight < max_parallel)
RETURNING key_id
"""  # noqa: S608

RESERVATION_COLUMNS = "reservation_id, key_id, model, amount, tokens, minute, expires_at, expired"
INSERT_RESERVATION = f"""
INSERT INTO gateway_reservations ({RESERVATION_COLUMNS})
VALUES (:reservation_id, :key_id, :model, :amount, :tokens, :minute, :expires_at, 0)
"""  # noqa: S608

INSERT_LATE_RESERVATION = f"""
INSERT INTO gateway_reservations ({RESERVATION_COLUMNS})
VALUES (:reservation_id, :key_id, :model, 0, 0, 0, :expires_at, 1)
ON CONFLICT (reservation_id) DO NOTHING
"""  # noqa: S608
"""For a call that was allowed while the store was away: it holds nothing."""

TAKE_RESERVATION = """
DELETE FROM gateway_reservations WHERE reservation_id = :reservation_id
RETURNING amount, tokens, minute, expired
"""


def settle_statement(held: str, tokens: str, minute: str, open_calls: str, source: str = "") -> str:
    """The UPDATE that replaces a reservation by what the call cost.

    The arguments are expressions for the reservation's amount, tokens, minute and 1 if it is still counted as in
    flight. Tokens that were reserved in the current minute are replaced, those of an earlier minute are past: then
    only what exceeds them counts in the current one. `source`: a FROM clause for the expressions.
    """
    return f"""
UPDATE gateway_keys SET
    spend = {SPEND_OF_PERIOD} + :cost,
    {NEW_PERIOD},
    total_spend = total_spend + :cost,
    reserved = reserved - {held},
    in_flight = in_flight - {open_calls},
    minute_requests = CASE WHEN minute < :minute THEN 0 ELSE minute_requests END,
    minute_tokens = (CASE WHEN minute < :minute THEN 0 ELSE minute_tokens END)
        + (CASE WHEN {minute} >= :minute OR :tokens > {tokens} THEN :tokens - {tokens} ELSE 0 END),
    {NEW_MINUTE}
{source}
WHERE gateway_keys.key_id = :key_id
"""  # noqa: S608


ADD_SPEND = """
INSERT INTO gateway_spend AS s (day, key_id, model, cost, requests, incomplete, unpriced, input_tokens, output_tokens)
{values}
ON CONFLICT (day, key_id, model) DO UPDATE SET
    cost = s.cost + excluded.cost, requests = s.requests + 1,
    incomplete = s.incomplete + excluded.incomplete, unpriced = s.unpriced + excluded.unpriced,
    input_tokens = s.input_tokens + excluded.input_tokens, output_tokens = s.output_tokens + excluded.output_tokens
"""

SPEND_BY_MODEL = """
SELECT model, sum(cost), sum(requests), sum(incomplete), sum(unpriced), sum(input_tokens), sum(output_tokens)
FROM gateway_spend WHERE key_id = :key_id GROUP BY model ORDER BY model
"""

HAS_EXPIRED = "SELECT 1 FROM gateway_reservations WHERE key_id = :key_id AND expired = 0 AND expires_at <= :now LIMIT 1"
LOOK = (
    f"SELECT {RECORD_COLUMNS}, EXISTS ({HAS_EXPIRED}) FROM gateway_keys "  # noqa: S608
    "WHERE key_id = :key_id AND key_hash IS NOT NULL"
)
"""A key whose call was refused, and whether reservations that have expired still hold a part of its limits."""

EXPIRE = """
UPDATE gateway_reservations SET expired = 1
WHERE key_id = :key_id AND expired = 0 AND expires_at <= :now
RETURNING amount
"""


def give_back_statement(amount: str, calls: str, source: str = "", condition: str = "") -> str:
    """The UPDATE that gives back what expired reservations held."""
    return f"""
UPDATE gateway_keys SET reserved = reserved - {amount}, in_flight = in_flight - {calls}
{source}
WHERE gateway_keys.key_id = :key_id {condition}
"""  # noqa: S608


FORGET = "DELETE FROM gateway_reservations WHERE expired = 1 AND expires_at <= :before"
"""Reservations that expired long ago: their calls have ended without a word."""

VERSION = "SELECT version_num FROM alembic_version"

_PARAMETER = re.compile(r":([a-z_]+)")


def numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$1`, `$2`, … and the names of its parameters in that order, for PostgreSQL."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PARAMETER.sub(number, statement), tuple(names)
