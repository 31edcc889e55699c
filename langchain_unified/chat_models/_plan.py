"""Fields, keywords and messages -> one call, ready to be sent.

The only place where all the parts meet: the arguments, the route (which provider, which model), the tools, the wire,
the request in our vocabulary, its cache marks, and the body. A stage is entered only if the call has something for it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage
from pydantic import SecretStr

from langchain_unified import catalog
from langchain_unified.caching.gate import Passage
from langchain_unified.caching.placement import NO_MARKS, PlacedMarks
from langchain_unified.caching.policy import LIFETIMES, policy_of
from langchain_unified.chat_models._arguments import Arguments, CallOptions, canonical, parse_arguments
from langchain_unified.chat_models._client_side import PARAMS, RENAMED, ClientSide, client_side, rename_for_wire
from langchain_unified.chat_models._container import add_container
from langchain_unified.chat_models._frameworks import NEEDS_PARTNER, policy_of_framework
from langchain_unified.chat_models._model import ModelBase
from langchain_unified.chat_models._notices import called_route
from langchain_unified.chat_models._observed import NOTHING, Observation
from langchain_unified.chat_models._ready import (
    as_taken,
    caller_names_of,
    has_marks,
    losses_of,
    with_cache_marks,
    with_valid_text,
)
from langchain_unified.chat_models._structured import apply_structured_method
from langchain_unified.errors import InvalidHistoryError
from langchain_unified.history.repair import is_empty_prompt
from langchain_unified.history.servers import for_server
from langchain_unified.messages.turns import turns
from langchain_unified.request import (
    Adjustment,
    Dialect,
    Encoded,
    JsonObject,
    OutputFormat,
    Params,
    Request,
    ToolChoice,
    ToolSpec,
    Turn,
    WireName,
)
from langchain_unified.request.warned import warn
from langchain_unified.structured.answer import Target
from langchain_unified.tools.bound import called_tools
from langchain_unified.tools.choice import parallel_in, parse_tool_choice
from langchain_unified.tools.names import with_sent_names
from langchain_unified.tools.output_format import parse_output_format
from langchain_unified.tools.server.translate import translate_tools
from langchain_unified.tools.specs import check_names, tool_specs
from langchain_unified.transport import HttpCall
from langchain_unified.wires import WIRES, Wire


@dataclass(frozen=True, slots=True)
class Plan:
    """One call: what to send, and how to read the answer."""

    wire: Wire
    route: catalog.Route
    request: Request
    call: HttpCall
    adjustments: tuple[Adjustment, ...] = ()
    marks: PlacedMarks = NO_MARKS
    """What became of the prompt-cache marks."""
    output_version: str | None = None
    stops: tuple[str, ...] = ()
    """Stop sequences at which the answer is cut here."""
    requests: int = 1
    """How many times the call is sent, each time for one answer."""
    include_headers: bool = False
    """Whether `response_metadata` holds the response headers."""
    target: Target | None = None
    """What the answer is parsed into, where `response_format` is a type."""
    caller_names: Mapping[str, str] = field(default_factory=dict)
    """Names of tools as they are sent -> the caller's names, where these differ."""
    writes_by_ttl: bool = False
    """Whether tokens written to Anthropic's cache are listed by TTL among the details of the usage."""
    seen: Observation = NOTHING
    """What instrumentation sees of the call."""
    gate: Passage | None = None
    """Where the call waits for another one with the same prefix to begin, by the policy of the cache."""

    @property
    def plain(self) -> bool:
        """Whether an answer that starts with text holds nothing else, so that it can stream as `str`.

        Under `output_version="v1"` core turns each chunk into standard blocks, and merges only blocks with an index;
        in langchain-openai's forms content is always a list.
        """
        has_tools = self.request.tools or self.request.native.get("mcp_servers")
        return not has_tools and self.output_version not in ("v0", "v1", "responses/v1")


def make(
    model: ModelBase,
    messages: Sequence[BaseMessage],
    keywords: Mapping[str, Any],
    *,
    stream: bool,
    stop: list[str] | None = None,
    dry: bool = False,
) -> Plan:
    """The plan for one call of `model`. Raises our `RequestError`s and `ConfigurationError`s, before the network.

    `dry`: the call is not sent, and the model does not remember it.
    """
    if not messages:
        raise InvalidHistoryError("There are no messages to send. Give at least one.")
    arguments = arguments_of(model, keywords if stop is None else {**keywords, "stop": stop}, messages)
    route = called_route(model, arguments.call.get("model"), dry=dry)
    tools = _tools(arguments, route, dry=dry) if "tools" in arguments.call or "mcp_servers" in arguments.native else ()
    wire = _wire(model, arguments, route, tools)
    messages = _without_stored_turns(model, messages, arguments, wire)
    request, repairs = _request(model, route, wire, messages, arguments, tools=tools, stream=stream)
    request, marks, gate = _with_policy(model, request, wire, arguments, dry=dry)
    encoded = with_valid_text(wire.encode(request))
    local = ClientSide(adjustments=encoded.adjustments)
    if not PARAMS.isdisjoint(request.params):
        local = client_side(request, encoded, wire.name)
    adjustments = (*arguments.adjustments, *local.adjustments)
    if adjustments:
        _report(model, adjustments, arguments.call.get("on_unsupported", model.on_unsupported))
    return Plan(
        wire=wire,
        route=route,
        request=request,
        call=_call(model, route, wire.path, encoded, arguments.call),
        adjustments=tuple(Adjustment(what=item["what"], why=item["why"]) for item in (*repairs, *adjustments)),
        marks=marks,
        output_version=_output_version(model, wire),
        stops=local.stops,
        requests=local.requests,
        include_headers=model.include_response_headers,
        writes_by_ttl=model.cache_writes_by_ttl,
        target=arguments.target,
        caller_names=caller_names_of(request.tools) if request.tools else {},
        gate=gate,
    )


def _with_policy(
    model: ModelBase, request: Request, wire: Wire, arguments: Arguments, *, dry: bool
) -> tuple[Request, PlacedMarks, Passage | None]:
    """The request with its cache marks, what became of them, and the call's way through the gate of its policy."""
    given = arguments.call.get("prompt_cache")
    if given is None and any(name in sys.modules for name in NEEDS_PARTNER):
        given = policy_of_framework(request, wire, arguments.adjustments)
    if given is None and not has_marks(request):
        return request, NO_MARKS, None
    state = model._current()
    placed, marks = with_cache_marks(request, wire, arguments.adjustments, given, pauses=state.pauses, dry=dry)
    policy = None if given is None else policy_of(given)
    if dry or policy is None or not (policy.gate and policy.enabled):
        return placed, marks, None
    seconds = LIFETIMES[policy.ttl or wire.marks_for(request.dialect).default]
    return placed, marks, state.gate.passage(request, seconds)


def make_count(model: ModelBase, messages: Sequence[BaseMessage], keywords: Mapping[str, Any]) -> Plan | None:
    """The plan for counting the tokens of a call; `None` where there is nothing to count or no endpoint for it."""
    arguments = arguments_of(model, keywords, messages)
    route = model._route(arguments.call.get("model"))
    # Chat Completions has no counting endpoint; the Responses one counts the same conversation.
    wire = WIRES["anthropic_messages" if route.provider == "anthropic" else "openai_responses"]
    if wire.encode_count is None or wire.count_path is None or route.dialect.counting == "estimated":
        return None
    tools = _tools(arguments, route)
    request, _ = _request(model, route, wire, messages, arguments, tools=tools, stream=False)
    if is_empty_prompt(request.turns, wire.name):
        return None
    policy, log = arguments.call.get("prompt_cache"), model._current().pauses
    request, _ = with_cache_marks(request, wire, arguments.adjustments, policy, pauses=log, dry=True)
    call = _call(model, route, wire.count_path, with_valid_text(wire.encode_count(request)), arguments.call)
    return Plan(wire, route, request, call)


def make_stored(
    model: ModelBase,
    keywords: Mapping[str, Any],
    path: str,
    method: Literal["GET", "POST"],
    name: WireName = "openai_responses",
) -> Plan:
    """The plan for a call about an answer that the provider made before, which is read with these keywords."""
    arguments = arguments_of(model, keywords)
    route = model._route(arguments.call.get("model"))
    tools = _tools(arguments, route)
    wire = WIRES[name]
    request = Request(
        model=route.model,
        turns=(),
        params=arguments.params,
        tools=with_sent_names(tools, wire.call_ids),
        profile=route.profile,
        dialect=route.dialect,
    )
    return Plan(
        wire=wire,
        route=route,
        request=request,
        call=replace(_call(model, route, path, Encoded({}), arguments.call), method=method),
        output_version=_output_version(model, wire),
        include_headers=model.include_response_headers,
        target=arguments.target,
        caller_names=caller_names_of(request.tools),
    )


# --- arguments, tools, wire -------------------------------------------------------------------------------------------


def arguments_of(model: ModelBase, keywords: Mapping[str, Any], messages: Sequence[BaseMessage] = ()) -> Arguments:
    """Fields, `model_kwargs` and the call's keywords; the later wins. A keyword that is `None` changes nothing."""
    merged = dict(model._defaults())
    if model.model_kwargs:
        merged |= canonical(model.model_kwargs)
    given = {key: value for key, value in canonical(keywords).items() if value is not None} if keywords else {}
    merged |= given
    if "tool_choice" not in given and not merged.get("tools"):
        merged.pop("tool_choice", None)  # the constructor's is for calls with tools
    for key, values in (model.disabled_params or {}).items():
        if key in merged and (values is None or merged[key] in values):
            del merged[key]
    arguments = parse_arguments(merged)
    if "response_format" in arguments.call:
        apply_structured_method(arguments, model, messages)
    return arguments


def _tools(arguments: Arguments, route: catalog.Route, *, dry: bool = True) -> tuple[ToolSpec, ...]:
    """The tools in the provider's form. Adjustments, and body keys that come of tools, go into `arguments`.

    The body of a `dry` call goes to the caller, who may change it: its tools are read anew.
    """
    if "tools" not in arguments.call and "mcp_servers" not in arguments.native:
        return ()
    read = tool_specs if dry else called_tools
    specs = read(arguments.call.get("tools", ()), arguments.call.get("strict"))
    found = translate_tools(specs, route.provider, arguments.native, route.profile)
    check_names(found.specs)
    arguments.native = found.native
    arguments.adjustments.extend(found.adjustments)
    return found.specs


def _wire(model: ModelBase, arguments: Arguments, route: catalog.Route, tools: tuple[ToolSpec, ...]) -> Wire:
    if route.provider == "anthropic":
        return WIRES["anthropic_messages"]
    name = catalog.wire_for(
        route,
        use_responses_api=model._use_responses_api(),
        params=arguments.params,
        native=arguments.native,
        tools=tools,
        drop_in=model._follows_partner_routing,
        output_version=model.output_version,
        use_previous_response_id=bool(vars(model).get("use_previous_response_id")),
    )
    return WIRES[name]


def _output_version(model: ModelBase, wire: Wire) -> str | None:
    """The form of the answer: `ChatOpenAI` gives that of langchain-openai where none is asked for."""
    if model.output_version is None and wire.name == "openai_responses" and model._follows_partner_routing:
        return "responses/v1"
    return model.output_version


# --- the request ------------------------------------------------------------------------------------------------------


def _request(
    model: ModelBase,
    route: catalog.Route,
    wire: Wire,
    messages: Sequence[BaseMessage],
    arguments: Arguments,
    *,
    tools: tuple[ToolSpec, ...],
    stream: bool,
) -> tuple[Request, tuple[Adjustment, ...]]:
    """The call in our vocabulary, and what was repaired in its history."""
    options = arguments.call
    conversation, params, native = _conversation(model, messages, arguments, wire, route.dialect)
    choice = None
    if "tool_choice" in options:
        choice, params = _tool_choice(options, params, tools)
    request = Request(
        model=route.model,
        turns=conversation,
        params=params,
        tools=tools,
        tool_choice=choice,
        output=_output_format(options) if "response_format" in options else None,
        native=native,
        extra_body=options.get("extra_body", {}),
        betas=tuple(options.get("betas", ())),
        stream=stream,
        profile=route.profile,
        dialect=_dialect(route, options) if "stream_usage" in options else route.dialect,
    )
    return as_taken(request, wire, arguments.adjustments, policy=options.get("repair", model.repair))


def _dialect(route: catalog.Route, options: CallOptions) -> Dialect:
    """The server's flags, with what the call says of a stream's usage."""
    usage = options.get("stream_usage")
    return route.dialect if usage in (None, route.dialect.stream_usage) else replace(route.dialect, stream_usage=usage)


def _conversation(
    model: ModelBase, messages: Sequence[BaseMessage], arguments: Arguments, wire: Wire, dialect: Dialect
) -> tuple[tuple[Turn, ...], Params, JsonObject]:
    """The turns, and the parameters and native keys under the wire's names."""
    params, native = arguments.params, arguments.native
    conversation = turns(messages, wire.name)
    for turn in conversation:
        if turn.server is not None:
            conversation = for_server(conversation, wire.name, dialect)
            break
    if RENAMED.isdisjoint(native):
        return conversation, params, native
    renamed = rename_for_wire(params, native, wire.name)
    return (*turns(renamed.system, wire.name), *conversation), renamed.params, renamed.native


def _output_format(options: CallOptions) -> OutputFormat | None:
    value = options.get("response_format")
    return None if value is None else parse_output_format(value, options.get("strict"))


def _tool_choice(options: CallOptions, params: Params, tools: tuple[ToolSpec, ...]) -> tuple[ToolChoice | None, Params]:
    """The tool choice, and the parameters with what the choice says of parallel calls."""
    choice = options.get("tool_choice")
    if choice is None:
        return None, params
    if parallel_in(choice) is False:
        params = {**params, "parallel_tool_calls": False}
    return parse_tool_choice(choice, tools), params


def _without_stored_turns(
    model: ModelBase, messages: Sequence[BaseMessage], arguments: Arguments, wire: Wire
) -> Sequence[BaseMessage]:
    """The messages without those that the server stores: the last response's id stands for them.

    The container of the last reply is named where its code waits in it, or where the model's fields say so.
    """
    fields = vars(model)
    if wire.name == "anthropic_messages":
        add_container(arguments.native, messages, reuse=bool(fields.get("reuse_last_container")))
    if not fields.get("use_previous_response_id") or wire.name != "openai_responses":
        return messages
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if isinstance(message, AIMessage) and str(message.response_metadata.get("id", "")).startswith("resp_"):
            arguments.native.setdefault("previous_response_id", message.response_metadata["id"])
            return messages[index + 1 :]
    return messages


# --- the call, and what is reported -----------------------------------------------------------------------------------


def _call(model: ModelBase, route: catalog.Route, path: str, encoded: Encoded, options: CallOptions) -> HttpCall:
    headers = encoded.headers
    if "extra_headers" in options or model.default_headers:
        headers = _merged_headers(headers, options.get("extra_headers", {}), model.default_headers or {})
    key = options.get("api_key")
    return HttpCall(
        path=path,
        body=encoded.body,
        headers=headers,
        query=options.get("extra_query", {}),
        timeout=options.get("timeout"),
        max_retries=options.get("max_retries"),
        max_retry_wait=options.get("max_retry_wait"),
        deadline=options.get("deadline"),
        api_key=SecretStr(key) if isinstance(key, str) else key,
        idle_timeout=model.stream_chunk_timeout,
        model=route.model,
        written=None if encoded.content is None else (encoded.body, encoded.content),
    )


def _merged_headers(
    encoded: Mapping[str, str], extra: Mapping[str, str], defaults: Mapping[str, str]
) -> Mapping[str, str]:
    """The caller's headers win over the encoder's; betas add up, because a call's header replaces the default one."""
    merged = {key.lower(): value for key, value in (*encoded.items(), *extra.items())}
    holders = (encoded, extra, defaults) if BETA in merged else ()
    lists = [value for holder in holders for key, value in holder.items() if key.lower() == BETA]
    if lists:
        names = [name.strip() for value in lists for name in value.split(",")]
        merged[BETA] = ",".join(dict.fromkeys(name for name in names if name))
    return merged


BETA = "anthropic-beta"


def _report(model: ModelBase, adjustments: Sequence[Adjustment], policy: str) -> None:
    """Raise or warn about what could not go out as written, each once per model. What is lossless is only listed."""
    losses = losses_of(adjustments, policy)
    for loss in losses:
        if loss not in model._warned:
            model._warned.add(loss)
            warn(f"{loss} (on_unsupported='raise' makes this an error)")
