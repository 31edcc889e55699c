"""The responses that OpenAI stores: those in the background are queued, then in progress, then finished.

Source: the guide to background mode, and recorded replies with the status `queued`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.rules.rule import error_body

UNFINISHED: JsonObject = {
    "completed_at": None,
    "error": None,
    "incomplete_details": None,
    "output": [],
    "tool_usage": None,
    "usage": None,
}
"""What a response has no value for before its end."""


def queued(reply: JsonObject) -> JsonObject:
    """The first answer to a request in the background."""
    return {**reply, **UNFINISHED, "status": "queued"}


@dataclass(slots=True)
class _Stored:
    reply: JsonObject
    in_background: bool
    states: list[str]
    """The statuses that it is seen in before its end."""


@dataclass(slots=True)
class StoredReplies:
    """The stored responses by id. Each request for one that is made in the background finds it one status further."""

    replies: dict[str, _Stored] = field(default_factory=dict)

    def add(self, reply: JsonObject, *, in_background: bool) -> None:
        states = ["in_progress"] if in_background else []
        self.replies[str(reply.get("id"))] = _Stored(reply, in_background, states)

    def get(self, response_id: str) -> tuple[int, JsonObject]:
        """The status code and the body of the answer to `GET /v1/responses/{id}`."""
        stored = self.replies.get(response_id)
        if stored is None:
            return _unknown(response_id)
        if stored.states:
            return 200, {**stored.reply, **UNFINISHED, "status": stored.states.pop(0)}
        return 200, stored.reply

    def cancel(self, response_id: str) -> tuple[int, JsonObject]:
        """The same for `POST /v1/responses/{id}/cancel`. A finished response comes back as it is."""
        stored = self.replies.get(response_id)
        if stored is None:
            return _unknown(response_id)
        if not stored.in_background:
            return 400, _error("Cannot cancel a synchronous response.")
        if stored.states:
            stored.states.clear()
            stored.reply = {**stored.reply, **UNFINISHED, "status": "cancelled"}
        return 200, stored.reply


def _unknown(response_id: str) -> tuple[int, JsonObject]:
    return 404, _error(f"Response with id '{response_id}' not found.")


def _error(message: str) -> JsonObject:
    return error_body("openai", "", "invalid_request_error", message)
