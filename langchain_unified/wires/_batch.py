"""What the wires share for batches: the facts of a provider's batch API, a batch as it answers, and one result line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from langchain_unified.request import JsonObject, Provider

PartStatus: TypeAlias = Literal["running", "canceling", "ended", "failed"]
"""The state of a batch at the provider in our words. `failed`: it was refused as a whole, and nothing ran."""

Outcome: TypeAlias = Literal["succeeded", "errored", "canceled", "expired"]


@dataclass(frozen=True, slots=True)
class LineResult:
    """One line of a result file.

    `reply`: the body of the API's answer, where there is one. `error`: the body of an error, as the API answers a live
    call with `status`.
    """

    custom_id: str
    outcome: Outcome
    reply: JsonObject | None = None
    status: int = 200
    error: JsonObject = field(default_factory=dict)
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """Why a provider refuses a batch. `line` counts from 1; `None`: it concerns the whole batch."""

    code: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteBatch:
    """A batch as the provider describes it.

    `word`: the provider's own word for its state. `total`: its requests, 0 where the provider does not say yet.
    `finished`: the requests that are done, as far as the provider tells before the end. Times are Unix seconds.
    """

    id: str
    state: PartStatus
    word: str
    total: int = 0
    finished: int = 0
    created_at: float | None = None
    expires_at: float | None = None
    results_until: float | None = None
    files: tuple[str, ...] = ()
    """The files with its results, by OpenAI's ids."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[RefusedLine, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchApi:
    """The facts of a provider's batch API, and pure functions of its bodies. Limits have their source beside them.

    `line`: a custom id and the body of a call -> one request of a batch. `content`: the requests -> what is uploaded.
    `unsendable`: what of a body cannot be in a batch, and what to do instead; `None`: nothing.
    """

    provider: Provider
    title: str
    path: str
    max_requests: int
    max_bytes: int
    one_model: bool
    """Whether all requests of a batch are of one model."""
    by_file: bool
    """Whether the requests are uploaded as a file before the batch is created."""
    page: int
    """The most batches that one request lists."""
    line: Callable[[str, JsonObject], JsonObject]
    content: Callable[[list[bytes]], bytes]
    read_line: Callable[[JsonObject], LineResult]
    read_batch: Callable[[JsonObject], RemoteBatch]
    unsendable: Callable[[JsonObject], str | None]


def read_result(api: BatchApi, line: bytes, parse: Callable[[bytes], Any]) -> LineResult | None:
    """The result of one line; `None` where it does not say which request it answers.

    `parse`: what parses the answers of live calls; it raises `ValueError`. A line that is broken, and an answer without
    content, is an error of its own: `errored` with an empty `reply`.
    """
    try:
        found = parse(line)
    except ValueError:
        named = CUSTOM_ID.search(line)
        return None if named is None else LineResult(named[1].decode(), "errored", reply={})
    result = api.read_line(object_of(found))
    if not result.custom_id:
        return None
    return replace(result, outcome="errored") if result.reply == {} else result


CUSTOM_ID = re.compile(rb'"custom_id"\s*:\s*"([a-zA-Z0-9_-]{1,64})"')
"""In a line that is no JSON."""


def text_of(value: Any) -> str:
    """A text that UTF-8 can hold, else an empty one."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def objects_of(value: Any) -> list[JsonObject]:
    """The objects of a list, else none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def object_of(value: Any) -> JsonObject:
    """An object, else an empty one."""
    return value if isinstance(value, dict) else {}


def number_of(value: Any) -> int:
    """A count, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
