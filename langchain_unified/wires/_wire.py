"""What the wires share: the record of an API, rows for parameters, errors for content, the end of broken arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.utils.json import parse_partial_json

from langchain_unified.caching.rules import MarkRules
from langchain_unified.caching.segments import Segment
from langchain_unified.caching.settings import Setting
from langchain_unified.errors import IncompleteStreamError, UnsupportedContentError
from langchain_unified.history.pairing import IdRules
from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.messages.json_text import MAX_DEPTH, arguments_object, compact_json, is_too_deep
from langchain_unified.request import (
    Adjustment,
    Dialect,
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
"""Writes one parameter's value into a body. Returns what could not be sent, and why."""


class StreamDecoder(Protocol):
    """Events in, chunks out. One object decodes one stream; nothing else holds state."""

    def feed(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        """The chunks that an event makes: none, one, or a few. Of an unknown event they may be none."""

    def end(self, *, ended: bool = False) -> Iterable[AIMessageChunk]:
        """The chunks that were held back. Call it after the last event and before `close`. None by default.

        `ended`: the stream has said that it is over, so that what did not come is not missing.
        """
        return ()

    def close(self) -> None:
        """Call it after `end`. Raises `IncompleteStreamError` when the final event never came."""

    def has_finished(self) -> bool:
        """Whether the answer is complete: its finish reason or its final event has come."""


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
    control_marks: MarkRules | None = None
    """The same for servers that take marks in the form of Anthropic's `cache_control`, where that is another form."""
    count_path: str | None = None
    encode_count: Callable[[Request], Encoded] | None = None

    def marks_for(self, dialect: Dialect) -> MarkRules:
        """Where a server takes prompt-cache marks."""
        return self.control_marks if dialect.cache_marks == "cache_control" and self.control_marks else self.marks

    def ids_for(self, dialect: Dialect) -> IdRules:
        """The tool call ids that a server takes."""
        length = dialect.call_id_length
        if length is None:
            return self.call_ids
        pattern = re.compile(rf"[a-zA-Z0-9]{{{length}}}")
        return replace(self.call_ids, max_length=length, pattern=pattern, prefix="")

    def takes(self, param: str) -> bool:
        """Whether the API has a neutral parameter at all."""
        return not isinstance(self.params[param], Unsupported)


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A row for a parameter that the API does not have: nothing is sent."""

    what: str
    why: str

    def __call__(self, body: JsonObject, value: Any, request: Request) -> Adjustment | None:
        return Adjustment(what=self.what, why=self.why)


@dataclass(frozen=True, slots=True)
class UnlessTaken(Unsupported):
    """A row for a parameter that the API does not have and some servers take: those whose dialect has its flag."""

    def __call__(self, body: JsonObject, value: Any, request: Request) -> Adjustment | None:
        if not getattr(request.dialect, self.what):
            return Unsupported.__call__(self, body, value, request)
        body[self.what] = value
        return None


# --- parameters -------------------------------------------------------------------------------------------------------


def write_params(
    body: JsonObject, request: Request, table: Mapping[str, ParamWriter], adjustments: list[Adjustment]
) -> None:
    """Writes every parameter of the request by its row of `table`; what cannot be sent goes into `adjustments`."""
    for key, value in request.params.items():
        adjustment = table[key](body, value, request)
        if adjustment is not None:
            adjustments.append(adjustment)


@dataclass(frozen=True, slots=True)
class SendAs:
    """A row that sends the value unchanged, under `key`."""

    key: str

    def __call__(self, body: JsonObject, value: Any, request: Request) -> None:
        body[self.key] = value


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


# --- content ----------------------------------------------------------------------------------------------------------

WRAP_REMEDY = 'To send a provider\'s own block as it is, wrap it: {"type": "non_standard", "value": {…}}.'


def plain_content(blocks: list[Any]) -> str | list[Any]:
    """A reply's content: a `str` when it is one text without anything beside it but an id, else the blocks."""
    if not blocks:
        return ""
    first = blocks[0]
    if (
        len(blocks) == 1
        and first.get("type") == "text"
        and all(not value for key, value in first.items() if key not in ("type", "text", "id"))
    ):
        return str(first["text"])
    return blocks


def cannot_carry(block: Mapping[str, Any], turn: Turn, wire: WireName, remedy: str) -> UnsupportedContentError:
    """The error for a block that has no form on a wire. `remedy` is a sentence that tells what to do instead."""
    kind = block["type"]
    if kind == "unknown":
        value = block["value"]
        kind = value.get("type", "without a type") if isinstance(value, dict) else type(value).__name__
        home = wire_of_type(str(kind))
        if home is not None and home != wire:
            remedy = f"Only {home} has this block: send its content as text, or remove it."
    place = f"message {turn.position} ({turn.role})" if turn.position >= 0 else f"a {turn.role} message"
    return UnsupportedContentError(f"{wire} cannot carry the {kind!r} block in {place}. {remedy}")


# --- streams ----------------------------------------------------------------------------------------------------------


def incomplete_stream(final: str) -> IncompleteStreamError:
    """The error for a stream that ended before its final event, which `final` names."""
    return IncompleteStreamError(
        f"The stream ended before its final event ({final}): the answer is incomplete. `partial` has what came."
    )


def break_json_tail(args: str) -> str:
    """What a decoder streams after the incomplete arguments of a call, so that the call becomes an invalid one.

    LangChain core closes the open brackets and strings of JSON that ends too early, and offers the call as valid. After
    this tail it cannot: the call is in `invalid_tool_calls`. `""` where core does not accept the arguments anyway.
    """
    return next((tail for tail in BROKEN_TAILS if not _core_accepts(args + tail)), "]")


_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*(?P<end>"?)|[\[\]{}]', re.DOTALL)

BROKEN_TAILS = ("", "]", "}", '"]', '"}', '""]', '""}')
"""What `break_json_tail` returns: the first that core does not repair."""


@dataclass(slots=True)
class DepthGuard:
    """Keeps arguments that are nested too deeply from core's parser, which would fail on them.

    A bracket in the wrong place goes out before the fragment with which they become too deep: the parser stops there,
    and the call is an invalid one with all its text.
    """

    fragments: list[str] = field(default_factory=list)
    """The text as long as it cannot be too deep: it has too few brackets."""
    opened: int = 0
    depth: int = 0
    inside: str = ""
    """How the string began that the text so far ends in, and the backslash that it ends with; else empty."""
    broken: bool = False

    def checked(self, fragment: str) -> str:
        """The fragment as it can go out."""
        if self.broken:
            return fragment
        text = fragment
        if self.opened <= MAX_DEPTH:
            self.fragments.append(fragment)
            self.opened += fragment.count("{") + fragment.count("[")
            if self.opened <= MAX_DEPTH:
                return fragment
            text = "".join(self.fragments)
        self.broken = self._becomes_too_deep(text)
        return "]" + fragment if self.broken else fragment

    def _becomes_too_deep(self, text: str) -> bool:
        """Read on: each piece of the text is read once."""
        text = self.inside + text
        self.inside = ""
        for token in _BRACKETS.finditer(text):
            first = token[0][0]
            if first in "{[":
                self.depth += 1
                if self.depth > MAX_DEPTH:
                    return True
            elif first in "]}":
                self.depth -= 1
            elif not token["end"]:
                self.inside = '"' + text[token.end() :]
        return False


@dataclass(slots=True)
class ArgumentText:
    """The arguments of a call while their fragments come.

    They go out as they come from the `{` on. What begins otherwise (`null`, an object encoded twice) waits for the end.
    """

    fragments: list[str] = field(default_factory=list)
    length: int = 0
    streams: bool = False
    waits: bool = False
    guard: DepthGuard = field(default_factory=DepthGuard)

    def args(self) -> str:
        """The arguments so far."""
        return "".join(self.fragments)

    def add(self, fragment: str) -> str:
        """Add a fragment. What of the arguments can go out now."""
        if not fragment:
            return fragment
        self.fragments.append(fragment)
        self.length += len(fragment)
        if self.streams:
            return self.guard.checked(fragment)
        if self.waits:
            return ""
        args = self.args()
        start = args.lstrip()[:1]
        self.streams, self.waits = start == "{", start not in ("", "{")
        return self.guard.checked(args) if self.streams else ""

    def tail(self) -> str:
        """What goes out at the end: arguments that waited for it, and what makes broken ones an invalid call."""
        args = self.args()
        found = arguments_object(args)
        if self.streams or not args.strip():
            return "" if found is not None else break_json_tail(args)
        if found is None:
            return args + break_json_tail(args)
        return compact_json(found) if found else ""


def _core_accepts(args: str) -> bool:
    if not args:
        return True  # core reads missing arguments as `{}`
    if is_too_deep(args):
        return False  # the chunks before this one have the bracket that stops core's parser
    try:
        return isinstance(parse_partial_json(args), dict)
    except ValueError:
        return False
