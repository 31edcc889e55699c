"""Anything tool-like -> `ToolSpec`, any way to say a tool choice -> `ToolChoice`.

A tool may be a pydantic class, a TypedDict, a function, a `BaseTool`, a JSON schema, or a dict in OpenAI's form (chat
or responses), in Anthropic's, or a provider's own (`{"type": "web_search_20250305", …}`), which goes through as it is.
A string is the neutral name of a tool that the providers define (`"web_search"`); `server_tools` translates those.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_unified.blocks import mark_of
from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject, OutputFormat, ToolChoice, ToolSpec
from langchain_unified.server_tools_forms import NAMES

NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}

# What a tool may say beside name, description, schema and mark. Wires send the ones they have, in this order.
_OPTIONS = (
    "defer_loading", "allowed_callers", "input_examples", "eager_input_streaming", "async", "output_schema", "format",
)  # fmt: skip
OPTIONS = frozenset(_OPTIONS)


def tool_spec(tool: Any, strict: bool | None = None) -> ToolSpec:
    """One tool, whatever it was written as. `strict` stands where the tool does not say it itself.

    Raises `InvalidToolError` for a dict without a name and for what is no tool at all.
    """
    if isinstance(tool, ToolSpec):
        return tool
    if isinstance(tool, str):
        return _by_name(tool)
    if isinstance(tool, BaseTool):
        return _base_tool(tool, strict)
    if isinstance(tool, Mapping):
        return _dict_tool(dict(tool), strict)
    return _function(_converted(tool), {}, strict)


def _by_name(name: str) -> ToolSpec:
    if name in NAMES:
        return _native({"type": name}, None)
    close = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    raise InvalidToolError(
        f"There is no server tool {name!r}. {hint}By name there are {', '.join(NAMES)}; "
        "give any other tool itself, or a provider's own as a dict with its `type`."
    )


def tool_specs(tools: Sequence[Any], strict: bool | None = None) -> tuple[ToolSpec, ...]:
    """All the tools of a call."""
    return tuple(tool_spec(tool, strict) for tool in tools)


def check_names(specs: Sequence[ToolSpec]) -> None:
    """Raise `InvalidToolError` for two tools of one name: their calls could not be told apart."""
    seen: set[str] = set()
    for spec in specs:
        # A provider's own tool may be called otherwise than it was bound: `code_interpreter` is, on Anthropic.
        name = str(spec.definition.get("name") or spec.name)
        if name in seen:
            raise InvalidToolError(f"Two tools are named {name!r}. Give each tool a name of its own.")
        seen.add(name)


def tool_dict(spec: ToolSpec) -> JsonObject:
    """A tool as the neutral dict that `bind_tools` binds: OpenAI's chat form, options and mark beside it."""
    marks = {} if spec.mark is None else {"cache_control": {"type": "ephemeral", **spec.mark}}
    if spec.kind == "native":
        return {**spec.definition, **marks}
    if spec.kind == "custom":
        custom = {"name": spec.name, "description": spec.description, "format": spec.options.get("format")}
        return {"type": "custom", "custom": _present(custom), **marks}
    function = {
        "name": spec.name,
        "description": spec.description,
        "parameters": spec.parameters,
        "strict": spec.strict,
    }
    return {"type": "function", "function": _present(function), **spec.options, **marks}


def _present(mapping: Mapping[str, Any]) -> JsonObject:
    return {key: value for key, value in mapping.items() if value is not None}


def _base_tool(tool: BaseTool, strict: bool | None) -> ToolSpec:
    extras = tool.extras or {}
    if isinstance(extras.get("provider_tool_definition"), Mapping):
        return _dict_tool({**extras["provider_tool_definition"], **_marks(extras)}, strict)
    if (tool.metadata or {}).get("type") == "custom_tool":
        custom = {"name": tool.name, "description": tool.description, "format": (tool.metadata or {}).get("format")}
        return _custom(_present(custom), extras)
    return _function(_converted(tool), extras, strict)


def _marks(extras: Mapping[str, Any]) -> JsonObject:
    return {"cache_control": extras["cache_control"]} if extras.get("cache_control") else {}


def _converted(tool: Any) -> JsonObject:
    try:
        return convert_to_openai_tool(tool)
    except Exception as exc:  # core raises many kinds here, none of which names the tool
        label = getattr(tool, "__name__", None) or getattr(tool, "name", None) or type(tool).__name__
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
        raise InvalidToolError(f"A tool has no name: {_short(tool)}. Give it a `name` (or a JSON schema's `title`).")
    return _function(_converted(tool), tool, strict)


def _short(tool: Mapping[str, Any]) -> str:
    text = repr(dict(tool))
    return text if len(text) <= 120 else text[:117] + "..."


# A JSON schema's own `type`, which is no kind of tool.
SCHEMA_TYPES = frozenset({"object", "string", "number", "integer", "boolean", "array", "null"})


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
    said = function.get("strict")
    return ToolSpec(
        name=_name(function),
        description=function.get("description"),
        parameters=_parameters(function),
        strict=strict if said is None else said,
        options={key: extras[key] for key in _OPTIONS if extras.get(key) is not None},
        mark=mark_of(extras),
    )


def _name(holder: Mapping[str, Any]) -> str:
    name = holder.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidToolError(f"A tool has no name: {_short(holder)}. Give it a `name`.")
    return name


def _parameters(function: Mapping[str, Any]) -> JsonObject:
    parameters = function.get("parameters") or NO_PARAMETERS
    if not isinstance(parameters, Mapping):
        raise InvalidToolError(
            f"The tool {function.get('name')!r} has a schema that is no object: {parameters!r}. "
            "Give `parameters` (or `input_schema`) as a JSON schema."
        )
    return dict(parameters)


def _anthropic_custom(tool: JsonObject, strict: bool | None) -> ToolSpec:
    function = {**tool, "parameters": tool["input_schema"]}
    return _function({"function": function}, tool, strict)


def _custom_tool(tool: JsonObject, strict: bool | None) -> ToolSpec:
    """`custom` is Anthropic's word for a function with a schema, and OpenAI's for a free-form tool."""
    if "input_schema" in tool:
        return _anthropic_custom(tool, strict)
    inner = tool.get("custom")
    return _custom(inner if isinstance(inner, Mapping) else tool, tool)


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
    """A provider's own tool. LiteLLM's callers put its fields under `function.parameters`: they are lifted."""
    function = tool.get("function")
    if isinstance(function, Mapping):
        lifted = {**(function.get("parameters") or {}), "name": function.get("name")}
        tool = _present({**lifted, **{key: value for key, value in tool.items() if key != "function"}})
    definition = {key: value for key, value in tool.items() if key != "cache_control"}
    name = tool.get("name") or tool.get("server_label") or tool.get("mcp_server_name") or tool["type"]
    return ToolSpec(name=str(name), kind="native", definition=definition, mark=mark_of(tool))


DICT_TOOLS: Mapping[str, Callable[[JsonObject, bool | None], ToolSpec]] = {
    "function": _chat_function,
    "custom": _custom_tool,
}


# --- tool choice ------------------------------------------------------------------------------------------------------

WORDS: Mapping[str, ToolChoice] = {
    "auto": ToolChoice("auto"),
    "any": ToolChoice("any"),
    "required": ToolChoice("any"),
    "none": ToolChoice("none"),
}


def tool_choice(value: Any, tools: Sequence[ToolSpec]) -> ToolChoice | None:
    """A tool choice in either provider's words; `None` where the caller made none.

    Takes `auto`, `any`/`required`/`True`, `none`, a tool's name, a list of names (only those may be called), or either
    provider's dict. Raises `InvalidToolError` for a name that is not among the tools, and for a choice that forces a
    call when there are none.
    """
    if value is None or value is False:
        return None
    choice = _choice(value)
    _check_choice(choice, tools)
    return choice


def _choice(value: Any) -> ToolChoice:
    if value is True:
        return ToolChoice("any")
    if isinstance(value, ToolChoice):
        return value
    if isinstance(value, str):
        return WORDS.get(value) or ToolChoice("tool", (value,))
    if isinstance(value, Mapping):
        return CHOICE_DICTS.get(str(value.get("type")), _own_choice)(dict(value))
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return ToolChoice("allowed", tuple(value))
    raise InvalidToolError(
        f"tool_choice {value!r} is not understood. "
        "Use 'auto', 'any', 'none', a tool's name, a list of names, or either provider's dict."
    )


def _check_choice(choice: ToolChoice, tools: Sequence[ToolSpec]) -> None:
    if choice.mode in ("any", "tool", "allowed") and not tools:
        raise InvalidToolError("tool_choice forces a tool call, but no tools are bound. Bind tools, or leave it out.")
    if choice.mode == "allowed" and not choice.names:
        raise InvalidToolError("tool_choice allows no tool: its list is empty. Use 'none' to forbid calls.")
    known = {spec.name for spec in tools} | {str(spec.definition.get("type")) for spec in tools if spec.definition}
    missing = [name for name in choice.names if name not in known]
    if missing:
        bound = ", ".join(sorted(spec.name for spec in tools))
        raise InvalidToolError(f"tool_choice names {missing[0]!r}, which is not bound. Bound tools: {bound}.")


def _word(value: JsonObject) -> ToolChoice:
    return WORDS[value["type"]]


def _named(value: JsonObject) -> ToolChoice:
    inner = value.get(value["type"])
    holder = inner if isinstance(inner, Mapping) else value
    return ToolChoice("tool", (_name(holder),))


def _allowed(value: JsonObject) -> ToolChoice:
    inner = value.get("allowed_tools")
    holder = inner if isinstance(inner, Mapping) else value
    names = tuple(_tool_name(tool) for tool in holder.get("tools", ()))
    return ToolChoice("allowed", names, required=holder.get("mode") == "required")


def _tool_name(tool: Mapping[str, Any]) -> str:
    inner = tool.get("function") or tool.get("custom") or tool
    return str(inner.get("name") or tool.get("server_label") or tool.get("type"))


def _own_choice(value: JsonObject) -> ToolChoice:
    """A form that only one provider has (`{"type": "web_search"}`, `{"type": "mcp", …}`)."""
    if not isinstance(value.get("type"), str):
        raise InvalidToolError(f"tool_choice {value!r} has no `type`.")
    return ToolChoice("tool", definition=value)


CHOICE_DICTS: Mapping[str, Callable[[JsonObject], ToolChoice]] = {
    "auto": _word,
    "any": _word,
    "required": _word,
    "none": _word,
    "tool": _named,
    "function": _named,
    "custom": _named,
    "allowed_tools": _allowed,
}


def parallel_in(value: Any) -> bool | None:
    """What Anthropic's dict says of parallel calls: `False` with `disable_parallel_tool_use`, else `None`."""
    if isinstance(value, Mapping) and value.get("disable_parallel_tool_use"):
        return False
    return None


# --- response_format --------------------------------------------------------------------------------------------------


def output_format(value: Any, strict: bool | None = None) -> OutputFormat | None:
    """`response_format` in either OpenAI form, a bare JSON schema, or a pydantic class or TypedDict.

    Raises `InvalidToolError` for what has no schema.
    """
    if value is None or isinstance(value, OutputFormat):
        return value
    if not isinstance(value, Mapping):
        function = _converted(value)["function"]
        return OutputFormat("json_schema", function.get("parameters") or {}, function["name"], strict=strict)
    kind = value.get("type")
    if kind == "json_object" and isinstance(value.get("json_schema"), Mapping):
        return replace(_json_schema(value["json_schema"], None), kind="json_object")  # for who has no JSON mode
    if kind in ("text", "json_object"):
        return OutputFormat(kind)
    if kind == "json_schema":
        inner = value.get("json_schema")
        return _json_schema(inner if isinstance(inner, Mapping) else value, strict)
    if "properties" in value or kind in SCHEMA_TYPES or "$defs" in value:
        return OutputFormat("json_schema", dict(value), str(value.get("title") or "response"), strict=strict)
    raise InvalidToolError(f"response_format {_short(value)} is not understood: give a JSON schema or OpenAI's form.")


def _json_schema(holder: Mapping[str, Any], strict: bool | None) -> OutputFormat:
    schema = holder.get("schema")
    if not isinstance(schema, Mapping):
        raise InvalidToolError("response_format of type json_schema has no `schema` object.")
    said = holder.get("strict")
    return OutputFormat(
        "json_schema",
        dict(schema),
        str(holder.get("name") or schema.get("title") or "response"),
        cast("str | None", holder.get("description")),
        strict if said is None else bool(said),
    )
