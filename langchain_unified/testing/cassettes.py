"""Cassettes: LLM traffic that is recorded once and replayed without network and keys. The files contain no secrets.

    with use_cassette("cassettes/hello.yaml", record="once", recorded_at="2026-11-20"):
        ChatUnified("anthropic/claude-haiku-4-5").invoke("Hello")

They use vcrpy (8.5 and later), which records httpx, httpx2 and other HTTP clients. For pytest,
`langchain_unified.testing.plugin` has a marker and a fixture. Programs that already use vcrpy or pytest-recording take
`vcr_config()` and `register()`.

A request gets the first recording that was not played yet and has the same method, host, path and JSON body; an upload
the one with the same fields and files. Scheme, port, query and headers are ignored. All loopback hosts are the same, so
that a server on any port of this machine matches. A request without a recording raises `CassetteMissError`, and no SDK
retries it. An event stream is replayed event by event, each as one chunk of the response; while it is recorded, it
arrives in one piece after its end.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from langchain_unified._extras import install
from langchain_unified.testing._multipart import CONTENT_TYPE, body_of, parts_of
from langchain_unified.testing._scrub import ALLOWED_HEADERS, SECRET_HEADERS, scrub_body, scrub_uri
from langchain_unified.testing.cassettes_format import (
    CassetteError,
    CassetteFormatError,
    CassetteSecretError,
    CassetteSerializer,
    split_events,
)
from langchain_unified.testing.cassettes_miss import CassetteMissError, record_with, unused_recordings

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
"""The name of the serializer in vcrpy, which is the suffix of the files of pytest-recording."""

STUBS = ("vcr.stubs", "vcr.stubs.httpx_stubs", "vcr.stubs.aiohttp_stubs")
"""The modules of vcrpy that raise if there is no recording, each for some HTTP clients."""


class CassetteUnusedError(CassetteError, AssertionError):
    """Some recordings were not played, and the test asks for all of them with `unused="fail"`."""


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
    """Replay every HTTP call in the block from the file, or record it there. Gives the `Cassette` of vcrpy.

    - `record`: `none` replays only; `once` records if there is no file; `new` adds missing recordings; `all` records
      everything again. Default: `none`.
    - `recorded_at`: the date for the head of the file, such as `"2026-11-20"`. Default: none.
    - `recorded_from`: for the head of the file. Default: `emulator` if all hosts are this machine, else `live`.
    - `canaries`: texts that must not be written, beside keys and tokens of known forms.
    - `unused`: `fail` raises `CassetteUnusedError` at the end if a recording was not played. Default: `ignore`.
    - `settings`: those of `vcr_config`.

    Raises `CassetteSecretError` at the end if the file would contain a secret. It is not written then.
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
    """The message for recordings that were not played."""
    lines = "\n".join(f"  {line}" for line in left)
    return (
        f"Recordings of {os.fspath(path)} were not played, as no request matched them:\n{lines}\n"
        f"Record the cassette again with {record_with('all')}."
    )


# --- settings of vcrpy ------------------------------------------------------------------------------------------------


def vcr_config(*, headers: Iterable[str] = (), **overrides: Any) -> dict[str, Any]:
    """The settings for `vcr.VCR(**…)`, `use_cassette(**…)` and the fixture `vcr_config` of pytest-recording.

    `headers`: headers to record beside the default ones; `ValueError` for headers with secrets. `overrides`: other
    settings of vcrpy; its `before_record_request`, `before_record_response` and `custom_patches` are added to ours.

    The recorder must know our serializer: call `register(vcr)`. The pytest plugin does so for pytest-recording.
    """
    names = _allowed_headers(headers)
    ours: dict[str, Any] = {
        "serializer": SERIALIZER,
        "match_on": ("method", "host", "path", "body"),
        "decode_compressed_response": True,
        "before_record_request": [
            functools.partial(_clean_request, names),
            *_hooks(overrides, "before_record_request"),
        ],
        "before_record_response": [
            functools.partial(_clean_response, names),
            *_hooks(overrides, "before_record_response"),
        ],
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
    """Add our file format to a `vcr.VCR`. The arguments are those of `use_cassette`."""
    recorder.register_serializer(SERIALIZER, CassetteSerializer(recorded_at, recorded_from, canaries))


def _allowed_headers(more: Iterable[str]) -> frozenset[str]:
    names = {name.lower() for name in more}
    if refused := sorted(names & SECRET_HEADERS):
        raise ValueError(f"Headers with secrets are never recorded. Remove from `headers`: {', '.join(refused)}.")
    return ALLOWED_HEADERS | names


def _hooks(overrides: Mapping[str, Any], name: str) -> list[Callable[[Any], Any]]:
    """The caller's hooks of this name: none, one or several."""
    given = overrides.get(name) or []
    return list(given) if isinstance(given, Iterable) else [given]


def _clean_request(headers: frozenset[str], request: Any) -> Any:
    """The parts of a request that are recorded and matched."""
    allowed = {name.lower(): _text(value) for name, value in request.headers.items() if name.lower() in headers}
    body = _bytes(request.body)
    content_type = next((_text(value) for name, value in request.headers.items() if name.lower() == "content-type"), "")
    parts = parts_of(body, content_type) if body else None
    if parts is None:
        # `None` and not `b""`, as a request without a body is read from a file.
        clean = scrub_body(body) if body else None
    else:
        clean = body_of(replace(part, data=scrub_body(part.data)) for part in parts)
        allowed["content-type"] = CONTENT_TYPE
    return type(request)(request.method, scrub_uri(request.uri), clean, allowed)


def _bytes(body: Any) -> bytes | None:
    """The body as bytes; HTTP clients give bytes, a file or an iterator."""
    if body is None or isinstance(body, bytes):
        return body
    pieces = [body.read()] if hasattr(body, "read") else [bytes(body)] if isinstance(body, bytearray) else body
    return b"".join(piece if isinstance(piece, bytes) else str(piece).encode() for piece in pieces)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _clean_response(headers: frozenset[str], response: dict[str, Any]) -> dict[str, Any]:
    """The parts of a response that are recorded."""
    lower = {name.lower(): value for name, value in response["headers"].items()}
    # vcrpy leaves `content-encoding` only if it could not decode the body. The serializer refuses such a body.
    allowed = {name: value for name, value in lower.items() if name in headers or name == "content-encoding"}
    body = response.get("body") or {}
    if isinstance(body.get("string"), bytes) and "content-encoding" not in allowed:
        body = {**body, "string": scrub_body(body["string"])}
    return {**response, "headers": allowed, "body": body}


# --- patches of vcrpy -------------------------------------------------------------------------------------------------


class _Patches(tuple[tuple[Any, str, Any], ...]):
    """Patches of modules. It survives `deepcopy`, which pytest-recording calls and modules do not allow."""

    __slots__ = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> _Patches:
        return self


def _patches() -> Iterator[tuple[Any, str, Any]]:
    """`(module, name, replacement)`: our error if there is no recording, and streams event by event."""
    for name in STUBS:
        try:
            module = importlib.import_module(name)
        except ImportError:  # the HTTP client is not installed
            continue
        yield module, "CannotOverwriteExistingCassetteException", CassetteMissError
        # Without this name in a later vcrpy, a stream is replayed in one piece.
        if original := getattr(module, "_deserialize_response", None):
            yield module, "_deserialize_response", _replayed_by_event(original)


def _replayed_by_event(original: Callable[..., Any]) -> Callable[..., Any]:
    # In nested blocks the function is already patched: the inner block wraps the original.
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
    """A byte stream of the same HTTP library with one chunk for each event."""

    class ReplayedStream(kind):  # type: ignore[misc]
        def __init__(self, body: bytes) -> None:
            super().__init__(body)
            self.events = split_events(body)

        def __iter__(self) -> Iterator[bytes]:
            return iter(self.events)

        async def __aiter__(self) -> Any:
            for event in self.events:
                yield event

    return ReplayedStream


class RefusalKeeper:
    """A persister that collects `CassetteSecretError`s in `refusals` instead of raising them.

    vcrpy removes its patches only after a successful save: an error in `save_cassette` would leave the HTTP clients
    patched for the tests that follow. The caller raises the error after the cassette is closed.
    """

    def __init__(self, inner: Any, refusals: list[Exception]) -> None:
        self.inner = inner
        self.refusals = refusals

    def load_cassette(self, path: str | os.PathLike[str], serializer: Any) -> Any:
        """Load with the inner persister."""
        return self.inner.load_cassette(path, serializer)

    def save_cassette(self, path: str | os.PathLike[str], cassette: dict[str, Any], serializer: Any) -> None:
        """Save with the inner persister, or collect its error."""
        try:
            self.inner.save_cassette(path, cassette, serializer)
        except CassetteSecretError as refusal:
            # A new error, as the traceback of this one leads to the secret.
            self.refusals.append(refusal.at(path))


class _FilePersister:
    """Stores a cassette as a UTF-8 file with LF line ends, the same on every system."""

    def load_cassette(self, path: str | os.PathLike[str], serializer: Any) -> Any:
        from vcr.persisters.filesystem import CassetteNotFoundError  # type: ignore[import-untyped,unused-ignore]
        from vcr.serialize import deserialize  # type: ignore[import-untyped,unused-ignore]

        file = Path(path)
        if not file.is_file():
            raise CassetteNotFoundError(file)
        try:
            return deserialize(file.read_text(encoding="utf-8"), serializer)
        except (CassetteFormatError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
            raise CassetteFormatError(
                f"The cassette {file} cannot be read: {error}\nRecord it again with {record_with('all')}."
            ) from error

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
        raise CassetteError(f"Cassettes need vcrpy. Install it: {install('cassettes')}") from error
    return VCR
