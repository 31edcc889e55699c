"""The list of models and the count of tokens as the Messages API answers them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from langchain_unified.errors import RequestError
from langchain_unified.request import JsonObject
from langchain_unified.wires._door import ModelEntry

DEFAULT_LIMIT, MAX_LIMIT = 20, 1000
"""Models on a page (SDK: `ModelListParams.limit`)."""


def count_reply(tokens: int) -> JsonObject:
    """The reply of `POST /v1/messages/count_tokens`."""
    return {"input_tokens": tokens}


def model_reply(entry: ModelEntry) -> JsonObject:
    """One model. A time of 0, the epoch, is the API's own sign for one that is not known (SDK: `ModelInfo`)."""
    created = dt.datetime.fromtimestamp(entry.created, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "type": "model",
        "id": entry.id,
        "display_name": entry.display_name or entry.id,
        "created_at": created,
        "lifecycle": "active",
        "max_input_tokens": entry.max_input_tokens,
        "max_tokens": entry.max_output_tokens,
    }


def models_reply(entries: Sequence[ModelEntry], query: Mapping[str, str]) -> JsonObject:
    """A page of the list: `limit` models after the one in `after_id`, or before the one in `before_id`.

    Raises `RequestError` for a limit that is no number from 1 to 1000. An id that is not in the list has no page.
    """
    limit = _limit(query.get("limit"))
    ids = [entry.id for entry in entries]
    if (before := query.get("before_id")) is not None:
        end = ids.index(before) if before in ids else 0
        start = max(0, end - limit)
        more = start > 0
    else:
        after = query.get("after_id")
        start = 0 if after is None else ids.index(after) + 1 if after in ids else len(ids)
        end = start + limit
        more = end < len(ids)
    page = [model_reply(entry) for entry in entries[start:end]]
    first, last = (page[0]["id"], page[-1]["id"]) if page else (None, None)
    return {"data": page, "has_more": more, "first_id": first, "last_id": last}


def _limit(given: str | None) -> int:
    if given is None:
        return DEFAULT_LIMIT
    if given.isdecimal() and 1 <= int(given) <= MAX_LIMIT:
        return int(given)
    raise RequestError(f"limit: must be a number from 1 to {MAX_LIMIT}, not {given[:20]!r}.")
