"""Fields, keywords and messages -> one call, ready to be sent.

This is the only place where all the parts meet: the route (which provider, which model), the arguments, the request in
our vocabulary, the wire's body and the transport's call.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage

from langchain_unified import catalog
from langchain_unified.caching.placement import NO_MARKS, PlacedMarks, place_breakpoints
from langchain_unified.caching.policy import policy_of
from langchain_unified.chat_models._arguments import Arguments, canonical, secret, sort
from langchain_unified.chat_models._client_side import emulate, translated
from langchain_unified.chat_models._structured import settled
from langchain_unified.errors import InvalidHistoryError, UnsupportedParameterError
from langchain_unified.history.repair import repair
from langchain_unified.messages.turns import turns
from langchain_unified.request import Adjustment, Encoded, Request, ToolSpec
from langchain_unified.tools.choice import parallel_in, parse_tool_choice
from langchain_unified.tools.output_format import parse_output_format
from langchain_unified.tools.server import translate as server_tools
from langchain_unified.tools.specs import check_names, tool_specs
from langchain_unified.transport import HttpCall, Transport
from langchain_unified.wires import WIRES, Wire

if TYPE_CHECKING:
    from langchain_unified.chat_models.base import ChatBase


@dataclass(frozen=True, slots=True)
class Plan:
    """A call that is ready: what to send, through what, and how to read the answer."""

    wire: Wire
    route: catalog.Route
    request: Request
    call: HttpCall
    transport: Transport
    adjustments: tuple[Adjustment, ...]
    marks: PlacedMarks = NO_MARKS
    """What became of the prompt-cache marks."""
    output_version: str | None = None
    stops: tuple[str, ...] = ()
    """Stop sequences at which the answer is cut here."""
    requests: int = 1
    """How many times the call is sent, each time for one answer."""

    @property
    def plain(self) -> bool:
        """Whether an answer that starts with text will hold nothing else, so that it may stream as `str`.

        Core turns each chunk into standard blocks under `output_version="v1"`, and merges only blocks with an index.
        """
        several = self.request.tools or self.request.native.get("mcp_servers")
        return not several and self.output_version != "v1"


def make(model: ChatBase, messages: Sequence[BaseMessage], keywords: Mapping[str, Any], *, stream: bool) -> Plan:
    """The plan for one call of `model`. Raises our `RequestError`s and `ConfigurationError`s, before the network."""
    if not messages:
        raise InvalidHistoryError("There are no messages to send. Give at least one.")
    arguments = arguments_of(model, keywords)
    route = model._route(arguments.get("model"))
    specs, foreign_tools = _tools(route, arguments)
    wire = _wire(model, route, arguments, specs)
    messages = _trimmed(model, messages, arguments, wire)
    request, repairs = _request(model, (route, wire), messages, arguments, specs, stream=stream)
    request, marks, moved = place_breakpoints(request, wire.marks, policy_of(arguments.get("prompt_cache")))
    encoded = wire.encode(request)
    emulation = emulate(request, encoded, wire.name)
    adjustments = (*arguments.notes, *foreign_tools, *moved, *emulation.adjustments)
    _report(model, adjustments, arguments.get("on_unsupported", model.on_unsupported))
    return Plan(
        wire=wire,
        route=route,
        request=request,
        call=_call(model, route, wire.path, encoded, arguments),
        transport=Transport(model._connection(route.provider)),
        adjustments=tuple(_listed(*repairs, *adjustments)),
        marks=marks,
        output_version=model.output_version,
        stops=emulation.stops,
        requests=emulation.requests,
    )


def make_count(model: ChatBase, messages: Sequence[BaseMessage], keywords: Mapping[str, Any]) -> Plan | None:
    """The plan for counting the tokens of a call; `None` where the server has no endpoint for it."""
    arguments = arguments_of(model, keywords)
    route = model._route(arguments.get("model"))
    # Chat Completions has no counting endpoint; the Responses one counts the same conversation.
    wire = WIRES["anthropic_messages" if route.provider == "anthropic" else "openai_responses"]
    if wire.encode_count is None or wire.count_path is None or not catalog.is_official(model._base_url(route.provider)):
        return None
    specs, foreign_tools = _tools(route, arguments)
    request, repairs = _request(model, (route, wire), messages, arguments, specs, stream=False)
    request, _, _ = place_breakpoints(request, wire.marks, policy_of(arguments.get("prompt_cache")))
    encoded = wire.encode_count(request)
    call = _call(model, route, wire.count_path, encoded, arguments)
    adjustments = (*repairs, *foreign_tools, *encoded.adjustments)
    return Plan(wire, route, request, call, Transport(model._connection(route.provider)), adjustments)


def arguments_of(model: ChatBase, keywords: Mapping[str, Any]) -> Arguments:
    """Fields, `model_kwargs` and the call's keywords in one, the later winning. `None` leaves what was there."""
    given = {key: value for key, value in canonical(keywords).items() if value is not None}
    merged = {**model._defaults(), **canonical(model.model_kwargs), **given}
    if "tool_choice" not in given and not merged.get("tools"):
        merged.pop("tool_choice", None)  # the constructor's is for the calls that have tools
    return settled(sort({key: value for key, value in merged.items() if not _disabled(model, key, value)}), model)


def _disabled(model: ChatBase, key: str, value: Any) -> bool:
    disabled = model.disabled_params or {}
    if key not in disabled:
        return False
    return disabled[key] is None or value in disabled[key]


def _tools(route: catalog.Route, arguments: Arguments) -> tuple[tuple[ToolSpec, ...], tuple[Adjustment, ...]]:
    """The tools in the provider's own terms, with what changed on the way; its keys beside them go into `arguments`."""
    specs = tool_specs(arguments.get("tools", ()), arguments.get("strict"))
    found = server_tools.settle(specs, route.provider, arguments.native, route.profile)
    arguments.native = found.native
    return found.specs, found.adjustments


def _wire(model: ChatBase, route: catalog.Route, arguments: Arguments, specs: tuple[ToolSpec, ...]) -> Wire:
    name = catalog.wire_for(
        route,
        use_responses_api=model._use_responses_api(),
        params=arguments.params,
        native=arguments.native,
        tools=specs,
        base_url=model._base_url(route.provider),
        drop_in=model._drop_in,
    )
    return WIRES[name]


def _request(
    model: ChatBase,
    way: tuple[catalog.Route, Wire],
    messages: Sequence[BaseMessage],
    arguments: Arguments,
    specs: tuple[ToolSpec, ...],
    *,
    stream: bool,
) -> tuple[Request, tuple[Adjustment, ...]]:
    """The call in our vocabulary, and what was repaired in its history: noted, but no parameter that was refused."""
    route, wire = way
    check_names(specs)
    said = arguments.get("tool_choice")
    words = translated(arguments.params, arguments.native, wire.name)
    params = words.params
    if parallel_in(said) is False:
        params = {**params, "parallel_tool_calls": False}
    dialect = route.dialect
    if arguments.get("stream_usage") is False:
        dialect = replace(dialect, stream_usage=False)
    settled, repairs = repair(
        (*turns(words.system, wire.name), *turns(messages, wire.name)),
        wire=wire.name,
        ids=wire.call_ids,
        profile=route.profile,
        model=route.model,
        policy=arguments.get("repair", model.repair),
        server_state=any(words.native.get(key) for key in SERVER_STATE),
    )
    request = Request(
        model=route.model,
        turns=settled,
        params=params,
        tools=specs,
        tool_choice=parse_tool_choice(said, specs),
        output=parse_output_format(arguments.get("response_format"), arguments.get("strict")),
        native=words.native,
        extra_body=arguments.get("extra_body", {}),
        betas=tuple(arguments.get("betas", ())),
        stream=stream,
        profile=route.profile,
        dialect=dialect,
    )
    return request, repairs


SERVER_STATE = ("previous_response_id", "conversation", "thread")
"""Keys with which the server holds earlier turns: a result may answer a call that is not in the messages."""


def _call(model: ChatBase, route: catalog.Route, path: str, encoded: Encoded, arguments: Arguments) -> HttpCall:
    headers = _merged_headers(encoded.headers, arguments.get("extra_headers", {}), model.default_headers or {})
    return HttpCall(
        path=path,
        body=encoded.body,
        headers=headers,
        query=arguments.get("extra_query", {}),
        timeout=arguments.get("timeout"),
        max_retries=arguments.get("max_retries"),
        api_key=secret(arguments.get("api_key")),
        idle_timeout=model.stream_chunk_timeout,
        model=route.model,
    )


def _merged_headers(
    ours: Mapping[str, str], theirs: Mapping[str, str], defaults: Mapping[str, str]
) -> Mapping[str, str]:
    """The caller's headers win over ours; betas add up, because a header sent per call replaces the default one."""
    merged = {key.lower(): value for key, value in ours.items()} | {key.lower(): value for key, value in theirs.items()}
    holders = (ours, theirs, defaults) if BETA in merged else ()
    lists = [value for holder in holders for key, value in holder.items() if key.lower() == BETA]
    if lists:
        names = [name.strip() for value in lists for name in value.split(",")]
        merged[BETA] = ",".join(dict.fromkeys(name for name in names if name))
    return merged


BETA = "anthropic-beta"


def _listed(*adjustments: Adjustment) -> Iterator[Adjustment]:
    """The adjustments as messages show them."""
    return (Adjustment(what=item["what"], why=item["why"]) for item in adjustments)


def _report(model: ChatBase, adjustments: Sequence[Adjustment], policy: str) -> None:
    lost = [item for item in adjustments if not item.get("lossless")]
    if not lost or policy == "ignore":
        return
    if policy == "raise":
        raise UnsupportedParameterError("; ".join(f"{item['what']}: {item['why']}" for item in lost))
    for item in lost:
        key = f"{item['what']}: {item['why']}"
        if key not in model._warned:
            model._warned.add(key)
            warnings.warn(f"{key} (on_unsupported='raise' makes this an error)", UserWarning, stacklevel=2)


# --- what the history itself decides ----------------------------------------------------------------------------------


def _trimmed(
    model: ChatBase, messages: Sequence[BaseMessage], arguments: Arguments, wire: Wire
) -> Sequence[BaseMessage]:
    """State that the server holds: the last reply's container, or the last response instead of what led to it."""
    if wire.name == "anthropic_messages" and getattr(model, "reuse_last_container", False):
        container = _last(messages, "container")
        if isinstance(container, Mapping) and container.get("id"):
            arguments.native.setdefault("container", container["id"])
    if wire.name != "openai_responses" or not getattr(model, "use_previous_response_id", False):
        return messages
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if isinstance(message, AIMessage) and str(message.response_metadata.get("id", "")).startswith("resp_"):
            arguments.native.setdefault("previous_response_id", message.response_metadata["id"])
            return messages[index + 1 :]
    return messages


def _last(messages: Sequence[BaseMessage], key: str) -> Any:
    found = (m.response_metadata.get(key) for m in reversed(messages) if isinstance(m, AIMessage))
    return next((value for value in found if value), None)
