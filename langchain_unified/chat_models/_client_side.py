"""What is done here for an API that does not do it: stop sequences are cut, several answers are several requests.

The encoders say what they did not send; here that note is replaced by one that tells what was done instead. Names of
one provider that mean the same as something of another's are translated here too, so that no encoder meets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage, SystemMessage

from langchain_unified.messages.cache_marks import mark_of
from langchain_unified.request import Adjustment, Encoded, JsonObject, Params, Request, WireName


@dataclass(frozen=True, slots=True)
class Emulation:
    """What the chat model has to do for one call. `stops`: cut the answer at them. `requests`: how many to make."""

    stops: tuple[str, ...] = ()
    requests: int = 1
    adjustments: tuple[Adjustment, ...] = ()


def emulate(request: Request, encoded: Encoded, wire: WireName) -> Emulation:
    """What of the request the body does not say, and can be done here."""
    stops = _unsent_stops(request, encoded.body)
    requests = 1 if request.stream else _requests(request, encoded.body)
    notes = encoded.adjustments
    if stops:
        sent = len(request.params["stop"]) - len(stops)
        why = (
            f"{wire} takes {sent or 'none'} of the {sent + len(stops)} for {request.model}: the answer is cut here at "
            "the rest. What was generated after them is counted in the usage."
        )
        notes = _replaced(notes, "stop", why)
    if requests > 1:
        why = f"{wire} gives one answer per request: {requests} requests were made, each with its own usage."
        notes = _replaced(notes, "n", why)
    return Emulation(stops, requests, notes)


def _replaced(notes: Iterable[Adjustment], what: str, why: str) -> tuple[Adjustment, ...]:
    return (*(note for note in notes if note["what"] != what), Adjustment(what=what, why=why))


def _unsent_stops(request: Request, body: JsonObject) -> tuple[str, ...]:
    sent = [*_list(body.get("stop")), *_list(body.get("stop_sequences"))]
    return tuple(stop for stop in request.params.get("stop", ()) if stop and stop not in sent)


def _list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value or ())


SHARED_STATE = ("conversation", "thread")
"""Keys of turns that the server holds and adds to: requests side by side would write into the same conversation."""


def _requests(request: Request, body: JsonObject) -> int:
    one = "n" in body or any(body.get(key) for key in SHARED_STATE)
    return 1 if one else request.params.get("n", 1)


# --- names ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Translated:
    """Parameters in the words of a wire. `system` are messages to stand before the conversation."""

    params: Params
    native: JsonObject
    system: tuple[BaseMessage, ...] = ()


def translated(params: Params, native: JsonObject, wire: WireName) -> Translated:
    """`safety_identifier`, `system` and `instructions` in the words of `wire`. The arguments stay as they are."""
    native = dict(native)
    if wire == "anthropic_messages" and native.get("safety_identifier"):
        params = {"user": native.pop("safety_identifier"), **params}
    if wire == "openai_responses" and isinstance(native.get("system"), str) and not native.get("instructions"):
        native["instructions"] = native.pop("system")
    foreign = [
        key
        for key in ("system", "instructions")
        if key in native and (key != SYSTEM_KEYS.get(wire) or _is_marked(native[key]))
    ]
    said = [native.pop(key) for key in foreign]
    return Translated(params, native, tuple(SystemMessage(text) for text in said if text))


def _is_marked(said: Any) -> bool:
    """Whether a system prompt holds prompt-cache marks, which are settled with those of the conversation."""
    return isinstance(said, list) and any(isinstance(block, Mapping) and mark_of(block) is not None for block in said)


SYSTEM_KEYS = {"anthropic_messages": "system", "openai_responses": "instructions"}
"""The body key in which a wire takes a system prompt beside the conversation. Chat Completions has none."""
