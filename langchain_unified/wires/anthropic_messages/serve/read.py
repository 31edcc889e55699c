"""Body of `POST /v1/messages` -> Request, as a server reads it.

A value of the wrong kind is refused by the path of its key (`messages[2].content[0].text`). `null` says what an absent
key says. What only this API has, and has no word in our vocabulary, is kept as it is: a block or a tool as `native`, a
key of the body in `native` or, unknown to the wire as well, in `extra_body`.

What our encoder would write in another way comes back in the encoder's way: text of a message is a list of one block,
turns of one role that stand together are one message, a strict schema is closed, `output_format`, the former place of
the answer's schema, is `output_config.format`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

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
"""The keys that are one parameter: its name in `Params`, and what the value must be."""

OWN_KINDS: Mapping[str, str] = {
    "billing_policy": "an object",
    "cache_control": "an object",
    "compaction": "an object",
    "context_management": "an object",
    "diagnostics": "an object",
    "inference_geo": "a string",
    "mcp_servers": "a list",
    "thread": "an object",
}

TIERS = {"auto": "auto", "standard_only": "default"}

SETTLED = frozenset(
    {"model", "messages", "system", "tools", "tool_choice", "stream", "service_tier", "output_config", *PARAMS}
)

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def read_request(body: JsonObject, headers: Mapping[str, str] = NO_HEADERS) -> Request:
    """The request that a body and its headers ask for. Raises `RequestError` for a body that is none.

    `profile` holds what the body shows of its model: with it the encoder makes the same body again.
    """
    body = _modern(expect("an object", body, "The body"))
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
        native={**_native(given), **native, **_from_headers(headers)},
        extra_body={key: value for key, value in body.items() if not _known(key, value)},
        betas=_betas(given, headers),
        stream=expect("true or false", given.get("stream", False), "stream"),
    )
    return _shown_by(request)


def _modern(body: JsonObject) -> JsonObject:
    """The body with the former `output_format` where it stands today."""
    asked, config = body.get("output_format"), body.get("output_config") or {}
    if not isinstance(asked, dict) or not isinstance(config, dict) or config.get("format") is not None:
        return body
    rest = {key: value for key, value in body.items() if key != "output_format"}
    return {**rest, "output_config": {**config, "format": asked}}


def _known(key: str, value: Any) -> bool:
    """Whether a key is said in another place than `extra_body`."""
    if key == "metadata":
        return not value or _user(value) is not None
    return key in SETTLED or key in BODY_KEYS


def _messages(given: JsonObject) -> list[Any]:
    messages: list[Any] = expect("a list", given.get("messages"), "messages")
    if not messages:
        raise RequestError("messages is empty: at least one message is needed.")
    return messages


def _shown_by(request: Request) -> Request:
    """The request with the profile that its own body shows.

    An effort beside summarised, adaptive thinking is what the encoder makes of an effort alone.
    """
    effort = request.params.get("reasoning_effort")
    levels = (effort,) if effort else ()
    if not effort or request.params.get("thinking") != SUMMARIZED:
        return replace(request, profile=Profile(effort_levels=levels, system_in_messages=True))
    rest = {key: value for key, value in request.params.items() if key != "thinking"}
    profile = Profile(effort_levels=levels, thinking="adaptive", system_in_messages=True)
    return replace(request, params=cast(Params, rest), profile=profile)


# --- parameters and own keys ------------------------------------------------------------------------------------------


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


def _user(metadata: Any) -> str | None:
    """The `user_id`, where `metadata` has it and nothing else."""
    said = non_null(expect("an object", metadata, "metadata"))
    if "user_id" in said:
        expect("a string", said["user_id"], "metadata.user_id")
    return said["user_id"] if said.keys() == {"user_id"} else None


def _config(given: JsonObject) -> tuple[OutputFormat | None, JsonObject, JsonObject]:
    """The form of the answer, what else `output_config` says as native keys, and the effort as a parameter."""
    config = non_null(expect("an object", given.get("output_config", {}), "output_config"))
    output = _format(config.get("format"), "output_config.format")
    if output is not None:
        del config["format"]
    params: JsonObject = {}
    if config.get("effort", "none") != "none":
        params["reasoning_effort"] = expect("a string", config.pop("effort"), "output_config.effort")
    return output, {"output_config": config} if config else {}, params


def _format(value: Any, path: str) -> OutputFormat | None:
    if value is None:
        return None
    asked = expect("an object", value, path)
    if asked.get("type") != "json_schema":
        raise RequestError(f"{path}.type must be 'json_schema', not {asked.get('type')!r}.")
    schema = expect("an object", asked.get("schema"), f"{path}.schema")
    return OutputFormat("json_schema", schema) if asked.keys() == {"type", "schema"} else None


def _native(given: JsonObject) -> JsonObject:
    own = {key: value for key, value in given.items() if key in BODY_KEYS and key not in SETTLED}
    for key, kind in OWN_KINDS.items():
        if key in own:
            expect(kind, own[key], key)
    list(each_object(own.get("mcp_servers"), "mcp_servers"))
    list(each_object(own.get("context_management", {}).get("edits"), "context_management.edits"))
    if own.get("speed") == "fast" and "service_tier" not in given:
        del own["speed"]
    return own


# --- headers ----------------------------------------------------------------------------------------------------------


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _from_headers(headers: Mapping[str, str]) -> JsonObject:
    found = _lowered(headers)
    return {key: found[name] for key, name in HEADERS.items() if name in found}


def _betas(given: JsonObject, headers: Mapping[str, str]) -> tuple[str, ...]:
    """The names that the caller asked for, without those that the body needs anyway."""
    asked = [name.strip() for name in _lowered(headers).get("anthropic-beta", "").split(",")]
    needed = betas(given, ())
    return tuple(name for name in dict.fromkeys(asked) if name and name not in needed)


# --- tools ------------------------------------------------------------------------------------------------------------

FUNCTION: Mapping[str, str] = {
    "description": "a string",
    "input_schema": "an object",
    "strict": "true or false",
}
FUNCTION_KEYS = OPTIONS | FUNCTION.keys() | {"type", "name"}


def _tool(tool: JsonObject, path: str) -> ToolSpec:
    bare, mark = take_mark(tool, path)
    given = non_null(bare)
    kind = expect("a string", given.get("type", "custom"), f"{path}.type")
    if refusal(kind, "anthropic") or kind == "function":
        raise InvalidToolError(f"{path}.type: {kind!r} is a tool of OpenAI's. A function here has `input_schema`.")
    if kind == "custom":
        expect("an object", given.get("input_schema"), f"{path}.input_schema")
        name = expect("a string", given.get("name"), f"{path}.name")
        for key, wanted in FUNCTION.items():
            if key in given:
                expect(wanted, given[key], f"{path}.{key}")
        if not (given.keys() - FUNCTION_KEYS):
            return _function(given, name, ToolSpec(name, mark=mark))
    name = str(given.get("name") or given.get("mcp_server_name") or kind)
    return ToolSpec(name, "native", definition=bare, mark=mark)


def _function(given: JsonObject, name: str, spec: ToolSpec) -> ToolSpec:
    return replace(
        spec,
        description=given.get("description"),
        parameters=given["input_schema"],
        strict=given.get("strict"),
        options={key: given[key] for key in OPTIONS if key in given},
    )


NO_PARALLEL = "disable_parallel_tool_use"


def _tool_choice(value: Any, tools: tuple[ToolSpec, ...]) -> tuple[ToolChoice | None, JsonObject]:
    """The choice, and what it says of parallel calls as a parameter. `auto` beside that word is no choice."""
    if value is None:
        return None, {}
    given = non_null(expect("an object", value, "tool_choice"))
    kind = expect("a string", given.get("type"), "tool_choice.type")
    if kind == "tool":
        expect("a string", given.get("name"), "tool_choice.name")
    alone = expect("true or false", given.pop(NO_PARALLEL, False), f"tool_choice.{NO_PARALLEL}")
    if kind not in MODES or given.keys() != MODES[kind]:
        return ToolChoice("tool", definition=value), {}
    parallel = {"parallel_tool_calls": False} if alone else {}
    if kind == "auto" and alone:
        return None, parallel
    return _choice(kind, given, tools), parallel


MODES: Mapping[str, set[str]] = {"auto": {"type"}, "any": {"type"}, "none": {"type"}, "tool": {"type", "name"}}


def _choice(kind: Any, given: JsonObject, tools: tuple[ToolSpec, ...]) -> ToolChoice:
    if kind != "tool":
        return ToolChoice(kind)
    name = given["name"]
    # The tools of a toolset have names that the body does not say.
    if not any(spec.name == name or "toolset" in str(spec.definition.get("type")) for spec in tools):
        raise InvalidToolError(f"tool_choice.name: {name!r} is none of the tools.")
    return ToolChoice("tool", (name,))
