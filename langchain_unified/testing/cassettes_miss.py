"""What a test sees when it sends a request that no recording answers, or leaves a recording unplayed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from langchain_unified.testing._scrub import redact, secret_values

SHOWN = 60
"""Characters of a value that a message shows."""

CONTEXT = 20
"""Characters shown before the first difference of two long texts."""


class CassetteMissError(BaseException):
    """No recording answers the request, and the record mode allows no new one.

    Not an `Exception`, like pytest's own failures: an SDK takes every `Exception` from its HTTP client for a
    connection that may work the next time, and code under test may have a fallback for it. This one ends the test.

    `cassette` is vcrpy's; `failed_request` is the request as it came.
    """

    generations: tuple[()] = ()
    llm_output: None = None
    # LangChain core's `agenerate` reads these two of whatever came that is no `Exception`, before it raises it.

    def __init__(self, *_: Any, **found: Any) -> None:
        self.cassette, self.failed_request = found["cassette"], found["failed_request"]
        super().__init__(explain_miss(self.cassette, self.cassette.filter_request(self.failed_request)))


def explain_miss(cassette: Any, sent: Any) -> str:
    """The message: what was sent, the nearest recording, and where the two first differ."""
    path = getattr(cassette, "path", None) or cassette._path
    head = f"no recording answers {sent.method} {sent.uri}\ncassette: {path}"
    recorded = cassette.requests
    if not recorded:
        why = "holds no recording" if os.path.exists(path) else "does not exist"
        return f"{head} {why}\nRecord it with --record=once (record_mode 'once')."
    numbers = range(len(recorded))
    nearest = max(numbers, key=lambda number: (_likeness(sent, recorded[number]), -number))
    played = sum(1 for number in numbers if cassette.play_counts[number])
    return (
        f"{head} ({len(recorded)} recorded, {played} played)\n"
        f"nearest: recording {nearest + 1}, {recorded[nearest].method} {recorded[nearest].uri}\n"
        f"{_compare(sent, recorded[nearest])}\n"
        "Add a recording with --record=new (record_mode 'new_episodes'), or record all again with --record=all."
    )


def _compare(sent: Any, recorded: Any) -> str:
    difference = first_difference(_parts(sent), _parts(recorded))
    if difference is None:
        return "The two are equal, and every recording of this request is already played: it was sent once too often."
    return f"first difference (sent != recorded): {difference}"


def unused_recordings(cassette: Any, loaded: int) -> list[str]:
    """One line for each of the first `loaded` recordings that was not played; none while all is recorded again."""
    if str(getattr(cassette.record_mode, "value", cassette.record_mode)) == "all":
        return []
    requests = cassette.requests[:loaded]
    return [
        f"recording {number + 1}: {request.method} {request.uri}"
        for number, request in enumerate(requests)
        if not cassette.play_counts[number]
    ]


# --- comparing --------------------------------------------------------------------------------------------------------


def first_difference(sent: Any, recorded: Any, place: str = "") -> str | None:
    """Where two JSON values first differ (`messages[1].content: 'a' != 'b'`); `None` where they are equal."""
    if sent == recorded:
        return None
    if isinstance(sent, dict) and isinstance(recorded, dict):
        return _first_in_objects(sent, recorded, place)
    if isinstance(sent, list) and isinstance(recorded, list):
        return _first_in_arrays(sent, recorded, place)
    return f"{place or 'body'}: {' != '.join(_shown(sent, recorded))}"


def _first_in_objects(sent: Mapping[str, Any], recorded: Mapping[str, Any], place: str) -> str | None:
    for key in dict.fromkeys([*sent, *recorded]):
        here = f"{place}.{key}" if place else key
        if key not in recorded:
            return f"{here}: {_short(sent[key])} != nothing"
        if key not in sent:
            return f"{here}: nothing != {_short(recorded[key])}"
        if found := first_difference(sent[key], recorded[key], here):
            return found
    return None


def _first_in_arrays(sent: list[Any], recorded: list[Any], place: str) -> str | None:
    pairs = enumerate(zip(sent, recorded, strict=False))
    found = next((d for index, (a, b) in pairs if (d := first_difference(a, b, f"{place}[{index}]"))), None)
    return found or f"{place or 'body'}: {len(sent)} items != {len(recorded)} items"


def _parts(request: Any) -> dict[str, Any]:
    """What is matched, in one JSON object whose first difference names what differs."""
    body = _json(request.body)
    inner = body if isinstance(body, dict) else {} if body is None else {"body": body}
    return {"(method)": request.method, "(host)": request.host, "(path)": request.path, **inner}


def _json(body: Any) -> Any:
    """The parsed body, its secrets named instead of shown; text where it is no JSON, `None` where it is empty."""
    raw = body.read() if hasattr(body, "read") else body
    if not raw:
        return None
    text = raw.decode(errors="replace") if isinstance(raw, (bytes, bytearray)) else str(raw)
    text = redact(text, secret_values(os.environ, ()))
    try:
        return json.loads(text)
    except ValueError:
        return text


def _likeness(sent: Any, recorded: Any) -> tuple[bool, bool, float]:
    """Same method and path first, then the share of equal leaves."""
    ours, theirs = dict(_leaves(_parts(sent), "")), dict(_leaves(_parts(recorded), ""))
    equal = sum(1 for place, value in ours.items() if place in theirs and theirs[place] == value)
    return sent.path == recorded.path, sent.method == recorded.method, equal / len(ours.keys() | theirs.keys())


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not items:
        yield place, value
    for key, item in items:
        yield from _leaves(item, f"{place}/{key}")


def _shown(sent: Any, recorded: Any) -> tuple[str, str]:
    """Both values short enough to read, long texts from shortly before they part."""
    if not (isinstance(sent, str) and isinstance(recorded, str)):
        return _short(sent), _short(recorded)
    same = next((at for at, (a, b) in enumerate(zip_longest(sent, recorded)) if a != b), 0)
    start = max(0, same - CONTEXT) if max(len(sent), len(recorded)) > SHOWN else 0
    lead = "…" if start else ""
    return lead + _short(sent[start:]), lead + _short(recorded[start:])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
