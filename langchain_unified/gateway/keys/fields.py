"""The JSON of keys, with LiteLLM's names: a request's fields -> `NewKey`, a record -> the fields of an answer.

Amounts are JSON numbers in USD, times texts in ISO 8601. A key's id stands where LiteLLM has its hash (`token`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from langchain_unified.cost.prices import decimal_of
from langchain_unified.gateway.errors import KeyRequestError
from langchain_unified.gateway.keys import auth
from langchain_unified.gateway.keys.amounts import MAX_AMOUNT
from langchain_unified.gateway.keys.periods import parse_duration, shown
from langchain_unified.gateway.keys.records import GeneratedKey, KeyInfo, KeyRecord, NewKey, SpendRow
from langchain_unified.redaction import masked
from langchain_unified.request import JsonObject

MAX_TEXT = 255
MAX_METADATA_BYTES = 16_384
MAX_MODELS = 1000

ALL_MODELS = frozenset({"all-proxy-models", "*"})
"""Names in `models` that mean every model."""


def new_key(fields: Mapping[str, Any]) -> NewKey:
    """The fields of `/key/generate`, checked. A field that is `null` counts as absent.

    Raises `KeyRequestError`, which names the field. No message holds the value of `key`.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    unknown = sorted(given.keys() - FIELDS.keys())
    if unknown:
        raise KeyRequestError(f"{shown(unknown[0])} is no field of a key here. The fields are {', '.join(FIELDS)}.")
    values = {name: FIELDS[name](name, value) for name, value in given.items()}
    names = {"max_parallel_requests": "max_parallel", "key": "secret"}
    return NewKey(**{names.get(name, name): value for name, value in values.items()})


def _text(field: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise KeyRequestError(f"{field} must be a text of 1 to {MAX_TEXT} printable characters.")
    return value


def _alias(field: str, value: object) -> str:
    name = _text(field, value)
    if name.startswith((auth.PREFIX, "key_")):
        raise KeyRequestError(f"{field} must not begin with 'sk-' or 'key_': it would look like a key or a key's id.")
    return name


def _secret(field: str, value: object) -> str:
    if not isinstance(value, str) or not auth.has_key_form(value) or len(value) < auth.MIN_LENGTH:
        length = f"{auth.MIN_LENGTH} to {auth.MAX_LENGTH}"
        raise KeyRequestError(f"{field} must begin with 'sk-' and have {length} characters.")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise KeyRequestError(f"{field} must have ASCII letters, digits and signs alone: it travels in a header.")
    return value


def _models(field: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_MODELS:
        raise KeyRequestError(f"{field} must be a list of models, or of patterns such as 'anthropic/*'.")
    names = tuple(_text(f"{field}[{index}]", name) for index, name in enumerate(value))
    return () if ALL_MODELS & set(names) else names


def _aliases(field: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_MODELS:
        raise KeyRequestError(f"{field} must be an object: by the name that clients send, the model that is meant.")
    return {
        _text(f"a name in {field}", name): _text(f"{field}.{masked(name)[:50]}", model) for name, model in value.items()
    }


def _metadata(field: str, value: object) -> JsonObject:
    if not isinstance(value, dict) or len(orjson.dumps(value)) > MAX_METADATA_BYTES:
        raise KeyRequestError(f"{field} must be an object of at most {MAX_METADATA_BYTES} bytes.")
    return value


def _duration(field: str, value: object) -> str:
    parse_duration(value, field)
    return str(value)


def _budget(field: str, value: object) -> Decimal:
    amount = decimal_of(value)
    if amount is None or amount > MAX_AMOUNT:
        raise KeyRequestError(f"{field} must be an amount in USD from 0 to {MAX_AMOUNT:,}, not {shown(value)}.")
    return amount


def _count(field: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise KeyRequestError(f"{field} must be a whole number, 0 or more, not {shown(value)}.")
    return value


FIELDS: Mapping[str, Callable[[str, object], Any]] = {
    "models": _models,
    "aliases": _aliases,
    "duration": _duration,
    "max_budget": _budget,
    "budget_duration": _duration,
    "rpm_limit": _count,
    "tpm_limit": _count,
    "max_parallel_requests": _count,
    "metadata": _metadata,
    "key_alias": _alias,
    "user_id": _text,
    "key": _secret,
}


# --- answers ----------------------------------------------------------------------------------------------------------


def record_fields(record: KeyRecord, reset_at: int | None = None) -> JsonObject:
    """A key as `/key/info` shows it."""
    return {
        "key_id": record.key_id,
        "token": record.key_id,
        "key_name": record.key_name,
        "key_alias": record.key_alias,
        "user_id": record.user_id,
        "models": list(record.models),
        "aliases": dict(record.aliases),
        "metadata": record.metadata,
        "created_at": _time(record.created_at),
        "expires": _time(record.expires_at),
        "max_budget": None if record.max_budget is None else float(record.max_budget),
        "budget_duration": record.budget_duration,
        "budget_reset_at": _time(reset_at),
        "rpm_limit": record.rpm_limit,
        "tpm_limit": record.tpm_limit,
        "max_parallel_requests": record.max_parallel,
        "spend": float(record.spend),
        "total_spend": float(record.total_spend),
        "reserved": float(record.reserved),
        "requests_in_progress": record.in_flight,
    }


def info_fields(info: KeyInfo) -> JsonObject:
    """A key with its spend by model, of all periods."""
    found = record_fields(info.record, info.budget_reset_at)
    return {**found, "model_spend": model_spend(info.spend_by_model), "spend_by_model": spend_rows(info.spend_by_model)}


def generated_fields(made: GeneratedKey, reset_at: int | None) -> JsonObject:
    """The answer of `/key/generate`: the one place where a key is shown."""
    return {"key": made.secret, "token_id": made.record.key_id, **record_fields(made.record, reset_at)}


def model_spend(rows: Iterable[SpendRow]) -> dict[str, float]:
    """USD by model."""
    return {row.model: float(row.cost) for row in rows}


def spend_rows(rows: Iterable[SpendRow]) -> list[JsonObject]:
    """The spend by model with its counts. `unpriced` requests have a part whose price is not known."""
    return [
        {
            "model": row.model,
            "spend": float(row.cost),
            "requests": row.requests,
            "incomplete_requests": row.incomplete,
            "unpriced_requests": row.unpriced,
            "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens,
        }
        for row in rows
    ]


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat().replace("+00:00", "Z")
