"""The errors for a request without a recording, and for recordings that were not played."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from langchain_unified.testing._multipart import CONTENT_TYPE, Part, parts_of
from langchain_unified.testing._scrub import redact, secret_values

MAX_SHOWN = 60
"""The characters of a value that a message shows."""

CONTEXT = 20
"""The characters that are shown before the first difference of two long texts."""


class CassetteMissError(BaseException):
    """The cassette has no recording for the request, and the record mode does not allow to add one.

    It is a `BaseException`, like the failures of pytest: an SDK retries after every `Exception` of its HTTP client, and
    the code under test may have a fallback for it. This one ends the test.

    `cassette`: the cassette of vcrpy. `failed_request`: the request.
    """

    generations: tuple[()] = ()
    llm_output: None = None
    # LangChain core's `agenerate` reads these two attributes of a `BaseException` before it raises it.

    def __init__(self, *_: Any, **fields: Any) -> None:
        self.cassette, self.failed_request = fields["cassette"], fields["failed_request"]
        super().__init__(explain_miss(self.cassette, self.cassette.filter_request(self.failed_request)))


def explain_miss(cassette: Any, sent: Any) -> str:
    """The message: the request, the most similar recording, their first difference, and what to do."""
    path = getattr(cassette, "path", None) or cassette._path
    head = f"There is no recording for the request {sent.method} {sent.uri}\nCassette: {path}"
    recorded = cassette.requests
    if not recorded:
        why = "contains no recordings" if os.path.exists(path) else "does not exist"
        return f"{head} {why}\nRecord it with {record_with('once')}."
    numbers = range(len(recorded))
    nearest = max(numbers, key=lambda number: (_similarity(sent, recorded[number]), -number))
    played = sum(1 for number in numbers if cassette.play_counts[number])
    return (
        f"{head} ({len(recorded)} recorded, {played} played)\n"
        f"Most similar: recording {nearest + 1}, {recorded[nearest].method} {recorded[nearest].uri}\n"
        f"{_difference(sent, recorded[nearest])}\n"
        f"Add a recording with {record_with('new')}; or record everything again with the mode 'all'."
    )


def _difference(sent: Any, recorded: Any) -> str:
    difference = first_difference(_matched_parts(sent), _matched_parts(recorded))
    if difference is None:
        return "The two are equal, but every recording of this request was already played: the test sends it once more."
    return f"First difference (sent != recorded): {difference}"


def record_with(mode: str) -> str:
    """How to record with a mode of `use_cassette`, for messages."""
    vcrpy_mode = {"new": "new_episodes"}.get(mode, mode)
    return f"pytest --record={mode}, use_cassette(…, record={mode!r}), or record_mode={vcrpy_mode!r} of vcrpy"


def unused_recordings(cassette: Any, loaded: int) -> list[str]:
    """One line for each of the first `loaded` recordings that was not played; none in the record mode `all`."""
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
    """The first difference of two JSON values (`messages[1].content: 'a' != 'b'`); `None` if they are equal."""
    if sent == recorded:
        return None
    if isinstance(sent, dict) and isinstance(recorded, dict):
        return _first_in_objects(sent, recorded, place)
    if isinstance(sent, list) and isinstance(recorded, list):
        return _first_in_arrays(sent, recorded, place)
    return f"{place or 'body'}: {' != '.join(_short_pair(sent, recorded))}"


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


def _matched_parts(request: Any) -> dict[str, Any]:
    """What requests are matched by, as one JSON object for `first_difference`."""
    body = _parsed_body(request.body)
    inner = body if isinstance(body, dict) else {} if body is None else {"body": body}
    return {"(method)": request.method, "(host)": request.host, "(path)": request.path, **inner}


def _parsed_body(body: Any) -> Any:
    """The parsed body with secrets replaced; a text if it is not JSON, `None` if it is empty."""
    raw = body.read() if hasattr(body, "read") else body
    if not raw:
        return None
    if isinstance(raw, (bytes, bytearray)) and (parts := parts_of(bytes(raw), CONTENT_TYPE)) is not None:
        return {name: value for part in parts for name, value in _shown_part(part).items()}
    text = raw.decode(errors="replace") if isinstance(raw, (bytes, bytearray)) else str(raw)
    text = redact(text, secret_values(os.environ, ()))
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown_part(part: Part) -> dict[str, Any]:
    """A field by its name; of a file also its own name, and the lines, each parsed if it is JSON."""
    if part.filename is None:
        return {part.name: _parsed_body(part.data)}
    lines = [_parsed_body(line) for line in part.data.split(b"\n")]
    return {f"{part.name}.filename": part.filename, part.name: lines}


def _similarity(sent: Any, recorded: Any) -> tuple[bool, bool, float]:
    """For comparison: same path, same method, and the share of equal values in the body."""
    one, other = dict(_leaves(_matched_parts(sent), "")), dict(_leaves(_matched_parts(recorded), ""))
    equal = sum(1 for place, value in one.items() if place in other and other[place] == value)
    return sent.path == recorded.path, sent.method == recorded.method, equal / len(one.keys() | other.keys())


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not items:
        yield place, value
    for key, item in items:
        yield from _leaves(item, f"{place}/{key}")


def _short_pair(sent: Any, recorded: Any) -> tuple[str, str]:
    """Both values in short form; long texts begin shortly before their first difference."""
    if not (isinstance(sent, str) and isinstance(recorded, str)):
        return _short(sent), _short(recorded)
    same = next((at for at, (a, b) in enumerate(zip_longest(sent, recorded)) if a != b), 0)
    start = max(0, same - CONTEXT) if max(len(sent), len(recorded)) > MAX_SHOWN else 0
    lead = "…" if start else ""
    return lead + _short(sent[start:]), lead + _short(recorded[start:])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
