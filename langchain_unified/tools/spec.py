"""One tool in any form -> `ToolSpec`.

A tool may be a pydantic class, a TypedDict, a function, a `BaseTool`, a JSON schema, or a dict in the form of OpenAI's
APIs or of Anthropic's. A dict of a provider-defined tool (`{"type": "web_search_20250305", …}`) stays as it is. A
string is the neutral name of a provider-defined tool (`"web_search"`); `tools.server` translates it.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_unified.errors import InvalidToolError
from langchain_unified.messages.cache_marks import MARK_KEYS, mark_of, split_mark
from langchain_unified.request import JsonObject, ToolSpec
from langchain_unified.schemas.check import short
from langchain_unified.schemas.subset import COMBINATIONS, without_root_reference
from langchain_unified.tools.server.forms import NAMES

NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}

# What a tool may have beside name, description, schema and mark. Wires send those that they know, in this order.
_OPTIONS = (
    "defer_loading", "allowed_callers", "input_examples", "eager_input_streaming", "async", "output_schema", "format",
)  # fmt: skip
OPTIONS = frozenset(_OPTIONS)


def tool_spec(tool: Any, strict: bool | None = None) -> ToolSpec:
    """One tool. `strict` applies where the tool does not set it.

    Raises `InvalidToolError` for a dict without a name and for a value that is no tool.
    """
    if isinstance(tool, ToolSpec):
        return tool
    if isinstance(tool, str):
        return _by_name(tool)
    if isinstance(tool, BaseTool):
        return _base_tool(tool, strict)
    if isinstance(tool, Mapping):
        return _dict_tool(dict(tool), strict)
    return _function(converted(tool), {}, strict)


def _by_name(name: str) -> ToolSpec:
    if name in NAMES:
        return _native({"type": name}, None)
    close = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    raise InvalidToolError(
        f"There is no server tool {name!r}. {hint}By name there are {', '.join(NAMES)}; "
        "bind any other tool itself, and another provider-defined tool as a dict with its `type`."
    )


def present(mapping: Mapping[str, Any]) -> JsonObject:
    """The mapping without its None values."""
    return {key: value for key, value in mapping.items() if value is not None}


def _base_tool(tool: BaseTool, strict: bool | None) -> ToolSpec:
    extras = tool.extras or {}
    if isinstance(extras.get("provider_tool_definition"), Mapping):
        return _dict_tool({**extras["provider_tool_definition"], **_marks(extras)}, strict)
    if (tool.metadata or {}).get("type") == "custom_tool":
        custom = {"name": tool.name, "description": tool.description, "format": (tool.metadata or {}).get("format")}
        return _custom(present(custom), extras)
    found = converted(tool)
    if "\n" in tool.description:
        found["function"] = {**found["function"], "description": _without_indent(tool)}
    return _function(found, extras, strict)


def _without_indent(tool: BaseTool) -> str:
    """The description; one that is a docstring without the indent of its lines.

    From Python 3.13 on, the compiler removes it: the same tool would have two descriptions, two cached prefixes and two
    cassettes.
    """
    sources = (getattr(tool, "func", None), getattr(tool, "coroutine", None), tool.args_schema, type(tool))
    clean = inspect.cleandoc(tool.description)
    docs = (getattr(source, "__doc__", None) for source in sources)
    return clean if any(doc and inspect.cleandoc(doc) == clean for doc in docs) else tool.description


def _marks(extras: Mapping[str, Any]) -> JsonObject:
    return {key: extras[key] for key in MARK_KEYS if extras.get(key)}


def converted(tool: Any) -> JsonObject:
    """A tool as LangChain core converts it, in Chat Completions' form. Raises `InvalidToolError`."""
    if not (callable(tool) or isinstance(tool, Mapping | BaseTool)):
        raise InvalidToolError(
            f"{short(tool)} is no tool. Give a function, a pydantic class, a TypedDict, a BaseTool or a dict."
        )
    try:
        return convert_to_openai_tool(tool)
    except Exception as exc:  # core raises many kinds here, none of which names the tool
        named = tool.get("name") or tool.get("title") if isinstance(tool, Mapping) else getattr(tool, "name", None)
        label = named or getattr(tool, "__name__", None) or type(tool).__name__
        raise InvalidToolError(f"The tool {label!r} cannot be read: {exc}") from exc


def _dict_tool(tool: JsonObject, strict: bool | None) -> ToolSpec:
    kind = tool.get("type")
    if isinstance(kind, str) and kind not in SCHEMA_TYPES:
        reader = DICT_TOOLS.get(kind, _native)
        return reader(tool, strict)
    if "input_schema" in tool:
        return _anthropic_custom(tool, strict)
    if isinstance(tool.get("function"), Mapping):
        return _chat_function({**tool, "type": "function"}, strict)
    if "parameters" in tool and "name" in tool:
        return _flat_function({**tool, "type": "function"}, strict)
    if not (tool.get("name") or tool.get("title")):
        raise InvalidToolError(f"A tool has no name: {short(tool)}. Give it a `name` (or a JSON schema's `title`).")
    return _function(converted(split_mark(tool)[0]), tool, strict)


SCHEMA_TYPES = frozenset({"object", "string", "number", "integer", "boolean", "array", "null"})
"""Values of `type` in a JSON schema: such a dict is a schema, and its `type` no kind of tool."""


def _chat_function(tool: JsonObject, strict: bool | None) -> ToolSpec:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return _flat_function(tool, strict)
    # LiteLLM's callers put the mark inside `function`.
    return _function({"function": dict(function)}, {**function, **tool}, strict)


def _flat_function(tool: JsonObject, strict: bool | None) -> ToolSpec:
    return _function({"function": tool}, tool, strict)


def _function(converted: JsonObject, extras: Mapping[str, Any], strict: bool | None) -> ToolSpec:
    function = converted["function"]
    given = function.get("strict")
    for key, kind in TYPES.items():
        if not isinstance(function.get(key), kind | None):
            found = f"`{key}` {short(function[key])}, which is no {kind.__name__}"
            raise InvalidToolError(f"The tool {_name(function)!r} has the {found}.")
    return ToolSpec(
        name=_name(function),
        description=function.get("description"),
        parameters=_parameters(function),
        strict=strict if given is None else given,
        options={key: extras[key] for key in _OPTIONS if extras.get(key) is not None},
        mark=mark_of(extras),
    )


TYPES: Mapping[str, type] = {"description": str, "strict": bool}
"""Optional keys of a function beside its schema -> the type of the value."""


def _name(holder: Mapping[str, Any]) -> str:
    name = holder.get("name")
    if not isinstance(name, str):
        raise InvalidToolError(f"A tool has no name: {short(holder)}. Give it a `name`.")
    return name


def _parameters(function: Mapping[str, Any]) -> JsonObject:
    """The schema of the arguments. They are an object: a schema without `type` gets it."""
    parameters = function.get("parameters") or NO_PARAMETERS
    if not isinstance(parameters, Mapping):
        raise InvalidToolError(
            f"The tool {function.get('name')!r} has a schema that is no object: {parameters!r}. "
            "Give `parameters` (or `input_schema`) as a JSON schema."
        )
    schema = without_root_reference(parameters) if "$ref" in parameters else parameters
    if schema.get("type", "object") != "object":
        raise InvalidToolError(
            f"The schema of tool {function.get('name')!r} is of type {schema['type']!r}, but arguments are an object: "
            "put it under a property."
        )
    if "type" not in schema and not any(key in schema for key in COMBINATIONS):
        return {"type": "object", **schema}
    return schema if isinstance(schema, dict) else dict(schema)


def _anthropic_custom(tool: JsonObject, strict: bool | None) -> ToolSpec:
    function = {**tool, "parameters": tool["input_schema"]}
    return _function({"function": function}, tool, strict)


def _custom_tool(tool: JsonObject, strict: bool | None) -> ToolSpec:
    """A `custom` tool: on Anthropic a function with a schema, on OpenAI one that takes any text."""
    if "input_schema" in tool:
        return _anthropic_custom(tool, strict)
    inner = tool.get("custom")
    return _custom(inner, {**inner, **tool}) if isinstance(inner, Mapping) else _custom(tool, tool)


def _custom(custom: Mapping[str, Any], extras: Mapping[str, Any]) -> ToolSpec:
    options = {key: extras[key] for key in _OPTIONS if extras.get(key) is not None}
    if custom.get("format"):
        options["format"] = custom["format"]
    return ToolSpec(
        name=_name(custom),
        kind="custom",
        description=custom.get("description"),
        options=options,
        mark=mark_of(extras),
    )


def _native(tool: JsonObject, strict: bool | None) -> ToolSpec:
    """A provider-defined tool. LiteLLM's callers put its fields under `function.parameters`: they move up."""
    function = tool.get("function")
    if isinstance(function, Mapping):
        lifted = {**(function.get("parameters") or {}), "name": function.get("name")}
        rest = {key: value for key, value in tool.items() if key != "function"}
        tool = present({**lifted, **_marks(function), **rest})
    definition = split_mark(tool)[0]
    name = tool.get("name") or tool.get("server_label") or tool.get("mcp_server_name") or tool["type"]
    return ToolSpec(name=str(name), kind="native", definition=definition, mark=mark_of(tool))


DICT_TOOLS: Mapping[str, Callable[[JsonObject, bool | None], ToolSpec]] = {
    "function": _chat_function,
    "custom": _custom_tool,
}
