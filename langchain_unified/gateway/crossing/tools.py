"""Tools of one API in the form of another, and the names under which their calls come back.

Free-form tools become functions with one text, tools in a namespace get its name before theirs. A restriction is never
widened: a search without access to the web is left out where the upstream's search always has it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.gateway.crossing.state import LABELS, CrossingState
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT
from langchain_unified.request import JsonObject, Request, ToolChoice, ToolSpec
from langchain_unified.request.blocks import raw_value
from langchain_unified.tools.names import whole_name
from langchain_unified.tools.server.forms import form_of, known
from langchain_unified.tools.server.translate import translate_tools
from langchain_unified.tools.spec import tool_spec


def with_own_tools(request: Request, state: CrossingState) -> Request:
    """The request with tools that the upstream has, and a choice among them."""
    if state.client == state.upstream.name:
        return request
    request = _with_loaded_tools(_with_legacy_tools(request, state))
    if not request.tools and not request.native and request.tool_choice is None:
        return request
    state.namespaces = frozenset(tool.name for tool in request.tools if tool.definition.get("type") == "namespace")
    tools = tuple(spec for tool in request.tools for spec in _in_the_open(tool, state))
    tools = tuple(_free_form(spec, state) for spec in tools if _is_available(spec, state))
    tools = _loaded(tools, request.tools, state)
    choice = _choice(request, tools, state)
    found = translate_tools(tools, state.upstream.provider, _native(request, state), state.profile)
    state.notes.extend(found.adjustments)
    native = {key: value for key, value in found.native.items() if key in state.upstream.native_keys}
    return replace(request, tools=found.specs, tool_choice=choice, native=native)


# --- older forms ------------------------------------------------------------------------------------------------------


def _with_legacy_tools(request: Request, state: CrossingState) -> Request:
    """`functions`, `function_call` and `web_search_options` of Chat Completions as tools."""
    native = request.native
    if not native.keys() & LEGACY:
        return request
    functions = [tool_spec({"type": "function", "function": each}) for each in native.get("functions") or ()]
    search = native.get("web_search_options")
    searches = [tool_spec({"type": "web_search", **search})] if isinstance(search, dict) else []
    if functions:
        state.list("functions", "They went out as tools: calls come back as `tool_calls`.")
    asked = native.get("function_call")
    choice = _legacy_choice(asked) if functions and asked else request.tool_choice
    tools = (*request.tools, *functions, *searches)
    return replace(request, tools=tools, tool_choice=choice)


LEGACY = frozenset({"functions", "function_call", "web_search_options"})


def _legacy_choice(value: Any) -> ToolChoice | None:
    if isinstance(value, dict):
        return ToolChoice("tool", (str(value.get("name")),))
    return ToolChoice("none" if value == "none" else "auto")


LOADING = ("tool_search_output", "additional_tools")
"""Items of the Responses API that bring tools, which other APIs take in the list of tools alone."""


def _with_loaded_tools(request: Request) -> Request:
    """The request with the tools that came in its conversation."""
    known = {tool.name for tool in request.tools}
    values = (raw_value(block) for turn in request.turns for block in turn.blocks if block["type"] == "native")
    found = [
        tool_spec(tool)
        for value in values
        if value.get("type") in LOADING
        for tool in value.get("tools") or ()
        if isinstance(tool, dict) and tool.get("name") not in known
    ]
    return replace(request, tools=(*request.tools, *{spec.name: spec for spec in found}.values())) if found else request


# --- namespaces -------------------------------------------------------------------------------------------------------


def _in_the_open(tool: ToolSpec, state: CrossingState) -> tuple[ToolSpec, ...]:
    """The tools of a namespace by their whole names; any other tool as it is."""
    if state.upstream.name == "openai_responses" or tool.definition.get("type") != "namespace":
        return (tool,)
    return tuple(_named(inner, tool) for inner in tool.definition.get("tools") or () if isinstance(inner, dict))


def _named(inner: JsonObject, space: ToolSpec) -> ToolSpec:
    spec = tool_spec(inner)
    about = " ".join(text for text in (space.definition.get("description"), spec.description) if text)
    return replace(spec, name=whole_name(space.name, spec.name), description=about or None)


def _loaded(tools: tuple[ToolSpec, ...], given: tuple[ToolSpec, ...], state: CrossingState) -> tuple[ToolSpec, ...]:
    """The tools without `defer_loading`, where the search that would load them was left out."""
    searched = any(spec.definition.get("type") == "tool_search" for spec in given)
    if not searched or any(spec.definition.get("type") == "tool_search" for spec in tools):
        return tools
    state.list("defer_loading", "The tool search that would load the tools was left out: all of them were sent.")
    return tuple(
        replace(spec, options={key: value for key, value in spec.options.items() if key != "defer_loading"})
        for spec in tools
    )


# --- free-form tools --------------------------------------------------------------------------------------------------


def _free_form(spec: ToolSpec, state: CrossingState) -> ToolSpec:
    """A free-form tool as a function of one text, for Claude; any other tool as it is."""
    if spec.kind != "custom" or state.upstream.provider != "anthropic":
        return spec
    argument = {"type": "string", "description": " ".join(["The whole input, as plain text.", *_grammar(spec)])}
    schema = {
        "type": "object",
        "properties": {CUSTOM_ARGUMENT: argument},
        "required": [CUSTOM_ARGUMENT],
        "additionalProperties": False,
    }
    options = {key: value for key, value in spec.options.items() if key != "format"}
    return replace(spec, kind="function", parameters=schema, options=options)


def _grammar(spec: ToolSpec) -> list[str]:
    """The grammar of the input in words: Claude is not held to it."""
    form: JsonObject = spec.options.get("format") or {}
    inner: JsonObject = form["grammar"] if isinstance(form.get("grammar"), dict) else form
    if not inner.get("definition"):
        return []
    return [f"It must match this {inner.get('syntax') or ''} grammar:\n{inner['definition']}"]


# --- what an upstream does not have -----------------------------------------------------------------------------------


def _is_available(spec: ToolSpec, state: CrossingState) -> bool:
    """Whether the upstream has a tool, no less restricted. One that it lacks is noted."""
    kind = str(spec.definition.get("type"))
    if spec.kind != "native":
        return True
    if state.upstream.name == "openai_chat":
        why = "The caller runs every tool of Chat Completions: it was left out."
    elif state.to_other_provider and spec.definition.get("external_web_access") is False:
        why = "Claude's search always has access to the web, which the tool denies: it was left out."
    elif state.to_other_provider and spec.definition.get("execution") == "client":
        why = "Claude searches among its tools itself: it was left out."
    elif state.to_other_provider and spec.definition.get("connector_id"):
        why = "Only OpenAI has this connector: it was left out."
    elif state.to_other_provider and not _has_form(kind, state):
        why = f"Only {LABELS[state.client]} has it: it was left out."
    else:
        return True
    state.lose(f"the tool {spec.name!r}", why)
    return False


def _native(request: Request, state: CrossingState) -> JsonObject:
    """The native keys of which tools are made: MCP servers, which Chat Completions has not."""
    native = dict(request.native)
    if state.upstream.name == "openai_chat" and native.pop("mcp_servers", None):
        state.lose("mcp_servers", "The caller runs every tool of Chat Completions: they were left out.")
    return native


def _has_form(kind: str, state: CrossingState) -> bool:
    found = known(kind)
    return found is not None and form_of(found[0], state.upstream.provider, state.profile) is not None


def _choice(request: Request, tools: tuple[ToolSpec, ...], state: CrossingState) -> ToolChoice | None:
    """The choice among the tools that are left. One that forces a tool that was left out is refused."""
    choice = _open_choice(request.tool_choice)
    if choice is None or (not tools and not request.tools):
        return choice
    names = {spec.name for spec in tools} | {str(spec.definition.get("type")) for spec in tools}
    lost = [name for name in _chosen(choice) if name not in names]
    forced = choice.mode == "tool" or choice.required or (choice.mode == "any" and not tools)
    if (lost or not tools) and forced:
        raise InvalidToolError(
            f"tool_choice asks for {', '.join(map(repr, lost)) or 'a call'}, and this model has no such tool."
        )
    if not tools:
        return None
    kept = tuple(name for name in choice.names if name in names)
    return replace(choice, names=kept) if kept or choice.mode != "allowed" else ToolChoice("none")


def _open_choice(choice: ToolChoice | None) -> ToolChoice | None:
    """A choice of one tool in a namespace by its whole name; any other choice as it is."""
    definition = None if choice is None else choice.definition
    if not definition or not definition.get("namespace"):
        return choice
    return ToolChoice("tool", (whole_name(str(definition["namespace"]), str(definition.get("name"))),))


def _chosen(choice: ToolChoice) -> tuple[str, ...]:
    if choice.definition is None:
        return choice.names
    return (str(choice.definition.get("name") or choice.definition.get("server_label") or choice.definition["type"]),)
