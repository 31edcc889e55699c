"""Body of `POST /chat/completions` -> Request, as a server reads it.

A value of the wrong kind is refused with the path of its key (`messages[2].content[0].text`). `null` counts as an
absent key. What only this API has is kept unchanged: a part or a tool as `native`, a key of the body in `native` or,
where the wire does not know it either, in `extra_body`.

What the encoder would write in another form is read in that form: one text part is a `str`, one stop sequence is a
list, arguments are compact JSON, a legacy function call is a tool call.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from langchain_unified.errors import InvalidToolError, RequestError
from langchain_unified.request import Dialect, JsonObject, OutputFormat, Params, Request, ToolChoice, ToolSpec
from langchain_unified.tools.choice import parse_tool_choice
from langchain_unified.tools.spec import OPTIONS, tool_spec
from langchain_unified.wires._body import each_object, expect, non_null, readable_params
from langchain_unified.wires.openai_chat import params
from langchain_unified.wires.openai_chat.params import NATIVE_KEYS
from langchain_unified.wires.openai_chat.serve.turns import read_turns

MAX_TOKENS = ("max_completion_tokens", "max_tokens")

PARAMS = readable_params(
    params.PARAMS,
    renamed={},
    read_elsewhere=frozenset({"max_tokens", "stop", "stream_options", "reasoning", "thinking"}),
)
"""Body key -> the parameter in `Params`, and the kind of its value."""

READ_KEYS = frozenset({"model", "messages", "tools", "tool_choice", "stop", "stream", "stream_options", *MAX_TOKENS})

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def read_request(body: JsonObject, headers: Mapping[str, str] = NO_HEADERS) -> Request:
    """The request of a body. Raises `RequestError` for a malformed one; no header matters here.

    `dialect` keeps the form of the body: which key had the limit, and whether a stream asked for its usage.
    """
    given = non_null(expect("an object", body, "The body"))
    tools = tuple(_tool(tool, path) for tool, path in each_object(given.get("tools"), "tools"))
    output, native = _output_or_native(given)
    neutral = _params(given)
    return Request(
        model=expect("a string", given.get("model"), "model"),
        turns=read_turns(expect("a list", given.get("messages"), "messages")),
        params=neutral,
        tools=tools,
        tool_choice=_tool_choice(given["tool_choice"], tools) if "tool_choice" in given else None,
        output=output,
        native=native,
        extra_body={key: value for key, value in body.items() if not _known(key)},
        stream=expect("true or false", given.get("stream", False), "stream"),
        dialect=_dialect(given),
    )


def _known(key: str) -> bool:
    return key in PARAMS or key in READ_KEYS or key in NATIVE_KEYS


def _dialect(given: JsonObject) -> Dialect:
    only_old = "max_tokens" in given
    return Dialect(
        max_tokens_key="max_tokens" if only_old else "max_completion_tokens",
        stream_usage=bool(given.get("stream_options", {}).get("include_usage")),
    )


def _params(given: JsonObject) -> Params:
    found = {name: expect(kind, given[key], key) for key, (name, kind) in PARAMS.items() if key in given}
    limits = [key for key in MAX_TOKENS if key in given]
    if len(limits) > 1:
        raise RequestError("max_tokens and max_completion_tokens mean the same: send only one of them.")
    for key in limits:
        found["max_tokens"] = expect("an integer", given[key], key)
    if "stop" in given:
        stop = given["stop"]
        found["stop"] = [stop] if isinstance(stop, str) else expect("a list of strings", stop, "stop")
    if "stream_options" in given:
        options = expect("an object", given["stream_options"], "stream_options")
        # The encoder asks for the usage by itself.
        rest = {key: value for key, value in options.items() if (key, value) != ("include_usage", True)}
        found |= {"stream_options": rest} if rest else {}
    return cast(Params, found)


def _output_or_native(given: JsonObject) -> tuple[OutputFormat | None, JsonObject]:
    """The format of the answer, and the API's own keys; a format that `OutputFormat` lacks is one of them."""
    native = {key: value for key, value in given.items() if key in NATIVE_KEYS and key not in MAX_TOKENS}
    asked = native.get("response_format")
    output = None if asked is None else _output(expect("an object", asked, "response_format"))
    if output is not None:
        del native["response_format"]
    return output, native


SCHEMA_KEYS = {"name": "a string", "schema": "an object", "description": "a string", "strict": "true or false"}


def _output(asked: JsonObject) -> OutputFormat | None:
    kind = expect("a string", asked.get("type"), "response_format.type")
    if kind in ("text", "json_object") and len(asked) == 1:
        return OutputFormat(cast(Any, kind))
    if kind != "json_schema":
        return None
    path = "response_format.json_schema"
    inner = non_null(expect("an object", asked.get("json_schema"), path))
    for key, wanted in SCHEMA_KEYS.items():
        if key in inner or key == "name":
            expect(wanted, inner.get(key), f"{path}.{key}")
    complete = "schema" in inner and inner.keys() <= SCHEMA_KEYS.keys() and asked.keys() == {"type", "json_schema"}
    return OutputFormat("json_schema", **inner) if complete else None


# --- tools ------------------------------------------------------------------------------------------------------------

OUTER_KEYS = OPTIONS | {"type", "cache_control"}
INNER_KEYS = {
    "function": OPTIONS | {"name", "description", "parameters", "strict", "cache_control"},
    "custom": frozenset({"name", "description", "format"}),
}
TOOL_VALUES = {"description": "a string", "parameters": "an object", "strict": "true or false", "format": "an object"}


def _tool(tool: JsonObject, path: str) -> ToolSpec:
    kind = expect("a string", tool.get("type"), f"{path}.type")
    if kind not in INNER_KEYS:
        return tool_spec(tool)
    inner = non_null(expect("an object", tool.get(kind), f"{path}.{kind}"))
    name = expect("a string", inner.get("name"), f"{path}.{kind}.name")
    if not name:
        raise RequestError(f"{path}.{kind}.name is empty: a tool needs a name.")
    for key, wanted in TOOL_VALUES.items():
        if key in inner:
            expect(wanted, inner[key], f"{path}.{kind}.{key}")
    outer = non_null(tool)
    marked = [holder["cache_control"] for holder in (outer, inner) if "cache_control" in holder]
    plain = inner.keys() <= INNER_KEYS[kind] and outer.keys() <= OUTER_KEYS | {kind}
    if not plain or not all(isinstance(mark, dict) for mark in marked):
        return ToolSpec(name=name, kind="native", definition=tool)
    return tool_spec({**outer, kind: inner})


CHOICE_MODES = ("none", "auto", "required")


def _tool_choice(value: Any, tools: tuple[ToolSpec, ...]) -> ToolChoice | None:
    if isinstance(value, str):
        if value not in CHOICE_MODES:
            raise RequestError(f"tool_choice must be one of {', '.join(CHOICE_MODES)} or an object, not {value!r}.")
    else:
        _check_choice(expect("an object", value, "tool_choice"))
    try:
        return parse_tool_choice(value, tools)
    except InvalidToolError as exc:
        raise InvalidToolError(f"tool_choice: {exc}") from exc


def _check_choice(value: JsonObject) -> None:
    kind = expect("a string", value.get("type"), "tool_choice.type")
    if kind in INNER_KEYS:
        _check_reference(value, "tool_choice")
    if kind == "allowed_tools":
        inner = expect("an object", value.get(kind), f"tool_choice.{kind}")
        path = f"tool_choice.{kind}.tools"
        for reference, place in each_object(expect("a list", inner.get("tools"), path), path):
            _check_reference(reference, place)


def _check_reference(value: JsonObject, path: str) -> None:
    kind = expect("a string", value.get("type"), f"{path}.type")
    inner = expect("an object", value.get(kind), f"{path}.{kind}")
    expect("a string", inner.get("name"), f"{path}.{kind}.name")
