"""What a batch needs of the model whose calls it makes. `chat_models` has the one class that does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from langchain_core.messages import AIMessage

from langchain_unified.request import JsonObject, Provider, WireName
from langchain_unified.rows import Fingerprint
from langchain_unified.transport import HttpCall, Transport


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One input as the body of a call.

    `reading`: what decoding the answer needs beside the model, as JSON without prompts; most rows have the same.
    `requests`: how many answers the input asks for, each by a request of its own.
    """

    wire: WireName
    call: HttpCall = field(repr=False)
    reading: JsonObject
    requests: int = 1


class Source(Protocol):
    """A model, what is bound to it, and the keywords of the batch."""

    @property
    def provider(self) -> Provider: ...

    @property
    def model(self) -> str:
        """The id that is sent."""

    @property
    def transport(self) -> Transport: ...

    def template(self) -> HttpCall:
        """A call without a path and a body, with the timeouts, key and headers of the batch's requests."""

    def fingerprint(self) -> Fingerprint: ...

    def plan(self, given: Any) -> PlannedRow:
        """The call for one input. Raises `RequestError` for what cannot be sent."""

    def reader(self, wire: WireName, reading: Mapping[str, Any]) -> Reader:
        """What decodes the answers of rows with this reading."""


class Reader(Protocol):
    """Decodes answers."""

    @property
    def call(self) -> HttpCall:
        """The call that the model would make live, without a body: errors are those of this call."""

    def message(self, reply: JsonObject, request_id: str | None) -> AIMessage:
        """The message of an answer. Raises what a live call raises."""

    def outcome(self, message: AIMessage) -> Any:
        """What the runnable returns for a message: itself, or the object of structured output."""
