"""The tools of a call, and the choice among them.

`tool_forms` reads one tool, whatever it was written as. Here are lists of them, the neutral dicts that `bind_tools`
binds, any way to say a tool choice -> `ToolChoice`, and any way to say `response_format` -> `OutputFormat`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject, OutputFormat, ToolChoice, ToolSpec
from langchain_unified.schemas import rooted
from langchain_unified.schemas.check import short
from langchain_unified.schemas.sound import Sound, sound
from langchain_unified.tool_forms import SCHEMA_TYPES, converted, present, tool_spec


def tool_specs(tools: Sequence[Any], strict: bool | None = None) -> tuple[ToolSpec, ...]:
    """All the tools of a call, their schemas checked. Raises `InvalidToolError`, with the tool and the field."""
    if isinstance(tools, str | Mapping | BaseModel) or not isinstance(tools, Iterable):
        raise InvalidToolError(f"Tools are given as a list, not as {short(tools)}: put it in brackets.")
    return tuple(_sound(tool_spec(tool, strict)) for tool in tools)


def _sound(spec: ToolSpec) -> ToolSpec:
    if spec.kind != "function" or isinstance(spec.parameters, Sound):
        return spec
    return replace(spec, parameters=sound(spec.parameters, f"tool {spec.name!r}"))


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
        options = {key: value for key, value in spec.options.items() if key != "format"}
        return {"type": "custom", "custom": present(custom), **options, **marks}
    function = {
        "name": spec.name,
        "description": spec.description,
        "parameters": spec.parameters,
        "strict": spec.strict,
    }
    return {"type": "function", "function": present(function), **spec.options, **marks}


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
    name = (inner if isinstance(inner, Mapping) else value).get("name")
    if not isinstance(name, str):
        raise InvalidToolError(f"tool_choice {short(value)} has no `name`.")
    return ToolChoice("tool", (name,))


def _allowed(value: JsonObject) -> ToolChoice:
    inner = value.get("allowed_tools")
    holder = inner if isinstance(inner, Mapping) else value
    mode = holder.get("mode", "auto")
    if mode not in ("auto", "required"):
        raise InvalidToolError(f"tool_choice of type allowed_tools has the mode {mode!r}: it is 'auto' or 'required'.")
    names = tuple(_tool_name(tool) for tool in holder.get("tools") or ())
    return ToolChoice("allowed", names, required=mode == "required")


def _tool_name(tool: Any) -> str:
    if not isinstance(tool, Mapping):
        return str(tool)
    inner = tool.get("function") or tool.get("custom") or tool
    return str(inner.get("name") or tool.get("server_label") or tool.get("type"))


def _own_choice(value: JsonObject) -> ToolChoice:
    """A form that only one provider has (`{"type": "web_search"}`, `{"type": "mcp", …}`)."""
    if not isinstance(value.get("type"), str):
        raise InvalidToolError(f"tool_choice {short(value)} has no `type`.")
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
        function = converted(value)["function"]
        return _of_schema(function.get("parameters") or {}, function["name"], strict)
    kind = value.get("type")
    if kind == "json_object" and isinstance(value.get("json_schema"), Mapping):
        return replace(_json_schema(value["json_schema"], None), kind="json_object")  # for who has no JSON mode
    if kind in ("text", "json_object"):
        return OutputFormat(kind)
    if kind == "json_schema":
        inner = value.get("json_schema")
        return _json_schema(inner if isinstance(inner, Mapping) else value, strict)
    if "properties" in value or kind in SCHEMA_TYPES or "$defs" in value:
        return _of_schema(value, str(value.get("title") or "response"), strict)
    raise InvalidToolError(f"response_format {short(value)} is not understood: give a JSON schema or OpenAI's form.")


def _json_schema(holder: Mapping[str, Any], strict: bool | None) -> OutputFormat:
    schema = holder.get("schema")
    if not isinstance(schema, Mapping):
        raise InvalidToolError("response_format of type json_schema has no `schema` object.")
    said, described = holder.get("strict"), holder.get("description")
    name = str(holder.get("name") or schema.get("title") or "response")
    return _of_schema(schema, name, strict if said is None else bool(said), described)


def _of_schema(
    schema: Mapping[str, Any], name: str, strict: bool | None, description: str | None = None
) -> OutputFormat:
    whole = rooted(schema) if "$ref" in schema else schema
    checked = sound(whole, f"response_format {name!r}")
    return OutputFormat("json_schema", checked, format_name(name), description, strict)


def format_name(name: str) -> str:
    """The name of an answer's form as OpenAI takes it. It is a label: nobody gets it back."""
    if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        return name
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_")[:64] or "response"
