"""What a server needs of an API: read a client's body, answer it in the API's own words. `doors.py` lists the doors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import orjson

from langchain_unified.errors import UnifiedError
from langchain_unified.request import Adjustment, JsonObject, Request, WireName
from langchain_unified.wires._completion import Completion

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage
    from langchain_protocol.protocol import MessagesData


@dataclass(frozen=True, slots=True)
class Reading:
    """What a client's body asks for. `notes` name what of it is not taken over."""

    request: Request
    notes: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """An error as an API answers it. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: JsonObject


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One row of the list of models. `created` is a Unix time in seconds; token counts are `None` if not known."""

    id: str
    display_name: str = ""
    created: int = 0
    owned_by: str = ""
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None


@dataclass(slots=True)
class Choices:
    """The answers of one request in streams that run at once: how many, and those that have ended."""

    count: int
    ended: list[Completion] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What the server decides about a reply.

    `reply_id` with the prefix of the API (`Door.id_prefix`); `model` is the name that the client sees; `created` a Unix
    time in seconds. `input_tokens` is the estimate that a stream of Messages begins with: 0 if there is none. Where
    several streams answer one request (`n`), `choice` is the index of this one, and all share `choices`.
    """

    reply_id: str
    model: str
    input_tokens: int = 0
    created: int = 0
    choice: int = 0
    choices: Choices | None = None


class ToCompletion(Protocol):
    """A decoded reply as an API can say it, to the client that sent `body`."""

    def __call__(self, message: AIMessage, settings: StreamSettings, body: JsonObject | None = None) -> Completion: ...


class StreamRenderer(Protocol):
    """LangChain's v3 events of one answer in, the events of an API out. One object renders one stream."""

    @property
    def notes(self) -> list[Adjustment]:
        """What the API has no place for, named as it comes."""

    @property
    def failed(self) -> bool:
        """Whether the stream ended in an error: `Door.last_frame` does not follow then."""

    def feed(self, event: MessagesData) -> Iterable[JsonObject]:
        """The events that one event makes. Never raises for what a model answers."""

    def close(self) -> Iterable[JsonObject]:
        """What ends the stream. Call it after the last event."""

    def fail(self, error: UnifiedError) -> Iterable[JsonObject]:
        """An error after the first byte. Nothing follows it, `Door.last_frame` neither."""


@dataclass(frozen=True, slots=True)
class Door:
    """The server's side of an API.

    `completion(message, settings, body)` is a decoded reply as the API can say it; `render_reply` and `render_replies`
    (one choice for each, where the API has choices) take it with the client's body. `read` and `models_reply` raise
    `RequestError`, nothing else raises.
    """

    wire: WireName
    id_prefix: str
    """How the ids of its replies begin."""
    read: Callable[[JsonObject, Mapping[str, str]], Reading]
    completion: ToCompletion
    render_replies: Callable[[Sequence[Completion], JsonObject], JsonObject]
    stream: Callable[[JsonObject, StreamSettings], StreamRenderer]
    render_error: Callable[[UnifiedError], ErrorReply]
    count_reply: Callable[[int], JsonObject]
    """The reply of the endpoint that counts tokens."""
    models_reply: Callable[[Sequence[ModelEntry], Mapping[str, str]], JsonObject]
    """The list of models. The mapping holds the query: `limit`, `after_id`, `before_id` on Messages."""
    model_reply: Callable[[ModelEntry], JsonObject]
    """One model of the list."""
    frame: Callable[[JsonObject], bytes]
    """An event as the bytes of an event stream."""
    last_frame: bytes
    """What follows the last event of a stream that did not fail."""
    keep_alive: bytes
    """A sign of life without content."""

    def render_reply(self, completion: Completion, body: JsonObject) -> JsonObject:
        """The reply with one answer."""
        return self.render_replies([completion], body)


# --- framing ----------------------------------------------------------------------------------------------------------


def typed_frame(event: JsonObject) -> bytes:
    """An event with its type in an `event:` line, as Messages and Responses send it."""
    return b"event: %s\ndata: %s\n\n" % (str(event.get("type")).encode(), json_bytes(event))


def plain_frame(event: JsonObject) -> bytes:
    """An event as data alone, as Chat Completions sends it."""
    return b"data: %s\n\n" % json_bytes(event)


def json_bytes(value: JsonObject) -> bytes:
    """A reply or an event as JSON. A model may write half of a surrogate pair, which stands in JSON as an escape."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, default=str).encode()


COMMENT = b": keep-alive\n\n"
"""A sign of life that every client of event streams skips. OpenAI's APIs have no event for it."""
