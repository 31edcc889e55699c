"""What the chat model does itself where an API does not do it.

Stop sequences that cannot be sent are cut from the answer; several answers are several requests. The encoders note what
they did not send; here that note is replaced by one on what is done instead. Parameters that one provider knows under
another name are renamed for the wire, so that no encoder meets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage, SystemMessage

from langchain_unified.messages.cache_marks import mark_of
from langchain_unified.request import Adjustment, Encoded, JsonObject, Params, Request, WireName

PARAMS = frozenset({"stop", "n"})
"""The parameters for which the chat model may have to do something."""


@dataclass(frozen=True, slots=True)
class ClientSide:
    """What the chat model does for one call: `stops` to cut the answer at, and how many `requests` to send.

    `adjustments` are the encoder's, with the notes on these two replaced.
    """

    stops: tuple[str, ...] = ()
    requests: int = 1
    adjustments: tuple[Adjustment, ...] = ()


def client_side(request: Request, encoded: Encoded, wire: WireName, *, streams: bool = False) -> ClientSide:
    """What the request asks for that the body does not say, and that can be done here.

    `streams`: whether several answers may be several streams.
    """
    stops = _unsent_stops(request, encoded.body)
    requests = 1 if request.stream and not streams else _requests(request, encoded.body)
    adjustments = encoded.adjustments
    if stops:
        sent = len(request.params["stop"]) - len(stops)
        why = (
            f"{wire} takes {sent or 'none'} of the {sent + len(stops)} for {request.model}: the answer is cut here at "
            "the rest. What was generated after them is counted in the usage."
        )
        adjustments = _replaced(adjustments, "stop", why)
    if requests > 1:
        why = f"{wire} gives one answer per request: {requests} requests were made, each with its own usage."
        adjustments = _replaced(adjustments, "n", why)
    return ClientSide(stops, requests, adjustments)


def _replaced(adjustments: Iterable[Adjustment], what: str, why: str) -> tuple[Adjustment, ...]:
    return (*(item for item in adjustments if item["what"] != what), Adjustment(what=what, why=why))


def _unsent_stops(request: Request, body: JsonObject) -> tuple[str, ...]:
    sent = [*_as_list(body.get("stop")), *_as_list(body.get("stop_sequences"))]
    return tuple(stop for stop in request.params.get("stop", ()) if stop and stop not in sent)


def _as_list(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


SHARED_STATE = ("conversation", "thread")
"""Keys of turns that the server holds and adds to: parallel requests would write into the same conversation."""


def _requests(request: Request, body: JsonObject) -> int:
    one = "n" in body or any(body.get(key) for key in SHARED_STATE)
    return 1 if one else request.params.get("n", 1)


# --- names ------------------------------------------------------------------------------------------------------------

RENAMED = frozenset({"safety_identifier", "system", "instructions"})
"""The native keys that `rename_for_wire` is about."""

SYSTEM_KEYS: Mapping[WireName, str] = {"anthropic_messages": "system", "openai_responses": "instructions"}
"""The body key in which a wire takes a system prompt beside the conversation. Chat Completions has none."""


@dataclass(frozen=True, slots=True)
class RenamedParams:
    """Parameters under the names of a wire. `system` are messages to put before the conversation."""

    params: Params
    native: JsonObject
    system: tuple[BaseMessage, ...] = ()


def rename_for_wire(params: Params, native: JsonObject, wire: WireName) -> RenamedParams:
    """`safety_identifier`, `system` and `instructions` under the names of `wire`. The arguments are not changed."""
    native = dict(native)
    if wire == "anthropic_messages" and native.get("safety_identifier"):
        params = {"user": native.pop("safety_identifier"), **params}
    if wire == "openai_responses" and isinstance(native.get("system"), str) and not native.get("instructions"):
        native["instructions"] = native.pop("system")
    moved = [
        key
        for key in ("system", "instructions")
        if key in native and (key != SYSTEM_KEYS.get(wire) or _is_marked(native[key]))
    ]
    prompts = [native.pop(key) for key in moved]
    return RenamedParams(params, native, tuple(SystemMessage(prompt) for prompt in prompts if prompt))


def _is_marked(prompt: Any) -> bool:
    """Whether a system prompt holds prompt-cache marks, which are placed together with those of the conversation."""
    blocks = prompt if isinstance(prompt, list) else []
    return any(isinstance(block, Mapping) and mark_of(block) is not None for block in blocks)
