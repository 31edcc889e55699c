"""The file format of cassettes, and the serializer that vcrpy calls.

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

A body has one of these keys:

- `json`: a JSON object or array, as YAML
- `events`: an event stream, one text for each event without its blank line; `cut_off` is what follows the last event
- `parts`: an upload; of each field and file its headers, and `text` or `binary`
- `text`, or `binary`

All but `json` are replayed with the same bytes, `json` with equal JSON. Cassettes in vcrpy's format are read, too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml  # type: ignore[import-untyped,unused-ignore]

from langchain_unified.testing._multipart import Part, body_of, parts_of
from langchain_unified.testing._scrub import find_secret, is_loopback, secret_values

FORMAT = 1
JsonObject = dict[str, Any]

EVENT_END = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)")
"""Where an event of a stream ends: after its blank line."""

YAML_LINE_BREAKS = frozenset("\r\x85\u2028\u2029")
"""Characters that YAML reads as line breaks: a text that contains one is quoted and escaped."""


class CassetteError(Exception):
    """The base class of errors about cassettes."""


class CassetteFormatError(CassetteError):
    """The file is not a cassette, or has an unknown format."""


class CassetteSecretError(CassetteError):
    """The cassette was not written, since it would contain a secret. The error does not contain the secret itself.

    `place`: where it is in the cassette. `secret`: its kind. `file`: the cassette's path, `None` if not known; an
    existing file is unchanged.
    """

    def __init__(self, place: str, secret: str, file: str | os.PathLike[str] | None = None) -> None:
        self.place, self.secret = place, secret
        self.file = None if file is None else os.fspath(file)
        super().__init__(
            f"{self.file or 'the cassette'} was not written: {place} contains {secret}. "
            "Remove it from the request of the test or from the answer of the server, then record again."
        )

    def at(self, file: str | os.PathLike[str]) -> CassetteSecretError:
        """The same error with the path of the file."""
        return type(self)(self.place, self.secret, file)


class CassetteSerializer:
    """Turns the interactions of vcrpy into the text of a file, and back.

    `recorded_at`: the date of the recording (`"2026-11-20"`); by default none. `recorded_from`: `emulator` or `live`;
    by default `emulator` if every recorded host is this machine. `canaries`: texts that must not be written, beside
    known patterns of keys and the keys in the environment.
    """

    def __init__(
        self, recorded_at: str | None = None, recorded_from: str | None = None, canaries: Iterable[str] = ()
    ) -> None:
        self.recorded_at = recorded_at
        self.recorded_from = recorded_from
        self.canaries = tuple(canaries)

    def serialize(self, data: Mapping[str, Any]) -> str:
        """The text of the file. Raises `CassetteSecretError` if it would contain a secret."""
        __tracebackhide__ = True
        interactions = [_to_file(interaction) for interaction in data["interactions"]]
        document = {
            "format": FORMAT,
            "recorded_from": self.recorded_from or _recorded_from(interactions),
            "recorded_at": self.recorded_at,
            "interactions": interactions,
        }
        if data.get("metadata"):
            document["metadata"] = data["metadata"]
        found = _undecoded_body(interactions) or find_secret(document, secret_values(os.environ, self.canaries))
        if found:
            raise CassetteSecretError(*found)
        return dump(document)

    def deserialize(self, text: str) -> JsonObject:
        """The interactions as vcrpy reads them. Raises `CassetteFormatError`."""
        document = load(text)
        if not isinstance(document, dict) or not isinstance(document.get("interactions"), list):
            raise CassetteFormatError("not a cassette, which is a mapping with a list of `interactions`")
        version = document.get("format", FORMAT)
        if version != FORMAT:
            raise CassetteFormatError(f"the cassette format {version!r} is not known; this release reads {FORMAT}")
        return {**document, "interactions": [_from_file(interaction) for interaction in document["interactions"]]}


def split_events(body: bytes) -> list[bytes]:
    """The body of an event stream, split after each event. The last piece may be incomplete."""
    return [piece for piece in EVENT_END.split(body) if piece]


def _recorded_from(interactions: list[JsonObject]) -> str:
    hosts = {urlsplit(interaction["request"]["uri"]).hostname or "" for interaction in interactions}
    return "emulator" if all(map(is_loopback, hosts)) else "live"


def _undecoded_body(interactions: list[JsonObject]) -> tuple[str, str] | None:
    """`(place, what)` of the first body that vcrpy could not decompress, so that it cannot be searched."""
    for index, interaction in enumerate(interactions):
        coding = interaction["response"]["headers"].get("content-encoding")
        if coding:
            what = (
                f"a body with content-encoding {coding!r}, in which secrets cannot be found (ask for identity or gzip)"
            )
            return f"interactions[{index}].response", what
    return None


# --- one interaction --------------------------------------------------------------------------------------------------


def _to_file(interaction: Mapping[str, Any]) -> JsonObject:
    request, response = interaction["request"], interaction["response"]
    status, body = response["status"], response.get("body") or {}
    request_headers, response_headers = _single_values(request["headers"]), _single_values(response["headers"])
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


def _from_file(interaction: Mapping[str, Any]) -> JsonObject:
    request, response = dict(interaction["request"]), dict(interaction["response"])
    if "body" not in response:
        code, _, message = str(response["status"]).partition(" ")
        response = {
            "status": {"code": int(code), "message": message or None},
            "headers": _value_lists(response.get("headers") or {}),
            "body": {"string": read_body(response)},
        }
    if "body" not in request:
        headers = _value_lists(request.get("headers") or {})
        request = {k: request[k] for k in ("method", "uri")} | {"headers": headers, "body": read_body(request) or None}
    return {"request": request, "response": response}


def _single_values(headers: Mapping[str, Any]) -> JsonObject:
    """Headers by name in lower case: the value, or a list if there are several."""
    lists = {str(name).lower(): value if isinstance(value, list) else [value] for name, value in headers.items()}
    return {name: values[0] if len(values) == 1 else values for name, values in sorted(lists.items())}


def _value_lists(headers: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: value if isinstance(value, list) else [str(value)] for name, value in headers.items()}


# --- bodies -----------------------------------------------------------------------------------------------------------


def write_body(body: bytes | str | None, headers: Mapping[str, Any]) -> JsonObject:
    """The most readable form of a body that keeps it; empty for an empty body."""
    if not body:
        return {}
    raw = body.encode() if isinstance(body, str) else bytes(body)
    content_type = str(headers.get("content-type", ""))
    if (parts := parts_of(raw, content_type)) is not None:
        return {"parts": [{**dict(part.headers), **(_text_form(part.data) or {"binary": part.data})} for part in parts]}
    makers = (_events_form, _text_form) if "event-stream" in content_type else (_json_form, _text_form)
    return next((form for make in makers if (form := make(raw))), {"binary": raw})


def read_body(exchange: Mapping[str, Any]) -> bytes:
    """The body of a request or response in the file; `b""` if there is none."""
    return next((read(exchange) for key, read in BODY_READERS.items() if key in exchange), b"")


def _events_form(raw: bytes) -> JsonObject:
    pieces = split_events(raw)
    try:
        texts = [piece.decode() for piece in pieces]
    except UnicodeDecodeError:
        return {}
    tail = [texts.pop()] if texts and not texts[-1].endswith(("\n\n", "\r\n\r\n")) else []
    # A literal block of YAML ends with one line break: the blank line that ends an event is left out.
    form: JsonObject = {"events": [text if text.endswith("\r\n\r\n") else text[:-1] for text in texts]}
    return form | ({"cut_off": tail[0]} if tail else {})


def _from_events(exchange: Mapping[str, Any]) -> bytes:
    events = [text if text.endswith("\r\n\r\n") else text + "\n" for text in exchange["events"]]
    return "".join([*events, exchange.get("cut_off", "")]).encode()


def _json_form(raw: bytes) -> JsonObject:
    try:
        value = json.loads(raw)
        # Not every parser takes lone surrogates and NaN: a body with them is stored as text.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return {}
    return {"json": value} if isinstance(value, (dict, list)) else {}


def _from_json(exchange: Mapping[str, Any]) -> bytes:
    return json.dumps(exchange["json"], ensure_ascii=False, separators=(",", ":")).encode()


def _text_form(raw: bytes) -> JsonObject:
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {}


def _from_parts(exchange: Mapping[str, Any]) -> bytes:
    return body_of(_part_of(part) for part in exchange["parts"])


def _part_of(part: Mapping[str, Any]) -> Part:
    headers = tuple((str(name), str(value)) for name, value in part.items() if name not in ("text", "binary"))
    return Part(headers, read_body(part))


BODY_READERS: Mapping[str, Callable[[Mapping[str, Any]], bytes]] = {
    "json": _from_json,
    "events": _from_events,
    "parts": _from_parts,
    "text": lambda exchange: str(exchange["text"]).encode(),
    "binary": lambda exchange: bytes(exchange["binary"]),
}


# --- YAML -------------------------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):  # type: ignore[misc,unused-ignore]
    """Writes texts of several lines as literal blocks, and repeated values without references."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_node(dumper: Any, text: str) -> Any:
    style = '"' if YAML_LINE_BREAKS.intersection(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def dump(document: Any) -> str:
    """The document as YAML, in its order. Lines are not folded, so that a diff shows what changed."""
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**30))


MAX_VALUES = 2_000_000
"""Values of a document with every reference written out. References to references can make billions of a short text."""


def load(text: str) -> Any:
    """The document of a YAML text. Raises `CassetteFormatError` for other texts, and for nesting without end."""
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - both loaders are safe ones
        values = _count_values(document, {})
    except yaml.YAMLError as error:
        raise CassetteFormatError(f"not YAML: {error}") from error
    except RecursionError:
        raise CassetteFormatError("the document is nested too deeply, or contains itself") from None
    if values > MAX_VALUES:
        raise CassetteFormatError(f"references (`*name`) repeat values: written out there are more than {MAX_VALUES:,}")
    return document


def _count_values(value: Any, counted: dict[int, int]) -> int:
    """The number of values inside, references written out. Each list and mapping is visited once."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in counted:
        items = value.values() if isinstance(value, dict) else value
        counted[id(value)] = 1 + sum(_count_values(item, counted) for item in items)
    return counted[id(value)]
