"""Nothing secret leaves a model: not by `repr`, `dumpd`, traces or a cache key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from langchain_unified.request import JsonObject

if TYPE_CHECKING:
    from langchain_unified.chat_models.base import ChatBase

HIDDEN = "**********"

# Keys whose value is a secret wherever they stand in a body, a header or a tool.
SECRET_KEYS = frozenset(
    {
        "api_key", "authorization", "authorization_token", "x-api-key", "api-key", "cookie", "proxy-authorization",
        "client_secret", "password", "access_token",
    }
)  # fmt: skip

# Keys that hold headers or query parameters: their values go, their names stay.
HEADER_KEYS = frozenset({"headers", "extra_headers", "default_headers", "extra_query", "default_query"})

# Fields that may hold a secret; each is left out of what LangChain writes down when it is set.
SECRET_FIELDS: Mapping[str, str] = {
    "anthropic_api_key": "ANTHROPIC_API_KEY",
    "openai_api_key": "OPENAI_API_KEY",
    "api_key": "LANGCHAIN_UNIFIED_API_KEY",
    "anthropic_proxy": "ANTHROPIC_PROXY",
    "openai_proxy": "OPENAI_PROXY",
    "default_headers": "LANGCHAIN_UNIFIED_DEFAULT_HEADERS",
    "default_query": "LANGCHAIN_UNIFIED_DEFAULT_QUERY",
    "extra_headers": "LANGCHAIN_UNIFIED_EXTRA_HEADERS",
    "extra_query": "LANGCHAIN_UNIFIED_EXTRA_QUERY",
    "mcp_servers": "ANTHROPIC_MCP_SERVERS",
}


def hidden_fields(model: ChatBase) -> dict[str, str]:
    """Field -> the name under which its value may be given back. Keys always; other fields when they are set."""
    fields = type(model).model_fields
    found = {
        name: variable
        for name, variable in SECRET_FIELDS.items()
        if name in fields and (name.endswith("api_key") or getattr(model, name))
    }
    for name in ("model_kwargs", "extra_body"):
        value = getattr(model, name)
        if value and redacted(value) != dict(value):
            found[name] = f"LANGCHAIN_UNIFIED_{name.upper()}"
    for name in ("anthropic_api_url", "openai_api_base", "base_url"):
        if "@" in (getattr(model, name, None) or ""):
            found[name] = f"LANGCHAIN_UNIFIED_{name.upper()}"
    return found


def redacted(mapping: Mapping[str, Any]) -> JsonObject:
    """A copy with every secret replaced, whatever it is nested in. Only plain dicts and lists are looked into."""
    return {key: _hidden(item) if _names_secret(key, item) else _redacted(item) for key, item in mapping.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, Mapping):
        return redacted(value)
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    return value


def _names_secret(key: Any, item: Any) -> bool:
    """Whether a key holds secrets. A tool's JSON schema may name a property so: its value is a schema, and stays."""
    if not isinstance(key, str):
        return False
    name = key.lower()
    if name in HEADER_KEYS:
        return isinstance(item, Mapping) and all(isinstance(value, str) for value in item.values())
    return name in SECRET_KEYS and not isinstance(item, Mapping)


def _hidden(item: Any) -> Any:
    return dict.fromkeys(item, HIDDEN) if isinstance(item, Mapping) else HIDDEN
