"""Names of tools that an API does not take -> names that it takes, and back.

MCP servers, OpenAPI documents and other languages name tools `server.tool`, `mcp/tool` or `größe`, or at any length.
Each API takes letters, digits, `_` and `-`, up to a length. (Anthropic: `^[a-zA-Z0-9_-]{1,128}$`; Chat Completions: 64
characters.) A tool with another name is sent under a similar one, and its calls come back with the caller's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_unified.history.pairing import IdRules, readable_name
from langchain_unified.messages.tool_calls import CALL_ID_KEYS
from langchain_unified.request import Adjustment, ToolChoice, ToolSpec


def with_sent_names(tools: tuple[ToolSpec, ...], rules: IdRules) -> tuple[ToolSpec, ...]:
    """The tools under names that the API takes; the same object where it takes all of them.

    Two names that differ only in what the API does not take get distinct ones. The order of the tools does not matter.
    """
    refused = [tool for tool in tools if tool.kind != "native" and not rules.accepts_name(tool.name)]
    if not refused:
        return tools
    similar = Counter(readable_name(tool.name) for tool in refused)
    taken = {tool.name for tool in tools} | {str(tool.definition.get("name")) for tool in tools if tool.definition}
    taken |= {name for name, count in similar.items() if count > 1}
    sent: dict[str, str] = {}
    for tool in refused:
        sent[tool.name] = rules.valid_name(tool.name, taken)
        taken.add(sent[tool.name])
    return tuple(
        replace(tool, name=sent[tool.name], caller_name=tool.name) if tool in refused else tool for tool in tools
    )


def whole_name(namespace: str, name: str) -> str:
    """The name of a tool in a namespace of the Responses API, for APIs without namespaces."""
    return f"{namespace}__{name}"


def choice_of_sent_names(choice: ToolChoice | None, tools: tuple[ToolSpec, ...]) -> ToolChoice | None:
    """The tool choice under the names that are sent."""
    if choice is None:
        return None
    sent = {tool.caller_name: tool.name for tool in tools if tool.caller_name is not None}
    return replace(choice, names=tuple(sent.get(name, name) for name in choice.names))


def names_adjustment(tools: tuple[ToolSpec, ...], rules: IdRules) -> Adjustment:
    """What was sent for the names that the API does not take."""
    renamed = [tool for tool in tools if tool.caller_name is not None]
    why = (
        f"The API takes at most {rules.max_name_length} letters, digits, _ and - in the name of a tool: "
        f"{', '.join(repr(tool.name) for tool in renamed)} went out. Calls come back with the names that were given."
    )
    return Adjustment(
        what=f"tool names {', '.join(repr(tool.caller_name) for tool in renamed)}", why=why, lossless=True
    )


def give_caller_names(message: AIMessage, names: Mapping[str, str]) -> None:
    """Write the caller's names into the calls of a message or chunk, in place. `names`: sent -> the caller's."""
    chunks = message.tool_call_chunks if isinstance(message, AIMessageChunk) else []
    blocks = message.content if isinstance(message.content, list) else []
    of_calls = [block for block in blocks if isinstance(block, dict) and block.get("type") in CALL_ID_KEYS]
    legacy = message.additional_kwargs.get("function_call")
    for call in (*message.tool_calls, *message.invalid_tool_calls, *chunks, *of_calls, legacy):
        if isinstance(call, dict) and call.get("name") in names:
            call["name"] = names[call["name"]]  # type: ignore[index]
