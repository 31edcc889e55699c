"""The body of a request: parsed once, and changed as bytes so that all else stays as the client wrote it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

import orjson

from langchain_unified.gateway.refusals import BadRequestError
from langchain_unified.request import JsonObject

REFUSED_KEYS: Mapping[str, str] = dict.fromkeys(
    ("api_base", "base_url", "api_key", "api_version", "custom_llm_provider", "organization", "aws_region_name"),
    "the addresses and keys of the providers stand in the gateway's configuration",
)
"""Keys that LiteLLM's clients may send and that no client may decide here, with the reason."""

MAX_CANDIDATES = 32
_MODEL_KEY = re.compile(rb'(?<!\\)"model"\s*:\s*("(?:[^"\\]|\\.)*")')


def parse(data: bytes, headers: Mapping[str, str]) -> JsonObject:
    """The body as an object. Raises `BadRequestError`, with the place of a syntax error but nothing of the text."""
    media = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise BadRequestError(f"The content type is {media[:80]!r}. Send application/json.", status=415)
    if headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise BadRequestError("The body is compressed. Send it without content-encoding.", status=415)
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        reason = error.msg.partition(": line")[0]
        place = f"line {error.lineno}, column {error.colno}"
        raise BadRequestError(f"The body is not valid JSON: {reason} ({place}).") from None
    if not isinstance(body, dict):
        raise BadRequestError("The body has to be a JSON object.")
    for key in REFUSED_KEYS.keys() & body.keys():
        raise BadRequestError(f"{key!r} is not taken from clients: {REFUSED_KEYS[key]}.", param=key)
    return body


def model_of(body: JsonObject) -> str:
    """The model that a body asks for."""
    model = body.get("model")
    if not isinstance(model, str) or not model.strip():
        raise BadRequestError("`model` is missing: it has to be the name of a model, as a string.", param="model")
    return model


def with_changes(data: bytes, body: JsonObject, changes: Mapping[str, Any]) -> bytes:
    """The body as bytes with these top-level keys set. Where only `model` changes, or keys are new, the rest of the
    client's bytes stays as it is.
    """
    changes = {key: value for key, value in changes.items() if key not in body or body[key] != value}
    if not changes:
        return data
    replaced = {key: changes[key] for key in changes if key in body}
    if replaced.keys() - {"model"}:
        return orjson.dumps({**body, **changes})
    if replaced:
        found = with_model(data, replaced["model"])
        if found is None:
            return orjson.dumps({**body, **changes})
        data = found
    added = {key: value for key, value in changes.items() if key not in body}
    return _with_added(data, added, is_empty=not body) if added else data


def with_model(data: bytes, model: str) -> bytes | None:
    """The bytes with another value of the top-level key `model`. `None`: its place is not found."""
    new = orjson.dumps(model)
    # Keys of this name may stand deeper, as in the schema of a tool: the right one changes the top-level value.
    for match in itertools.islice(_MODEL_KEY.finditer(data), MAX_CANDIDATES):
        start, end = match.span(1)
        changed = data[:start] + new + data[end:]
        if orjson.loads(changed).get("model") == model:
            return changed
    return None


def _with_added(data: bytes, added: Mapping[str, Any], *, is_empty: bool) -> bytes:
    """The bytes with new keys, which come first."""
    start = data.index(b"{") + 1
    inner = orjson.dumps(added)[1:-1]
    return data[:start] + inner + (b"" if is_empty else b",") + data[start:]
