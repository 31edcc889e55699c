"""The recorded provider exchanges, read for tests.

They lie outside the repository: at `$WIRE_CORPUS`, else in `../shared/wire` beside it. Tests that need them skip, with
the reason in `MISSING`, where they are not there.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_unified.request import WireName

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("WIRE_CORPUS") or ROOT / "../shared/wire")
FILES = {
    "anthropic.messages": "anthropic_messages.jsonl.gz",
    "openai.chat": "openai_chat.jsonl.gz",
    "openai.responses": "openai_responses.jsonl.gz",
    "anthropic.count_tokens": "other.jsonl.gz",
    "openai.input_tokens": "other.jsonl.gz",
}
WIRE_OF: dict[str, WireName] = {
    "anthropic.messages": "anthropic_messages",
    "openai.chat": "openai_chat",
    "openai.responses": "openai_responses",
}
ENDPOINT_OF = {wire: endpoint for endpoint, wire in WIRE_OF.items()}
MISSING = f"no recorded exchanges at {CORPUS}: set WIRE_CORPUS to their directory"


@functools.cache
def _lines(name: str) -> tuple[dict[str, Any], ...]:
    path = CORPUS / name
    if not path.exists():
        return ()
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return tuple(json.loads(line) for line in file)


def exchanges(endpoint: str) -> list[dict[str, Any]]:
    """Every exchange of `endpoint` (`anthropic.messages`, `openai.chat`, …); none where the corpus is missing.

    The same objects come back at every call: do not change them.
    """
    return [exchange for exchange in _lines(FILES[endpoint]) if exchange["endpoint"] == endpoint]


def replies(endpoint: str) -> list[dict[str, Any]]:
    """The exchanges that were answered with 200 and one JSON body."""
    return [found for found in exchanges(endpoint) if found["response"]["status"] == 200 and found["response"]["body"]]


def streams(endpoint: str) -> list[dict[str, Any]]:
    """The exchanges that were answered with 200 and an event stream."""
    return [found for found in exchanges(endpoint) if found["response"]["status"] == 200 and found["response"]["sse"]]


def sse_events(text: str) -> list[dict[str, Any]]:
    """The JSON payloads of an event stream, in order; `[DONE]` is not one."""
    found = (line[5:].strip() for line in text.splitlines() if line.startswith("data:"))
    return [json.loads(payload) for payload in found if payload and payload != "[DONE]"]


def _types(value: Any) -> Iterator[str]:
    """The `type` and `role` of everything in a JSON value."""
    if isinstance(value, dict):
        yield from (value[key] for key in ("type", "role") if isinstance(value.get(key), str))
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _types(inner)


def _shape(exchange: dict[str, Any]) -> tuple[Any, ...]:
    """What an exchange shows: exchanges of one shape hold the same kinds of messages, blocks and events."""
    body, response = exchange["request"]["body"], exchange["response"]
    answer = response["body"] or sse_events(response["sse"] or "")
    asked = frozenset(_types(body.get("messages") or body.get("input")))
    return exchange["endpoint"], response["status"], response["sse"] is None, asked, frozenset(_types(answer))


@functools.cache
def representatives() -> frozenset[str]:
    """The ids of the first exchange of each shape. Tests of the others have the marker `every_recording`."""
    first: dict[tuple[Any, ...], str] = {}
    for endpoint in FILES:
        for exchange in exchanges(endpoint):
            first.setdefault(_shape(exchange), exchange["id"])
    return frozenset(first.values())


def label(exchange: dict[str, Any]) -> str:
    """A test id that finds the exchange again."""
    return f"{exchange['id']}-{exchange['case'][:60]}"


needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=MISSING)
