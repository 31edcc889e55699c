"""Cassettes of LLM traffic: recorded once, replayed without network and key, readable, and free of secrets.

    with use_cassette("cassettes/hello.yaml", record="once", recorded_at="2026-11-20"):
        ChatUnified("anthropic/claude-haiku-4-5").invoke("Hello")

They stand on vcrpy (8.5 and later), so whatever HTTP client vcrpy knows can be recorded, under httpx and httpx2 alike.
`langchain_unified.testing.plugin` brings the same to pytest as a marker and a fixture; `vcr_config()` and `register()`
bring it to a program that already uses vcrpy or pytest-recording.

A request is answered by the first unplayed recording of the same method, host, path and JSON body. Scheme, port, query
and all headers are ignored, and every loopback host is the same, so a server on a free port of this machine matches. A
request that nothing answers raises `CassetteMissError`, once: no SDK tries it again. An event stream is replayed event
by event, one chunk of the response for each. While it is recorded it comes in one piece, after its end.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from langchain_unified.testing._scrub import HEADERS, SECRET_HEADERS, plain_uri, scrub_body
from langchain_unified.testing.cassettes_format import (
    CassetteError,
    CassetteFormatError,
    CassetteSecretError,
    CassetteSerializer,
    split_events,
)
from langchain_unified.testing.cassettes_miss import CassetteMissError, unused_recordings

__all__ = [
    "CassetteError",
    "CassetteFormatError",
    "CassetteMissError",
    "CassetteSecretError",
    "CassetteUnusedError",
    "Record",
    "RefusalKeeper",
    "register",
    "use_cassette",
    "vcr_config",
]

Record: TypeAlias = Literal["none", "once", "new", "all"]

VCR_MODES: Mapping[str, str] = {"none": "none", "once": "once", "new": "new_episodes", "all": "all"}

SERIALIZER = "llm.yaml"
"""The serializer's name in vcrpy, and so the suffix of the files that pytest-recording writes."""

STUBS = ("vcr.stubs", "vcr.stubs.httpx_stubs", "vcr.stubs.aiohttp_stubs")
"""Where vcrpy raises on a miss, each for some HTTP clients."""


class CassetteUnusedError(CassetteError, AssertionError):
    """Recordings were left unplayed although the test asked for all of them to be used."""


@contextmanager
def use_cassette(
    path: str | os.PathLike[str],
    *,
    record: Record = "none",
    recorded_at: str | None = None,
    recorded_from: Literal["emulator", "live"] | None = None,
    canaries: Iterable[str] = (),
    unused: Literal["ignore", "fail"] = "ignore",
    **settings: Any,
) -> Iterator[Any]:
    """Every HTTP call in the block is replayed from the file, or recorded to it; gives vcrpy's `Cassette`.

    `record`: `none` replays only; `once` records where there is no file; `new` adds what is missing; `all` records
    everything again. `recorded_at`: today's date for the file's head. `recorded_from`: absent, it follows from the
    recorded hosts. `canaries`: further texts that must not be written. `unused="fail"` raises `CassetteUnusedError` at
    the end when a recording was not played. `settings` are those of `vcr_config`.

    Raises `CassetteSecretError` at the end instead of writing a secret; the file keeps what it held.
    """
    recorder = _vcr_class()()
    refusals: list[Exception] = []
    register(recorder, recorded_at=recorded_at, recorded_from=recorded_from, canaries=canaries)
    recorder.register_persister(RefusalKeeper(_FilePersister(), refusals))
    options = {"record_mode": VCR_MODES[record], "drop_unused_requests": record == "all", **settings}
    with recorder.use_cassette(os.fspath(path), **vcr_config(**options)) as cassette:
        loaded = len(cassette)
        yield cassette
    if refusals:
        raise refusals[0]
    if unused == "fail" and (left := unused_recordings(cassette, loaded)):
        raise CassetteUnusedError(unused_message(path, left))


def unused_message(path: str | os.PathLike[str], left: list[str]) -> str:
    """What to say of recordings that nothing played."""
    lines = "\n".join(f"  {line}" for line in left)
    return f"{os.fspath(path)} holds what nothing asked for:\n{lines}\nRecord it again with --record=all."


# --- settings of vcrpy ------------------------------------------------------------------------------------------------


def vcr_config(*, headers: Iterable[str] = (), **overrides: Any) -> dict[str, Any]:
    """The settings for `vcr.VCR(**…)`, `use_cassette(**…)` and pytest-recording's fixture `vcr_config`.

    `headers` are kept beside the allowed ones; those that carry secrets raise `ValueError`. `overrides` are vcrpy's own
    settings; `before_record_request`, `before_record_response` and `custom_patches` come after ours, not in place of
    them. vcrpy must know our serializer: call `register(vcr)`, which the pytest plugin does for pytest-recording.
    """
    kept = _allowed(headers)
    ours: dict[str, Any] = {
        "serializer": SERIALIZER,
        "match_on": ("method", "host", "path", "body"),
        "decode_compressed_response": True,
        "before_record_request": _then(functools.partial(_clean_request, kept), overrides, "before_record_request"),
        "before_record_response": _then(functools.partial(_clean_response, kept), overrides, "before_record_response"),
        "custom_patches": _Patches((*_patches(), *overrides.get("custom_patches", ()))),
    }
    return {**overrides, **ours, **{key: overrides[key] for key in ("serializer", "match_on") if key in overrides}}


def register(
    recorder: Any,
    *,
    recorded_at: str | None = None,
    recorded_from: str | None = None,
    canaries: Iterable[str] = (),
) -> None:
    """Make our file format known to a `vcr.VCR`. The arguments are those of `use_cassette`."""
    recorder.register_serializer(SERIALIZER, CassetteSerializer(recorded_at, recorded_from, canaries))


def _allowed(more: Iterable[str]) -> frozenset[str]:
    asked = {name.lower() for name in more}
    if refused := sorted(asked & SECRET_HEADERS):
        raise ValueError(f"headers that carry secrets are never recorded: {', '.join(refused)}")
    return HEADERS | asked


def _then(first: Callable[[Any], Any], overrides: Mapping[str, Any], name: str) -> list[Callable[[Any], Any]]:
    theirs = overrides.get(name) or []
    return [first, *(theirs if isinstance(theirs, Iterable) else [theirs])]


def _clean_request(headers: frozenset[str], request: Any) -> Any:
    """What is recorded and matched of a request, sent or loaded."""
    kept = {name.lower(): _text(value) for name, value in request.headers.items() if name.lower() in headers}
    body = _bytes(request.body)
    return type(request)(request.method, plain_uri(request.uri), body and scrub_body(body), kept)


def _bytes(body: Any) -> bytes | None:
    """The body that an HTTP client gave as bytes, a file or an iterator."""
    if body is None or isinstance(body, bytes):
        return body
    pieces = [body.read()] if hasattr(body, "read") else [bytes(body)] if isinstance(body, bytearray) else body
    return b"".join(piece if isinstance(piece, bytes) else str(piece).encode() for piece in pieces)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _clean_response(headers: frozenset[str], response: dict[str, Any]) -> dict[str, Any]:
    """What is recorded of a response. A coding that vcrpy could not undo stays, so that saving can refuse it."""
    kept = {name.lower(): value for name, value in response["headers"].items()}
    # `content-encoding` is left only where the body is still encoded.
    kept = {name: value for name, value in kept.items() if name in headers or name == "content-encoding"}
    body = response.get("body") or {}
    if isinstance(body.get("string"), bytes) and "content-encoding" not in kept:
        body = {**body, "string": scrub_body(body["string"])}
    return {**response, "headers": kept, "body": body}


# --- where vcrpy is told to do otherwise ------------------------------------------------------------------------------


class _Patches(tuple[tuple[Any, str, Any], ...]):
    """Patches of modules. pytest-recording deep-copies its settings, and modules cannot be copied."""

    __slots__ = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> _Patches:
        return self


def _patches() -> Iterator[tuple[Any, str, Any]]:
    """(module, name, replacement): our error on a miss, and streams event by event."""
    for name in STUBS:
        try:
            module = importlib.import_module(name)
        except ImportError:  # the HTTP client is not installed
            continue
        yield module, "CannotOverwriteExistingCassetteException", CassetteMissError
        # vcrpy leaves out a patch of a name that is not there: then a stream comes in one piece.
        if original := getattr(module, "_deserialize_response", None):
            yield module, "_deserialize_response", _by_event(original)


def _by_event(original: Callable[..., Any]) -> Callable[..., Any]:
    # A cassette in another's block finds the other's patch in place; it takes over the original.
    original = getattr(original, "__wrapped__", original)

    @functools.wraps(original)
    def deserialize(*args: Any, **kwargs: Any) -> Any:
        response = original(*args, **kwargs)
        if "event-stream" in response.headers.get("content-type", ""):
            kind: Any = type(response.stream)
            response.stream = _event_stream(kind)(b"".join(response.stream))
        return response

    return deserialize


@functools.cache
def _event_stream(kind: Any) -> Any:
    """A byte stream of the same HTTP library that yields one chunk for each event."""

    class EventStream(kind):  # type: ignore[misc]
        def __init__(self, body: bytes) -> None:
            super().__init__(body)
            self.events = split_events(body)

        def __iter__(self) -> Iterator[bytes]:
            return iter(self.events)

        async def __aiter__(self) -> Any:
            for event in self.events:
                yield event

    return EventStream


class RefusalKeeper:
    """A persister that keeps refusals until the cassette is closed.

    vcrpy takes its patches back only after saving succeeded, so an error from `save_cassette` would leave the HTTP
    clients patched for the tests that follow.
    """

    def __init__(self, inner: Any, refusals: list[Exception]) -> None:
        self.inner = inner
        self.refusals = refusals

    def load_cassette(self, path: str | os.PathLike[str], serializer: Any) -> Any:
        """What the inner persister loads."""
        return self.inner.load_cassette(path, serializer)

    def save_cassette(self, path: str | os.PathLike[str], cassette: dict[str, Any], serializer: Any) -> None:
        """Save with the inner persister, or keep its refusal."""
        try:
            self.inner.save_cassette(path, cassette, serializer)
        except CassetteSecretError as refusal:
            # A new error: the traceback of this one leads to the secret.
            self.refusals.append(refusal.at(path))


class _FilePersister:
    """One UTF-8 file with LF line ends, the same on every system."""

    def load_cassette(self, path: str | os.PathLike[str], serializer: Any) -> Any:
        from vcr.persisters.filesystem import CassetteNotFoundError  # type: ignore[import-untyped,unused-ignore]
        from vcr.serialize import deserialize  # type: ignore[import-untyped,unused-ignore]

        file = Path(path)
        if not file.is_file():
            raise CassetteNotFoundError(file)
        try:
            return deserialize(file.read_text(encoding="utf-8"), serializer)
        except (CassetteFormatError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
            raise CassetteFormatError(f"{file}: {error}") from error

    def save_cassette(self, path: str | os.PathLike[str], cassette: dict[str, Any], serializer: Any) -> None:
        from vcr.serialize import serialize

        text = serialize(cassette, serializer)
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")


def _vcr_class() -> Any:
    try:
        from vcr import VCR  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise CassetteError("cassettes need vcrpy: pip install 'langchain-unified[cassettes]'") from error
    return VCR
