"""The `anthropic-beta` names that a body needs for its tools, blocks and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_unified.request import JsonObject

MCP = "mcp-client-2025-11-20"
MCP_WITH_TOOL_CONFIGURATION = "mcp-client-2025-04-04"

TOOLS: Mapping[str, str] = {
    "bash_20241022": "computer-use-2024-10-22",
    "text_editor_20241022": "computer-use-2024-10-22",
    "computer_20241022": "computer-use-2024-10-22",
    "computer_20250124": "computer-use-2025-01-24",
    "computer_20251124": "computer-use-2025-11-24",
    "advisor_20260301": "advisor-tool-2026-03-01",
    "mcp_toolset": MCP,
}
"""Type of a tool -> beta."""

BLOCKS: Mapping[str, str] = {
    "mcp_tool_use": MCP,
    "mcp_tool_result": MCP,
    "mcp_tool_listing": MCP,
    "advisor_tool_result": "advisor-tool-2026-03-01",
    "fallback": "server-side-fallback-2026-07-01",
    "tool_removal": "mid-conversation-tool-changes-2026-07-01",
}
"""Type of a block -> beta."""


def _with(key: str) -> Callable[[Any], bool]:
    """A test of an object: whether it has something under a key."""
    return lambda value: isinstance(value, Mapping) and bool(value.get(key))


def _compacts(management: JsonObject) -> bool:
    return any(edit.get("type") == "compact_20260112" for edit in management.get("edits") or [])


def _shows_updates(thinking: JsonObject) -> bool:
    return thinking.get("display") == "updates"


def _configures_tools(servers: list[JsonObject]) -> bool:
    return any("tool_configuration" in server for server in servers)


KEYS: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    ("billing_policy", "user-profiles-billing-2026-10-01", bool),
    ("compaction", "compact-2026-09-04", bool),
    ("context_management", "context-management-2025-06-27", bool),
    ("context_management", "compact-2026-01-12", _compacts),
    ("fallback_credit_token", "fallback-credit-2026-07-01", bool),
    ("fallbacks", "server-side-fallback-2026-07-01", bool),
    ("mcp_servers", MCP, lambda servers: not _configures_tools(servers)),
    ("mcp_servers", MCP_WITH_TOOL_CONFIGURATION, _configures_tools),
    ("thread", "message-threads-2026-08-12", bool),
    ("output_config", "task-budgets-2026-03-13", _with("task_budget")),
    ("thinking", "thinking-binding-controls-2026-08-01", _with("block_binding")),
    ("thinking", "thinking-display-updates-2026-08-18", _shows_updates),
    ("speed", "fast-mode-2026-02-01", lambda speed: bool(speed == "fast")),
)
"""Key of a body, beta, and whether the value under the key, if there is one, needs it."""


def betas(body: JsonObject, requested: Sequence[str]) -> list[str]:
    """The caller's names, then those that the body needs, none twice. An MCP version of the caller's replaces ours."""
    needed = [name for key, name, needs in KEYS if (value := body.get(key)) and needs(value)]
    needed += [TOOLS[kind] for tool in body.get("tools") or [] if (kind := tool.get("type", "")) in TOOLS]
    needed += _betas_of_blocks(body)
    if any(name.startswith("mcp-client-") for name in requested):
        needed = [name for name in needed if not name.startswith("mcp-client-")]
    return list(dict.fromkeys((*requested, *needed)))


def _betas_of_blocks(body: JsonObject) -> Iterator[str]:
    for message in body["messages"]:
        content = message["content"]
        for block in content if isinstance(content, list) else ():
            kind = block.get("type", "")
            if kind in BLOCKS:
                yield BLOCKS[kind]
            if kind == "compaction":
                # Only the newer kind of compaction signs its blocks.
                yield "compact-2026-09-04" if block.get("signature") else "compact-2026-01-12"
            if kind == "tool_addition":
                is_definition = (block.get("tool") or {}).get("type") == "tool_definition"
                yield "inline-tools-2026-09-15" if is_definition else "mid-conversation-tool-changes-2026-07-01"
