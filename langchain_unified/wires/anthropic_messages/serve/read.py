"""The body of `POST /v1/messages` -> a request, as a server reads it.

A value of a wrong type raises an error with the path of its key (`messages[2].content[0].text`). `null` means the same
as an absent key. What has no place in a `Request` stays as it is: a block or a tool as `native`, a key of the body in
`native` or, if the wire does not know it either, in `extra_body`.

What the encoder writes in another form is read into the encoder's form: the text of a message is a list of one block,
consecutive turns of one role are one message, a strict schema is closed, and `output_format`, the former key of the
answer's schema, is `output_config.format`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, cast

from langchain_unified.errors import InvalidToolError, RequestError
from langchain_unified.request import JsonObject, OutputFormat, Params, Profile, Request, ToolChoice, ToolSpec
from langchain_unified.tools.server.forms import refusal
from langchain_unified.wires._body import each_object, expect, non_null
from langchain_unified.wires.anthropic_messages.betas import betas
from langchain_unified.wires.anthropic_messages.params import BODY_KEYS, HEADERS
from langchain_unified.wires.anthropic_messages.reasoning import SUMMARIZED
from langchain_unified.wires.anthropic_messages.serve.turns import read_system, read_turns, take_mark
from langchain_unified.wires.anthropic_messages.tools import OPTIONS

PARAMS: Mapping[str, tuple[str, str]] = {
    "max_tokens": ("max_tokens", "an integer"),
    "temperature": ("temperature", "a number"),
    "top_p": ("top_p", "a number"),
    "top_k": ("top_k", "an integer"),
    "stop_sequences": ("stop", "a list of strings"),
    "thinking": ("thinking", "an object"),
}
"""Body key -> the parameter in `Params`, and what the value must be."""

NATIVE_TYPES: Mapping[str, str] = {
    "billing_policy": "an object",
    "cache_control": "an object",
    "compaction": "an object",
    "context_management": "an object",
    "diagnostics": "an object",
    "inference_geo": "a string",
    "mcp_servers": "a list",
    "thread": "an object",
}

"""Native body key -> what the value must be."""

TIERS: Mapping[str, str] = {"auto": "auto", "standard_only": "default"}
"""The API's `service_tier` -> ours."""

READ_KEYS = frozenset(
    {"model", "messages", "system", "tools", "tool_choice", "stream", "service_tier", "output_config", *PARAMS}
)
"""The body keys that have a place of their own in a `Request`."""

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def read_request(body: JsonObject, headers: Mapping[str, str] = NO_HEADERS) -> Request:
    """The request in a body and its headers. Raises `RequestError` for a malformed body.

    The `profile` is inferred from the body, such that the encoder writes the same body again.
    """
    body = _with_output_config(expect("an object", body, "The body"))
    given = non_null(body)
    model = expect("a string", given.get("model"), "model")
    expect("an integer", given.get("max_tokens"), "max_tokens")
    tools = tuple(_tool(tool, path) for tool, path in each_object(given.get("tools"), "tools"))
    choice, parallel = _tool_choice(given.get("tool_choice"), tools)
    output, native, params = _config(given)
    request = Request(
        model=model,
        turns=(*read_system(given.get("system", "")), *read_turns(_messages(given))),
        params=cast(Params, {**_params(given), **params, **parallel}),
        tools=tools,
        tool_choice=choice,
        output=output,
        native={**_native(given), **native, **_native_headers(headers)},
        extra_body={key: value for key, value in body.items() if not _has_place(key, value)},
        betas=_betas(given, headers),
        stream=expect("true or false", given.get("stream", False), "stream"),
    )
    return _with_inferred_profile(request)


def _with_output_config(body: JsonObject) -> JsonObject:
    """The body with the former `output_format` in `output_config.format`."""
    output, config = body.get("output_format"), body.get("output_config") or {}
    if not isinstance(output, dict) or not isinstance(config, dict) or config.get("format") is not None:
        return body
    rest = {key: value for key, value in body.items() if key != "output_format"}
    return {**rest, "output_config": {**config, "format": output}}


def _has_place(key: str, value: object) -> bool:
    """Whether a body key goes to another place in the `Request` than `extra_body`."""
    if key == "metadata":
        return not value or _user(value) is not None
    return key in READ_KEYS or key in BODY_KEYS


def _messages(given: JsonObject) -> list[object]:
    messages: list[object] = expect("a list", given.get("messages"), "messages")
    if not messages:
        raise RequestError("messages is empty: at least one message is needed.")
    return messages


def _with_inferred_profile(request: Request) -> Request:
    """The request with a profile for which the encoder writes the same body.

    From an effort alone the encoder writes the effort and summarised, adaptive thinking.
    """
    effort = request.params.get("reasoning_effort")
    levels = (effort,) if effort else ()
    if not effort or request.params.get("thinking") != SUMMARIZED:
        return replace(request, profile=Profile(effort_levels=levels, system_in_messages=True))
    rest = {key: value for key, value in request.params.items() if key != "thinking"}
    profile = Profile(effort_levels=levels, thinking="adaptive", system_in_messages=True)
    return replace(request, params=cast(Params, rest), profile=profile)


# --- parameters and native keys ---------------------------------------------------------------------------------------


def _params(given: JsonObject) -> JsonObject:
    found = {name: expect(kind, given[key], key) for key, (name, kind) in PARAMS.items() if key in given}
    thinking = non_null(given.get("thinking", {"type": ""}))
    expect("a string", thinking.get("type"), "thinking.type")
    expect("an integer", thinking.get("budget_tokens", 0), "thinking.budget_tokens")
    user = _user(given.get("metadata") or {})
    if user is not None:
        found["user"] = user
    if "service_tier" in given:
        tier = expect("a string", given["service_tier"], "service_tier")
        if tier not in TIERS:
            raise RequestError(f"service_tier must be one of {', '.join(TIERS)}, not {tier!r}.")
        found["service_tier"] = TIERS[tier]
    elif given.get("speed") == "fast":
        found["service_tier"] = "fast"
    return found


def _user(metadata: object) -> str | None:
    """The `user_id`, if `metadata` has no other key."""
    given = non_null(expect("an object", metadata, "metadata"))
    if "user_id" in given:
        expect("a string", given["user_id"], "metadata.user_id")
    return given["user_id"] if given.keys() == {"user_id"} else None


def _config(given: JsonObject) -> tuple[OutputFormat | None, JsonObject, JsonObject]:
    """From `output_config`: the output format, its other keys as native keys, and the effort as a parameter."""
    config = non_null(expect("an object", given.get("output_config", {}), "output_config"))
    output = _format(config.get("format"), "output_config.format")
    if output is not None:
        del config["format"]
    params: JsonObject = {}
    if config.get("effort", "none") != "none":
        params["reasoning_effort"] = expect("a string", config.pop("effort"), "output_config.effort")
    return output, {"output_config": config} if config else {}, params


def _format(value: object, path: str) -> OutputFormat | None:
    if value is None:
        return None
    given = expect("an object", value, path)
    if given.get("type") != "json_schema":
        raise RequestError(f"{path}.type must be 'json_schema', not {given.get('type')!r}.")
    schema = expect("an object", given.get("schema"), f"{path}.schema")
    return OutputFormat("json_schema", schema) if given.keys() == {"type", "schema"} else None


def _native(given: JsonObject) -> JsonObject:
    native = {key: value for key, value in given.items() if key in BODY_KEYS and key not in READ_KEYS}
    for key, kind in NATIVE_TYPES.items():
        if key in native:
            expect(kind, native[key], key)
    list(each_object(native.get("mcp_servers"), "mcp_servers"))
    list(each_object(native.get("context_management", {}).get("edits"), "context_management.edits"))
    if native.get("speed") == "fast" and "service_tier" not in given:
        del native["speed"]  # read as the service tier
    return native


# --- headers ----------------------------------------------------------------------------------------------------------


def _lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _native_headers(headers: Mapping[str, str]) -> JsonObject:
    found = _lower_case(headers)
    return {key: found[name] for key, name in HEADERS.items() if name in found}


def _betas(given: JsonObject, headers: Mapping[str, str]) -> tuple[str, ...]:
    """The names in the header, without those that the body needs anyway."""
    listed = [name.strip() for name in _lower_case(headers).get("anthropic-beta", "").split(",")]
    needed = betas(given, ())
    return tuple(name for name in dict.fromkeys(listed) if name and name not in needed)


# --- tools ------------------------------------------------------------------------------------------------------------

FUNCTION: Mapping[str, str] = {
    "description": "a string",
    "input_schema": "an object",
    "strict": "true or false",
}
"""Key of a function tool -> what the value must be."""

FUNCTION_KEYS = OPTIONS | FUNCTION.keys() | {"type", "name"}


def _tool(tool: JsonObject, path: str) -> ToolSpec:
    unmarked, mark = take_mark(tool, path)
    given = non_null(unmarked)
    kind = expect("a string", given.get("type", "custom"), f"{path}.type")
    if refusal(kind, "anthropic") or kind == "function":
        raise InvalidToolError(f"{path}.type: {kind!r} is a tool of OpenAI's. Here a function has an `input_schema`.")
    if kind == "custom":
        expect("an object", given.get("input_schema"), f"{path}.input_schema")
        name = expect("a string", given.get("name"), f"{path}.name")
        for key, wanted in FUNCTION.items():
            if key in given:
                expect(wanted, given[key], f"{path}.{key}")
        if not (given.keys() - FUNCTION_KEYS):
            return _function(given, name, ToolSpec(name, mark=mark))
    name = str(given.get("name") or given.get("mcp_server_name") or kind)
    return ToolSpec(name, "native", definition=unmarked, mark=mark)


def _function(given: JsonObject, name: str, spec: ToolSpec) -> ToolSpec:
    return replace(
        spec,
        description=given.get("description"),
        parameters=given["input_schema"],
        strict=given.get("strict"),
        options={key: given[key] for key in OPTIONS if key in given},
    )


NO_PARALLEL = "disable_parallel_tool_use"


def _tool_choice(value: object, tools: tuple[ToolSpec, ...]) -> tuple[ToolChoice | None, JsonObject]:
    """The choice, and `parallel_tool_calls` as a parameter. `auto` with only that key is no choice."""
    if value is None:
        return None, {}
    definition = expect("an object", value, "tool_choice")
    given = non_null(definition)
    kind = expect("a string", given.get("type"), "tool_choice.type")
    if kind == "tool":
        expect("a string", given.get("name"), "tool_choice.name")
    no_parallel = expect("true or false", given.pop(NO_PARALLEL, False), f"tool_choice.{NO_PARALLEL}")
    if kind not in MODES or given.keys() != MODES[kind]:
        return ToolChoice("tool", definition=definition), {}
    parallel = {"parallel_tool_calls": False} if no_parallel else {}
    if kind == "auto" and no_parallel:
        return None, parallel
    return _choice(kind, given, tools), parallel


MODES: Mapping[str, set[str]] = {"auto": {"type"}, "any": {"type"}, "none": {"type"}, "tool": {"type", "name"}}
"""Type of a choice -> its keys. A choice with other keys goes out as it is."""


def _choice(kind: Literal["auto", "any", "none", "tool"], given: JsonObject, tools: tuple[ToolSpec, ...]) -> ToolChoice:
    if kind != "tool":
        return ToolChoice(kind)
    name = given["name"]
    # A toolset is one entry of `tools`; the names of its tools are not in the body.
    if not any(spec.name == name or "toolset" in str(spec.definition.get("type")) for spec in tools):
        raise InvalidToolError(f"tool_choice.name: {name!r} is not one of the tools.")
    return ToolChoice("tool", (name,))
