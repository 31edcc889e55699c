"""The `anthropic-beta` names that a body needs for its tools, blocks and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

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


def _has(*path: str) -> Callable[[JsonObject], bool]:
    """A test of a body: whether it has a value at a path of keys."""

    def has(body: JsonObject) -> bool:
        value: object = body
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return bool(value)

    return has


def _compacts(body: JsonObject) -> bool:
    edits = (body.get("context_management") or {}).get("edits") or []
    return any(edit.get("type") == "compact_20260112" for edit in edits)


def _shows_updates(body: JsonObject) -> bool:
    return (body.get("thinking") or {}).get("display") == "updates"


def _configures_tools(body: JsonObject) -> bool:
    return any("tool_configuration" in server for server in body.get("mcp_servers") or [])


def _uses_mcp(body: JsonObject) -> bool:
    return bool(body.get("mcp_servers")) and not _configures_tools(body)


KEYS: tuple[tuple[str, Callable[[JsonObject], bool]], ...] = (
    ("user-profiles-billing-2026-10-01", _has("billing_policy")),
    ("compact-2026-09-04", _has("compaction")),
    ("context-management-2025-06-27", _has("context_management")),
    ("compact-2026-01-12", _compacts),
    ("fallback-credit-2026-07-01", _has("fallback_credit_token")),
    ("server-side-fallback-2026-07-01", _has("fallbacks")),
    (MCP, _uses_mcp),
    (MCP_WITH_TOOL_CONFIGURATION, _configures_tools),
    ("message-threads-2026-08-12", _has("thread")),
    ("task-budgets-2026-03-13", _has("output_config", "task_budget")),
    ("thinking-binding-controls-2026-08-01", _has("thinking", "block_binding")),
    ("thinking-display-updates-2026-08-18", _shows_updates),
    ("fast-mode-2026-02-01", lambda body: body.get("speed") == "fast"),
)
"""Beta -> whether the keys of a body need it."""


def betas(body: JsonObject, requested: Sequence[str]) -> list[str]:
    """The caller's names, then those that the body needs, none twice. An MCP version of the caller's replaces ours."""
    needed = [name for name, needs in KEYS if needs(body)]
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
