"""Body of `POST /responses` -> Request, as a server reads it.

A value of the wrong kind is refused with the path of its key (`input[2].content[0].text`). `null` counts as an absent
key. What only this API has is kept unchanged: an item, a part or a tool as `native`, a key of the body in `native` or,
where the wire does not know it either, in `extra_body`. `instructions` is such a key: it belongs to one call, a system
message to the conversation.

What the encoder would write in another form is read in that form: an `input` string is a user's message, one text part
is a `str`, arguments are compact JSON, the deprecated `user` is `safety_identifier`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from langchain_unified.errors import RequestError
from langchain_unified.request import JsonObject, OutputFormat, Params, Request, ToolChoice, ToolSpec
from langchain_unified.tools.spec import tool_spec
from langchain_unified.wires._body import each_object, expect, non_null, readable_params
from langchain_unified.wires.openai_responses import params
from langchain_unified.wires.openai_responses.params import NATIVE_KEYS, may_reason
from langchain_unified.wires.openai_responses.serve.turns import read_turns
from langchain_unified.wires.openai_responses.tools import OPTIONS, encode_tool_choice

PARAMS = readable_params(
    params.PARAMS,
    renamed={"max_tokens": "max_output_tokens", "user": "safety_identifier"},
    read_elsewhere=frozenset({"logprobs", "verbosity", "reasoning_effort", "reasoning", "thinking"}),
)
"""Body key -> the parameter in `Params`, and the kind of its value."""

NATIVE: Mapping[str, str] = {
    "background": "true or false",
    "instructions": "a string",
    "max_tool_calls": "an integer",
    "previous_response_id": "a string",
    "truncation": "a string",
}
"""The API's own keys whose kind of value is checked."""

READ_KEYS = frozenset({"model", "input", "tools", "tool_choice", "stream", "reasoning", "text", "include", *PARAMS})
# Each of these refers to a conversation, so that `input` may be absent.
STATES = ("previous_response_id", "conversation", "prompt")

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def read_request(body: JsonObject, headers: Mapping[str, str] = NO_HEADERS) -> Request:
    """The request of a body. Raises `RequestError` for a malformed one; no header matters here."""
    given = non_null(expect("an object", body, "The body"))
    if "input" not in given and not any(key in given for key in STATES):
        raise RequestError("input must be a string or a list of items, not null (or absent).")
    tools = tuple(_tool(tool, path) for tool, path in each_object(given.get("tools"), "tools"))
    output, text = _text(given)
    neutral = _params(given)
    native = {key: value for key, value in given.items() if key in NATIVE_KEYS and key not in READ_KEYS}
    for key in NATIVE.keys() & native.keys():
        expect(NATIVE[key], native[key], key)
    return Request(
        model=expect("a string", given.get("model"), "model"),
        turns=read_turns(given.get("input")),
        params=neutral,
        tools=tools,
        tool_choice=_tool_choice(given["tool_choice"], tools) if "tool_choice" in given else None,
        output=output,
        native={**native, **text, **_include(given, neutral)},
        extra_body=_unknown(body),
        stream=expect("true or false", given.get("stream", False), "stream"),
    )


def _unknown(body: JsonObject) -> JsonObject:
    known = NATIVE_KEYS | READ_KEYS
    if body.get("safety_identifier") is None:
        known |= {"user"}
    return {key: value for key, value in body.items() if key not in known}


def _params(given: JsonObject) -> Params:
    found = {name: expect(kind, given[key], key) for key, (name, kind) in PARAMS.items() if key in given}
    if "user" in given and "user" not in found:
        found["user"] = expect("a string", given["user"], "user")
    if LOGPROBS in _included(given):
        found["logprobs"] = True
    verbosity = expect("an object", given.get("text", {}), "text").get("verbosity")
    if verbosity is not None:
        found["verbosity"] = expect("a string", verbosity, "text.verbosity")
    return cast(Params, {**found, **_reasoning(expect("an object", given.get("reasoning", {}), "reasoning"))})


def _reasoning(given: JsonObject) -> JsonObject:
    """The effort as the neutral parameter, the rest unchanged."""
    found: JsonObject = {}
    if given.get("effort") is not None:
        found["reasoning_effort"] = expect("a string", given["effort"], "reasoning.effort")
        given = {key: value for key, value in given.items() if key != "effort"}
    return {**found, "reasoning": given} if given else found


LOGPROBS, ENCRYPTED = "message.output_text.logprobs", "reasoning.encrypted_content"


def _included(given: JsonObject) -> list[str]:
    return cast("list[str]", expect("a list of strings", given.get("include", []), "include"))


def _include(given: JsonObject, neutral: Params) -> JsonObject:
    """What a body includes beside what its parameters include by themselves."""
    implied = {LOGPROBS}
    if neutral.get("store") is False and may_reason(Request("", (), neutral)):
        implied.add(ENCRYPTED)
    rest = [name for name in _included(given) if name not in implied]
    return {"include": rest} if rest else {}


# --- the format of the answer -----------------------------------------------------------------------------------------

FORMAT: Mapping[str, str] = {
    "type": "a string",
    "name": "a string",
    "schema": "an object",
    "description": "a string",
    "strict": "true or false",
}


def _text(given: JsonObject) -> tuple[OutputFormat | None, JsonObject]:
    """`text.format`, and the rest of `text` without the verbosity; a format that `OutputFormat` lacks stays in it."""
    text = non_null(expect("an object", given.get("text", {}), "text"))
    asked = text.get("format")
    output = None if asked is None else _output(non_null(expect("an object", asked, "text.format")))
    read = {"verbosity"} if output is None else {"verbosity", "format"}
    rest = {key: value for key, value in text.items() if key not in read}
    return output, {"text": rest} if rest else {}


def _output(asked: JsonObject) -> OutputFormat | None:
    for key in FORMAT.keys() & asked.keys() | {"type"}:
        expect(FORMAT[key], asked.get(key), f"text.format.{key}")
    kind = asked["type"]
    if kind in ("text", "json_object") and len(asked) == 1:
        return OutputFormat(kind)
    if kind != "json_schema":
        return None
    for key in ("name", "schema"):
        expect(FORMAT[key], asked.get(key), f"text.format.{key}")
    if asked.keys() - FORMAT.keys():
        return None
    return OutputFormat(kind, asked["schema"], asked["name"], asked.get("description"), asked.get("strict"))


# --- tools ------------------------------------------------------------------------------------------------------------

TOOL_KEYS: Mapping[str, frozenset[str]] = {
    "function": OPTIONS | {"type", "name", "description", "parameters", "strict"},
    "custom": OPTIONS | {"type", "name", "description", "format"},
}
TOOL_VALUES: Mapping[str, str] = {
    "description": "a string",
    "parameters": "an object",
    "strict": "true or false",
    "format": "an object",
    "defer_loading": "true or false",
    "async": "true or false",
    "allowed_callers": "a list of strings",
    "output_schema": "an object",
}


def _tool(tool: JsonObject, path: str) -> ToolSpec:
    kind = expect("a string", tool.get("type"), f"{path}.type")
    if kind not in TOOL_KEYS:
        name = next((tool[key] for key in ("name", "server_label") if tool.get(key)), kind)
        return ToolSpec(str(name), kind="native", definition=tool)
    given = non_null(tool)
    if not expect("a string", given.get("name"), f"{path}.name"):
        raise RequestError(f"{path}.name is empty: a tool needs a name.")
    for key in TOOL_VALUES.keys() & given.keys():
        expect(TOOL_VALUES[key], given[key], f"{path}.{key}")
    if given.keys() - TOOL_KEYS[kind] or _nested(given.get("format")):
        return ToolSpec(given["name"], kind="native", definition=tool)
    return tool_spec(given)


def _nested(form: Any) -> bool:
    """Whether a grammar has the form of Chat Completions, which this API refuses and the encoder would adapt."""
    return isinstance(form, dict) and (not form or "grammar" in form)


MODES: Mapping[str, ToolChoice] = {
    "none": ToolChoice("none"),
    "auto": ToolChoice("auto"),
    "required": ToolChoice("any"),
}


def _tool_choice(value: Any, tools: tuple[ToolSpec, ...]) -> ToolChoice:
    """The choice. Its tools are not looked up: they may be in the input, too."""
    if isinstance(value, str):
        if value not in MODES:
            raise RequestError(f"tool_choice must be one of {', '.join(MODES)} or an object, not {value!r}.")
        return MODES[value]
    kind = expect("a string", expect("an object", value, "tool_choice").get("type"), "tool_choice.type")
    unchanged = ToolChoice("tool", definition=value)
    choice = CHOICES[kind](value) if kind in CHOICES else unchanged
    return choice if encode_tool_choice(Request("", (), tools=tools, tool_choice=choice)) == value else unchanged


def _one_tool(value: JsonObject) -> ToolChoice:
    return ToolChoice("tool", (expect("a string", value.get("name"), "tool_choice.name"),))


def _allowed(value: JsonObject) -> ToolChoice:
    path = "tool_choice.tools"
    names = [_name(tool, place) for tool, place in each_object(expect("a list", value.get("tools"), path), path)]
    return ToolChoice("allowed", tuple(names), required=value.get("mode") == "required")


def _name(tool: JsonObject, path: str) -> str:
    kind = expect("a string", tool.get("type"), f"{path}.type")
    if kind in TOOL_KEYS:
        return cast(str, expect("a string", tool.get("name"), f"{path}.name"))
    return str(tool.get("name") or tool.get("server_label") or kind)


CHOICES: Mapping[str, Callable[[JsonObject], ToolChoice]] = {
    "function": _one_tool,
    "custom": _one_tool,
    "allowed_tools": _allowed,
}
