"""The tools of a call, in any form -> `ToolSpec`s; and a `ToolSpec` as the neutral dict that `bind_tools` binds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject, ToolSpec
from langchain_unified.schemas.check import short
from langchain_unified.schemas.wellformed import CheckedSchema, checked_schema
from langchain_unified.tools.spec import present, tool_spec


def tool_specs(tools: Sequence[Any], strict: bool | None = None) -> tuple[ToolSpec, ...]:
    """The tools of a call, with checked schemas. Raises `InvalidToolError`, which names the tool and the field."""
    if isinstance(tools, str | Mapping | BaseModel) or not isinstance(tools, Iterable):
        raise InvalidToolError(f"Tools are given as a list, not as {short(tools)}: put it in brackets.")
    return tuple(_with_checked_schema(tool_spec(tool, strict)) for tool in tools)


def _with_checked_schema(spec: ToolSpec) -> ToolSpec:
    if spec.kind != "function" or isinstance(spec.parameters, CheckedSchema):
        return spec
    return replace(spec, parameters=checked_schema(spec.parameters, f"tool {spec.name!r}"))


def check_names(specs: Sequence[ToolSpec]) -> None:
    """Raises `InvalidToolError` for two tools of one name, whose calls could not be distinguished."""
    seen: set[str] = set()
    for spec in specs:
        # A provider-defined tool may be called by another name than it was bound by: `code_interpreter` on Anthropic.
        name = str(spec.definition.get("name") or spec.name)
        if name in seen:
            raise InvalidToolError(f"Two tools are named {name!r}. Give each tool another name.")
        seen.add(name)


def tool_dict(spec: ToolSpec) -> JsonObject:
    """A tool as the neutral dict that `bind_tools` binds: Chat Completions' form, with options and mark beside it."""
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
