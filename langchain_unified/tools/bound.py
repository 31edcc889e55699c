"""Tools as they are bound. Agents bind the same tools before every call: what was made of them is used again.

A list of tools is recognised by its objects. Dicts that have the form which is bound are bound themselves, as the
partner packages do it: the call reads them, with whatever has changed in them. Of other dicts and of LangChain's tools
the conversion is used again, as long as all that is read of them is the same, byte for byte. Functions and classes are
read each time. The last `MAX_LISTS` lists stay, with their tools.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from langchain_core.tools import BaseTool, StructuredTool

from langchain_unified.request import JsonObject, ToolSpec
from langchain_unified.tools.choice import parse_tool_choice
from langchain_unified.tools.output_format import parse_output_format
from langchain_unified.tools.specs import tool_dict, tool_specs

MAX_LISTS = 32
"""Lists of tools that are kept."""


class Bound(NamedTuple):
    """The tools of one binding: as specs, and as the dicts that are bound."""

    specs: tuple[ToolSpec, ...]
    dicts: list[JsonObject]


class Read(NamedTuple):
    """What is read of a list of tools: its JSON values as JSON, and the objects beside them."""

    values: bytes
    objects: list[Any]


class _AsGiven(NamedTuple):
    """Dicts that are bound themselves. `outlines` are copies of what is not their schemas."""

    tools: list[JsonObject]
    outlines: list[JsonObject]
    specs: tuple[ToolSpec, ...]


class _Converted(NamedTuple):
    """Tools whose conversion is bound. `tools` keeps its objects alive, so that their ids stay theirs."""

    tools: list[Any]
    read: Read
    bound: Bound
    schemas: list[JsonObject]
    """A copy of the schemas of `bound`, which all bindings of the tools share: whoever changes them changes them for
    the bindings that are there, not for the next one."""


_KNOWN: dict[tuple[bool | None, tuple[int, ...]], _AsGiven | _Converted] = {}


def bound_keywords(
    tools: Sequence[Any],
    *,
    tool_choice: Any,
    strict: bool | None,
    parallel_tool_calls: bool | None,
    response_format: Any,
) -> JsonObject:
    """The keywords that `bind_tools` binds. Raises `InvalidToolError`."""
    specs, dicts = bound_tools(tools, strict)
    bound: JsonObject = {"tools": dicts}
    if tool_choice is not None and tool_choice is not False:
        parse_tool_choice(tool_choice, specs)
        bound["tool_choice"] = tool_choice
    if response_format is not None:
        parse_output_format(response_format, strict)
        bound["response_format"] = response_format
    if strict is not None and response_format is not None:
        bound["strict"] = strict
    if parallel_tool_calls is not None:
        bound["parallel_tool_calls"] = parallel_tool_calls
    return bound


def bound_tools(tools: Sequence[Any], strict: bool | None) -> Bound:
    """The tools in any form. Raises `InvalidToolError`, which names the tool and the field."""
    if not isinstance(tools, list | tuple):
        return _bound(tools, strict)
    key = (strict, tuple(map(id, tools)))
    known = _KNOWN.get(key)
    if isinstance(known, _AsGiven) and known.tools == known.outlines:
        return Bound(known.specs, [*known.tools])
    read = _read(tools)
    if isinstance(known, _Converted) and known.read == read and _schemas(known.bound) == known.schemas:
        return Bound(known.bound.specs, [_outline(tool) for tool in known.bound.dicts])
    bound = _bound(tools, strict)
    if read is not None:
        if len(_KNOWN) >= MAX_LISTS:
            _KNOWN.clear()
        _KNOWN[key] = _known([*tools], read, bound)
    return Bound(bound.specs, [_outline(tool) for tool in bound.dicts])


def _known(tools: list[Any], read: Read, bound: Bound) -> _AsGiven | _Converted:
    if tools == bound.dicts and all(type(tool) is dict and tool.get("type") == "function" for tool in tools):
        return _AsGiven(tools, [_outline(tool) for tool in tools], bound.specs)
    return _Converted(tools, read, bound, copy.deepcopy(_schemas(bound)))


def _bound(tools: Sequence[Any], strict: bool | None) -> Bound:
    specs = tool_specs(tools, strict)
    return Bound(specs, [tool_dict(spec) for spec in specs])


def _schemas(bound: Bound) -> list[JsonObject]:
    return [spec.parameters for spec in bound.specs]


def _outline(tool: JsonObject) -> JsonObject:
    """A copy of the dict of a tool, with the same schema."""
    return {**tool, "function": {**tool["function"]}} if "function" in tool else {**tool}


# --- the tools of a call ----------------------------------------------------------------------------------------------

_CALLED: dict[tuple[bool | None, bytes], tuple[ToolSpec, ...]] = {}
"""The tools of calls, by their JSON."""


def called_tools(tools: Sequence[Any], strict: bool | None) -> tuple[ToolSpec, ...]:
    """`tool_specs` of a call that is sent: tools in JSON that were sent before are recognised by it.

    The specs are made of a copy, which nobody else has.
    """
    try:
        content = orjson.dumps(tools, option=EXACTLY & ~orjson.OPT_PASSTHROUGH_SUBCLASS)
    except TypeError:
        return tool_specs(tools, strict)
    found = _CALLED.get((strict, content))
    if found is None:
        found = tool_specs(orjson.loads(content), strict)
        if len(_CALLED) >= MAX_LISTS:
            _CALLED.clear()
        _CALLED[strict, content] = found
    return found


# --- what is read of tools --------------------------------------------------------------------------------------------

EXACTLY = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
"""Only values that are JSON themselves."""


def _read(tools: Sequence[Any]) -> Read | None:
    """`None` where a tool is neither a dict of JSON nor one of LangChain's own tools."""
    values: list[Any] = []
    objects: list[Any] = []
    for tool in tools:
        if type(tool) is dict:
            values.append(tool)
        elif _is_read_by_fields(type(tool)):  # type: ignore[arg-type]  # mypy: a class is not hashable
            schema = tool.args_schema
            is_json = isinstance(schema, dict)
            values.append((tool.name, tool.description, schema if is_json else None, tool.extras, tool.metadata))
            rebuilt = getattr(schema, "__pydantic_validator__", None)  # another one after `model_rebuild`
            functions = (getattr(tool, "func", None), getattr(tool, "coroutine", None))
            objects += (None if is_json else schema, rebuilt, *functions)
        else:
            return None
    try:
        return Read(orjson.dumps(values, option=EXACTLY), objects)
    except TypeError:
        return None


@functools.lru_cache(maxsize=256)
def _is_read_by_fields(kind: type) -> bool:
    """Whether the fields of such a tool say all that a model sees of it: no method of core's is another."""
    if not issubclass(kind, BaseTool):
        return False
    same = ("tool_call_schema", "get_input_schema", "args")
    homes = (BaseTool, StructuredTool)
    return all(getattr(kind, name) in [getattr(home, name) for home in homes] for name in same)
