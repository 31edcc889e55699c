"""How a cassette looks in its file, and the serializer that vcrpy calls.

    format: 1
    recorded_from: emulator
    recorded_at: '2026-11-20'
    interactions:
    - request:
        method: POST
        uri: https://api.anthropic.com/v1/messages
        headers: {content-type: application/json}
        json: {model: …, messages: […]}
      response:
        status: 200 OK
        headers: {content-type: text/event-stream}
        events:
        - |
          event: message_start
          data: {…}

A body stands under one key: `json` (a JSON object or array, as YAML), `events` (an event stream, one text for each
event, its final blank line left out, and what followed the last event under `cut_off`), `text`, or `binary`. All but
`json` give the same bytes again; `json` gives equal JSON. Cassettes in vcrpy's own form are read too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml  # type: ignore[import-untyped,unused-ignore]

from langchain_unified.testing._scrub import find_secret, is_loopback, secret_values

FORMAT = 1
JsonObject = dict[str, Any]

EVENT_END = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)")
"""Where an event of an event stream is over: after its blank line."""

BREAKS = frozenset("\r\x85\u2028\u2029")
"""Characters that YAML takes for line ends: a text with one of them is quoted and escaped."""


class CassetteError(Exception):
    """What is wrong with a cassette, or with how it is used."""


class CassetteFormatError(CassetteError):
    """The file is not a cassette that can be read here."""


class CassetteSecretError(CassetteError):
    """A secret would have been written. `place` and `secret` say where and what kind; nothing holds the secret itself.

    `file` is the cassette's path, which keeps its former content; `None` until the file is known.
    """

    def __init__(self, place: str, secret: str, file: str | os.PathLike[str] | None = None) -> None:
        self.place, self.secret = place, secret
        self.file = None if file is None else os.fspath(file)
        super().__init__(
            f"{self.file or 'the cassette'} was not written: {place} holds {secret}. "
            "Take it out of what the test sends or the server answers, then record again."
        )

    def at(self, file: str | os.PathLike[str]) -> CassetteSecretError:
        """The same refusal, naming the file."""
        return type(self)(self.place, self.secret, file)


class CassetteSerializer:
    """What vcrpy calls to turn interactions into the file's text and back.

    `recorded_at`: the date of a recording (`"2026-11-20"`); nothing here reads a clock.
    `recorded_from`: `emulator` or `live`; absent, it is `emulator` when every recorded host is this machine's.
    `canaries`: texts that must not be written, beside the known key patterns and the keys in the environment.
    """

    def __init__(
        self, recorded_at: str | None = None, recorded_from: str | None = None, canaries: Iterable[str] = ()
    ) -> None:
        self.recorded_at = recorded_at
        self.recorded_from = recorded_from
        self.canaries = tuple(canaries)

    def serialize(self, data: Mapping[str, Any]) -> str:
        """The file's text. Raises `CassetteSecretError` instead of writing a secret."""
        __tracebackhide__ = True
        interactions = [_written(interaction) for interaction in data["interactions"]]
        document = {
            "format": FORMAT,
            "recorded_from": self.recorded_from or _origin(interactions),
            "recorded_at": self.recorded_at,
            "interactions": interactions,
        }
        if data.get("metadata"):
            document["metadata"] = data["metadata"]
        found = _compressed(interactions) or find_secret(document, secret_values(os.environ, self.canaries))
        if found:
            raise CassetteSecretError(*found)
        return dump(document)

    def deserialize(self, text: str) -> JsonObject:
        """What `serialize` was given, as far as vcrpy reads it. Raises `CassetteFormatError`."""
        document = load(text)
        if not isinstance(document, dict) or not isinstance(document.get("interactions"), list):
            raise CassetteFormatError("not a cassette: a mapping with a list of `interactions` is expected")
        form = document.get("format", FORMAT)
        if form != FORMAT:
            raise CassetteFormatError(f"cassette format {form!r} is not known; this version reads {FORMAT}")
        return {**document, "interactions": [_read(interaction) for interaction in document["interactions"]]}


def split_events(body: bytes) -> list[bytes]:
    """An event stream's body in pieces that end where events end; a last piece may be cut off."""
    return [piece for piece in EVENT_END.split(body) if piece]


def _origin(interactions: list[JsonObject]) -> str:
    hosts = {urlsplit(interaction["request"]["uri"]).hostname or "" for interaction in interactions}
    return "emulator" if all(map(is_loopback, hosts)) else "live"


def _compressed(interactions: list[JsonObject]) -> tuple[str, str] | None:
    """The first body that cannot be searched, because vcrpy could not decompress it."""
    for index, interaction in enumerate(interactions):
        coding = interaction["response"]["headers"].get("content-encoding")
        if coding:
            what = f"a body in the coding {coding!r}, which cannot be searched for secrets (ask for identity or gzip)"
            return f"interactions[{index}].response", what
    return None


# --- one interaction --------------------------------------------------------------------------------------------------


def _written(interaction: Mapping[str, Any]) -> JsonObject:
    request, response = interaction["request"], interaction["response"]
    status, body = response["status"], response.get("body") or {}
    request_headers, response_headers = _flat(request["headers"]), _flat(response["headers"])
    return {
        "request": {
            "method": request["method"],
            "uri": request["uri"],
            "headers": request_headers,
            **write_body(request.get("body"), request_headers),
        },
        "response": {
            "status": f"{status['code']} {status.get('message') or ''}".strip(),
            "headers": response_headers,
            **write_body(body.get("string"), response_headers),
        },
    }


def _read(interaction: Mapping[str, Any]) -> JsonObject:
    request, response = dict(interaction["request"]), dict(interaction["response"])
    if "body" not in response:
        code, _, message = str(response["status"]).partition(" ")
        response = {
            "status": {"code": int(code), "message": message or None},
            "headers": _listed(response.get("headers") or {}),
            "body": {"string": read_body(response)},
        }
    if "body" not in request:
        headers = _listed(request.get("headers") or {})
        request = {k: request[k] for k in ("method", "uri")} | {"headers": headers, "body": read_body(request) or None}
    return {"request": request, "response": response}


def _flat(headers: Mapping[str, Any]) -> JsonObject:
    """Header name -> its value, or its values where there are several. Names are lower case."""
    lists = {str(name).lower(): value if isinstance(value, list) else [value] for name, value in headers.items()}
    return {name: values[0] if len(values) == 1 else values for name, values in sorted(lists.items())}


def _listed(headers: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: value if isinstance(value, list) else [str(value)] for name, value in headers.items()}


# --- bodies -----------------------------------------------------------------------------------------------------------


def write_body(body: bytes | str | None, headers: Mapping[str, Any]) -> JsonObject:
    """The most readable form that gives the body back; empty for an empty body."""
    if not body:
        return {}
    raw = body.encode() if isinstance(body, str) else bytes(body)
    content_type = str(headers.get("content-type", ""))
    forms = (_as_events, _as_text) if "event-stream" in content_type else (_as_json, _as_text)
    return next((form for write in forms if (form := write(raw))), {"binary": raw})


def read_body(exchange: Mapping[str, Any]) -> bytes:
    """The body of a request or response as it stands in the file; `b""` where there is none."""
    return next((read(exchange) for key, read in READERS.items() if key in exchange), b"")


def _as_events(raw: bytes) -> JsonObject:
    pieces = split_events(raw)
    try:
        texts = [piece.decode() for piece in pieces]
    except UnicodeDecodeError:
        return {}
    tail = [texts.pop()] if texts and not texts[-1].endswith(("\n\n", "\r\n\r\n")) else []
    # A literal block ends in one line end; the blank line that ends an event would only clutter the file.
    form: JsonObject = {"events": [text if text.endswith("\r\n\r\n") else text[:-1] for text in texts]}
    return form | ({"cut_off": tail[0]} if tail else {})


def _from_events(exchange: Mapping[str, Any]) -> bytes:
    events = [text if text.endswith("\r\n\r\n") else text + "\n" for text in exchange["events"]]
    return "".join([*events, exchange.get("cut_off", "")]).encode()


def _as_json(raw: bytes) -> JsonObject:
    try:
        value = json.loads(raw)
        # Lone surrogates and NaN are no JSON that every parser takes; such a body stays the text that it is.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return {}
    return {"json": value} if isinstance(value, (dict, list)) else {}


def _from_json(exchange: Mapping[str, Any]) -> bytes:
    return json.dumps(exchange["json"], ensure_ascii=False, separators=(",", ":")).encode()


def _as_text(raw: bytes) -> JsonObject:
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {}


READERS: Mapping[str, Callable[[Mapping[str, Any]], bytes]] = {
    "json": _from_json,
    "events": _from_events,
    "text": lambda exchange: str(exchange["text"]).encode(),
    "binary": lambda exchange: bytes(exchange["binary"]),
}


# --- YAML -------------------------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):  # type: ignore[misc,unused-ignore]
    """Texts of several lines as literal blocks, and every value where it stands instead of by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_node(dumper: Any, text: str) -> Any:
    style = '"' if BREAKS.intersection(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def dump(document: Any) -> str:
    """YAML in the order of the document. Lines are never folded: a diff shows what changed."""
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**30))


def load(text: str) -> Any:
    """The document. Raises `CassetteFormatError` where the text is not YAML."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - both loaders are safe ones
    except yaml.YAMLError as error:
        raise CassetteFormatError(f"not YAML: {error}") from error
