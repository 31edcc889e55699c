"""What the three wires have in common: the record of their functions, and a few words they all say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.utils.json import parse_partial_json

from langchain_unified.caching.rules import MarkRules
from langchain_unified.caching.segments import Segment
from langchain_unified.caching.settings import Setting
from langchain_unified.errors import IncompleteStreamError, UnsupportedContentError, UnsupportedParameterError
from langchain_unified.history.pairing import IdRules
from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.request import (
    Adjustment,
    Block,
    Encoded,
    JsonObject,
    Params,
    Profile,
    Provider,
    Request,
    Turn,
    WireName,
)

ParamWriter: TypeAlias = Callable[[JsonObject, Any, Request], "Adjustment | None"]
"""Writes one parameter's value into a body, or returns what could not be said and why."""


class StreamDecoder(Protocol):
    """Events in, chunks out; one object per stream, no state anywhere else."""

    def feed(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        """The chunks that an event makes: none, one, or a few. An unknown event makes none or is kept whole."""

    def end(self) -> Iterable[AIMessageChunk]:
        """Call at the end of the events, before `close`: the chunks still held. None, unless a wire overrides this."""
        return ()

    def close(self) -> None:
        """Call at the end of the events. Raises `IncompleteStreamError` when the final event never came."""


@dataclass(frozen=True, slots=True)
class Wire:
    """What is known about an API: pure functions and tables. The same data in gives the same data out, in any process.

    `decode` returns one message per choice (always one but for Chat's `n`). `stream_decoder(plain)` makes a decoder;
    with `plain` a text that comes first streams as `str` content, else as blocks with an index. `encode_count` makes
    the body for the token-counting endpoint at `count_path`; both are `None` where the API has none.
    """

    name: WireName
    provider: Provider
    path: str
    encode: Callable[[Request], Encoded]
    decode: Callable[[JsonObject], list[AIMessage]]
    stream_decoder: Callable[[bool], StreamDecoder]
    params: Mapping[str, ParamWriter]
    """A row for each key of `Params`."""
    native_keys: frozenset[str]
    """The keys of the API's own body that `Params` does not have."""
    call_ids: IdRules
    """The tool call ids that the API takes."""
    marks: MarkRules
    """Where the API takes prompt-cache marks. They are placed before the request is encoded."""
    segments: Callable[[JsonObject, Profile], list[Segment]]
    """A body as the prompt cache sees it."""
    settings: tuple[Setting, ...]
    """What a cached prefix depends on besides its own text."""
    count_path: str | None = None
    encode_count: Callable[[Request], Encoded] | None = None

    def takes(self, param: str) -> bool:
        """Whether the API has a neutral parameter at all."""
        return not isinstance(self.params[param], Unsupported)


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A row for a parameter that the API does not have: nothing is sent."""

    what: str
    why: str

    def __call__(self, body: JsonObject, value: Any, request: Request) -> Adjustment:
        return Adjustment(what=self.what, why=self.why)


def write_params(
    body: JsonObject, request: Request, table: Mapping[str, ParamWriter], adjustments: list[Adjustment]
) -> None:
    """Every parameter of the request through its row of `table`; what a row cannot say lands in `adjustments`."""
    for key, value in request.params.items():
        refusal = table[key](body, value, request)
        if refusal is not None:
            adjustments.append(refusal)


def under(key: str) -> ParamWriter:
    """A row that sends the value as it is under `key`."""

    def write(body: JsonObject, value: Any, request: Request) -> None:
        body[key] = value

    return write


@dataclass(frozen=True, slots=True)
class RequestedEffort:
    """The reasoning effort that a call asks for (`None`: none), and the parameter that does.

    `overruled` says why `reasoning_effort` does not count where `reasoning` asks for another effort.
    """

    key: str
    effort: str | None
    overruled: str | None = None


def requested_effort(params: Params) -> RequestedEffort:
    """The effort of `reasoning`, which is the more specific, else of `reasoning_effort`."""
    plain, effort = params.get("reasoning_effort"), (params.get("reasoning") or {}).get("effort")
    if not effort:
        return RequestedEffort("reasoning_effort", plain or None)
    if plain in (None, effort):
        return RequestedEffort("reasoning", effort)
    why = f"`reasoning` asks for the effort {effort!r}, which counts: {plain!r} was not sent."
    return RequestedEffort("reasoning", effort, why)


def plain_content(blocks: list[Any]) -> str | list[Any]:
    """A reply's content: a plain `str` when it is nothing but one bare text, else its blocks."""
    if not blocks:
        return ""
    first = blocks[0]
    if len(blocks) == 1 and first.get("type") == "text" and all(
        not value for key, value in first.items() if key not in ("type", "text", "id")
    ):
        return str(first["text"])
    return blocks


def cannot_carry(block: Block, turn: Turn, wire: WireName, remedy: str) -> UnsupportedContentError:
    """The error for a block that has no form on a wire. `remedy` is a sentence that says what to do instead."""
    kind = block["type"]
    if kind == "unknown":
        value = block["value"]
        kind = value.get("type", "without a type") if isinstance(value, dict) else type(value).__name__
        owner = wire_of_type(str(kind))
        if owner is not None and owner != wire:
            remedy = f"It is a block of {owner}'s own: say it as text, or take it out."
    place = f"message {turn.position} ({turn.role})" if turn.position >= 0 else f"a {turn.role} message"
    return UnsupportedContentError(f"{wire} cannot carry the {kind!r} block in {place}. {remedy}")


def seal(args: str) -> str:
    """What a decoder streams after a call's broken arguments, so that LangChain core does not take them for whole.

    Core closes the open brackets and strings of JSON that ends too early and offers the call as valid; a bracket that
    closes nothing stops it, and the call lands in `invalid_tool_calls`. `""` where core finds them broken by itself.
    """
    return next((tail for tail in ("", "]", "}", '"]', '"}', '""]', '""}') if not _passes(args + tail)), "]")


def _passes(args: str) -> bool:
    if not args:
        return True  # core takes missing arguments for none
    try:
        return isinstance(parse_partial_json(args), dict)
    except ValueError:
        return False


RAW_REMEDY = 'To send a provider\'s own block as it is, wrap it: {"type": "non_standard", "value": {…}}.'


def cut(final: str) -> IncompleteStreamError:
    """The error for a stream that ended before its final event."""
    return IncompleteStreamError(
        f"The stream ended before its final event ({final}): the answer is cut. What had come is in `partial`."
    )


def answer_limit(value: int) -> int:
    """`max_tokens` for an API on which 0 has no meaning. Raises `UnsupportedParameterError`."""
    if value < 1:
        raise UnsupportedParameterError(
            f"max_tokens={value} has no meaning on OpenAI. Give at least 1, or leave it out for the model's own limit."
        )
    return value
