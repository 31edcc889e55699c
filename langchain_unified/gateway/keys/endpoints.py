"""`/key/generate`, `/key/info`, `/key/delete`, `/key/list` and `/spend`, with LiteLLM's names in and out.

They know no HTTP framework: the server gives path, query, body and key, and gets the JSON of the answer or one of our
errors. All but a key's own `/key/info` are for the master key. Without a master key there are no virtual keys.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from langchain_unified.gateway.errors import AdminOnlyError, KeyRequestError
from langchain_unified.gateway.keys.facade import Keys
from langchain_unified.gateway.keys.fields import (
    generated_fields,
    info_fields,
    model_spend,
    new_key,
    record_fields,
    spend_rows,
)
from langchain_unified.gateway.keys.periods import period_end
from langchain_unified.gateway.keys.records import ANONYMOUS, MASTER, Caller
from langchain_unified.request import JsonObject

MAX_BODY_BYTES = 65_536
MAX_DELETED = 100
PAGE_SIZE, MAX_PAGE_SIZE = 10, 100


@dataclass(frozen=True, slots=True)
class KeyCall:
    """A request about keys. `secret`: the caller's key. The body is parsed later: the caller is checked first."""

    secret: str | None = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


Handler = Callable[[Keys, KeyCall], Awaitable[JsonObject]]


async def generate(keys: Keys, call: KeyCall) -> JsonObject:
    """Make a key. The answer shows it, for the only time."""
    await _master(keys, call)
    made = await keys.generate(new_key(_fields(call.body)))
    return generated_fields(made, period_end(made.record.budget_duration, made.record.created_at))


async def info(keys: Keys, call: KeyCall) -> JsonObject:
    """A key that `key` names by id, alias or value; without `key` the caller's own. A key may ask about itself."""
    caller = await _caller(keys, call)
    named = call.query.get("key")
    if named is None and caller.is_master:
        rows = await keys.spend_of(MASTER)
        return {"key": MASTER, "info": {"key_id": MASTER, "model_spend": model_spend(rows)}}
    if not caller.is_master and named not in (None, caller.key_id, call.secret):
        raise AdminOnlyError("Only the master key may ask about other keys.")
    found = await keys.info(named if caller.is_master and named else caller.key_id)
    return {"key": found.record.key_id, "info": info_fields(found)}


async def delete(keys: Keys, call: KeyCall) -> JsonObject:
    """Delete `keys` (ids or values) and `key_aliases`: all of them, or none where one is not there."""
    await _master(keys, call)
    fields = _fields(call.body)
    unknown = sorted(fields.keys() - {"keys", "key_aliases"})
    named = [*_names(fields, "keys"), *_names(fields, "key_aliases")]
    if unknown or not 0 < len(named) <= MAX_DELETED:
        raise KeyRequestError(f"Write keys, key_aliases or both: lists of 1 to {MAX_DELETED} texts, and nothing else.")
    return {"deleted_keys": await keys.delete(named)}


async def listing(keys: Keys, call: KeyCall) -> JsonObject:
    """A page of keys: their ids, or all fields with `return_full_object=true`."""
    await _master(keys, call)
    page, size = _number(call.query, "page", 1, 10**6), _number(call.query, "size", PAGE_SIZE, MAX_PAGE_SIZE)
    records, count = await keys.page(size, (page - 1) * size)
    is_full = call.query.get("return_full_object", "").lower() == "true"
    return {
        "keys": [record_fields(record) if is_full else record.key_id for record in records],
        "total_count": count,
        "current_page": page,
        "total_pages": -(-count // size),
    }


async def spend(keys: Keys, call: KeyCall) -> JsonObject:
    """What calls without a virtual key spent, by model: with the master key, or on a gateway without one."""
    if keys.has_master_key:
        await _master(keys, call)
    rows = await keys.spend_of(MASTER if keys.has_master_key else ANONYMOUS)
    return {"spend": sum(float(row.cost) for row in rows), "spend_by_model": spend_rows(rows)}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`method`: the HTTP method that it takes."""

    method: str
    handler: Handler


ENDPOINTS: Mapping[str, Endpoint] = {
    "/key/generate": Endpoint("POST", generate),
    "/key/info": Endpoint("GET", info),
    "/key/delete": Endpoint("POST", delete),
    "/key/list": Endpoint("GET", listing),
    "/spend": Endpoint("GET", spend),
}
"""By path. Their answers have status 200; errors are those of `gateway/errors.py`."""


# --- who, and what ----------------------------------------------------------------------------------------------------


async def _caller(keys: Keys, call: KeyCall) -> Caller:
    if not keys.has_master_key:
        raise KeyRequestError("Virtual keys need a master key: set general_settings.master_key.")
    return await keys.authenticate(call.secret)


async def _master(keys: Keys, call: KeyCall) -> None:
    if not (await _caller(keys, call)).is_master:
        raise AdminOnlyError("Only the master key may do this.")


def _fields(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; empty for no body."""
    if len(body) > MAX_BODY_BYTES:
        raise KeyRequestError(f"The body must have at most {MAX_BODY_BYTES} bytes.")
    try:
        fields = orjson.loads(body) if body.strip() else {}
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise KeyRequestError("The body must be a JSON object.")
    return fields


def _names(fields: Mapping[str, Any], name: str) -> list[str]:
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise KeyRequestError(f"{name} must be a list of texts.")
    return value


def _number(query: Mapping[str, str], name: str, default: int, highest: int) -> int:
    value = query.get(name, str(default))
    if not (value.isascii() and value.isdecimal() and 1 <= int(value[:10]) <= highest):
        raise KeyRequestError(f"{name} must be a number from 1 to {highest}.")
    return int(value)
