"""Remote MCP servers: OpenAI's `mcp` tool, and Anthropic's `mcp_servers` with a toolset among the tools.

The neutral form is OpenAI's: `server_label`, `server_url`, `authorization`, `allowed_tools`, `require_approval`.
Anthropic never asks for approval before a call: a policy other than `"never"` is reported, also OpenAI's default,
`"always"`. A translation that lets the model call a disabled tool raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject, ToolSpec

Report: TypeAlias = Callable[[str, str], None]
"""Takes what is not sent, and why."""

ADDRESSES = ("server_url", "connector_id", "tunnel_id")

TRANSLATED = frozenset(
    {"type", "server_label", "server_url", "authorization", "headers", "allowed_tools", "require_approval",
     "defer_loading"}
)  # fmt: skip
"""OpenAI's keys that have a counterpart in Anthropic's toolset or server."""


# --- to Anthropic -----------------------------------------------------------------------------------------------------


def to_anthropic(spec: ToolSpec, native: JsonObject, report: Report) -> JsonObject:
    """The toolset for an `mcp` tool. Its server is added to `native["mcp_servers"]`."""
    tool = {key: value for key, value in spec.definition.items() if value is not None}
    label = _label(tool)
    server: JsonObject = {"type": "url", "name": label, "url": _url(tool, label)}
    token = _token(tool.get("headers") or {}, label, report)
    if tool.get("authorization") or token:
        server["authorization_token"] = tool.get("authorization") or token
    native["mcp_servers"] = [*(native.get("mcp_servers") or ()), server]
    _check_approval(tool.get("require_approval", "always"), label, report)
    for key, value in tool.items():
        if key not in TRANSLATED and (key, value) != ("allowed_callers", ["direct"]):
            report(f"{key} of the MCP server {label!r}", "Anthropic's mcp_toolset has no such option: it was not sent.")
    return {"type": "mcp_toolset", "mcp_server_name": label, **_tool_configs(tool, label, report)}


def _label(tool: Mapping[str, Any]) -> str:
    label = tool.get("server_label")
    if not isinstance(label, str) or not label:
        raise InvalidToolError("An 'mcp' tool has no `server_label`. Give one: its calls name the server by it.")
    return label


def _url(tool: Mapping[str, Any], label: str) -> str:
    url = tool.get("server_url")
    if isinstance(url, str) and url:
        return url
    other = next((key for key in ADDRESSES if key in tool), None)
    why = f"only OpenAI knows `{other}`: give" if other else "there is no"
    raise InvalidToolError(f"The MCP server {label!r} cannot be reached from Anthropic: {why} `server_url`.")


def _token(headers: Mapping[str, str], label: str, report: Report) -> str | None:
    """The bearer token among the headers. Anthropic sends no other header."""
    token = None
    for name, value in headers.items():
        if name.lower() == "authorization" and value.startswith("Bearer "):
            token = value.removeprefix("Bearer ")
        else:
            report(f"header {name!r} of the MCP server {label!r}", "Anthropic sends an MCP server only a bearer token.")
    return token


def _check_approval(policy: Any, label: str, report: Report) -> None:
    if policy != "never":
        why = 'Anthropic calls a server\'s tools without asking. Set `require_approval="never"` where that is meant.'
        report(f"require_approval of the MCP server {label!r}", why)


def _tool_configs(tool: Mapping[str, Any], label: str, report: Report) -> JsonObject:
    allowed = tool.get("allowed_tools")
    if isinstance(allowed, Mapping):
        if "read_only" in allowed and "tool_names" not in allowed:
            raise InvalidToolError(
                f"Anthropic cannot limit the MCP server {label!r} to its read-only tools: list them in `allowed_tools`."
            )
        if "read_only" in allowed:
            report(f"allowed_tools.read_only of the MCP server {label!r}", "Anthropic knows tools by name only.")
        allowed = allowed.get("tool_names")
    default = {"defer_loading": True} if tool.get("defer_loading") else {}
    if allowed is None:
        return {"default_config": default} if default else {}
    return {"default_config": {"enabled": False, **default}, "configs": {name: {"enabled": True} for name in allowed}}


# --- to OpenAI --------------------------------------------------------------------------------------------------------


def to_openai(spec: ToolSpec, native: JsonObject, report: Report) -> JsonObject:
    """The `mcp` tool for a toolset, whose server is removed from `native["mcp_servers"]`; an `mcp` tool as it is."""
    if spec.definition["type"] == "mcp":
        label = _label(spec.definition)
        if not any(spec.definition.get(key) for key in ADDRESSES):
            raise InvalidToolError(f"The MCP server {label!r} has no address: give `server_url`.")
        return spec.definition
    label = str(spec.definition.get("mcp_server_name"))
    server = next((found for found in native.get("mcp_servers") or () if found.get("name") == label), None)
    if server is None:
        raise InvalidToolError(f"The toolset of the MCP server {label!r} has no server of that name in `mcp_servers`.")
    rest = [found for found in native["mcp_servers"] if found is not server]
    native.pop("mcp_servers")
    native |= {"mcp_servers": rest} if rest else {}
    if spec.definition.get("tools"):
        report(f"tools of the MCP server {label!r}", "OpenAI asks the server for its tools.")
    return _from_server(server) | _from_toolset(spec.definition, label)


def without_toolset(native: JsonObject) -> list[ToolSpec]:
    """The servers that are left in `native["mcp_servers"]`: under the older beta they need no toolset."""
    servers = native.pop("mcp_servers", None) or ()
    return [ToolSpec(str(server["name"]), kind="native", definition=_from_server(server)) for server in servers]


def _from_server(server: Mapping[str, Any]) -> JsonObject:
    label, old = server.get("name"), server.get("tool_configuration") or {}
    if not label or not server.get("url"):
        raise InvalidToolError(f"A server in `mcp_servers` needs `name` and `url`; this one has {sorted(server)}.")
    tool: JsonObject = {"type": "mcp", "server_label": label, "server_url": server["url"], "require_approval": "never"}
    if server.get("authorization_token"):
        tool["authorization"] = server["authorization_token"]
    if old.get("enabled") is False:
        tool["allowed_tools"] = []
    elif old.get("allowed_tools") is not None:
        tool["allowed_tools"] = list(old["allowed_tools"])
    return tool


def _from_toolset(toolset: Mapping[str, Any], label: str) -> JsonObject:
    default, configs = toolset.get("default_config") or {}, toolset.get("configs") or {}
    deferred = default.get("defer_loading", False)
    if any(config.get("defer_loading", deferred) != deferred for config in configs.values()):
        raise InvalidToolError(
            f"OpenAI defers all tools of the MCP server {label!r} or none: set it in `default_config` only."
        )
    return ({"defer_loading": True} if deferred else {}) | _allowed_tools(default, configs, label)


def _allowed_tools(default: Mapping[str, Any], configs: Mapping[str, Any], label: str) -> JsonObject:
    if default.get("enabled", True):
        off = [name for name, config in configs.items() if config.get("enabled") is False]
        if off:
            raise InvalidToolError(
                f"OpenAI cannot switch off {off[0]!r} of the MCP server {label!r}, only list what may be called: "
                "set `default_config.enabled` to false, and enable the others in `configs`."
            )
        return {}
    return {"allowed_tools": [name for name, config in configs.items() if config.get("enabled", False)]}
