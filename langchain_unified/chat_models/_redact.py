"""Which fields of a model hold secrets, so that nothing writes them down."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from langchain_unified.redaction import redacted

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


def hidden_fields(model: BaseModel) -> dict[str, str]:
    """Field -> the name under which its value may be given back. Keys always; other fields when they are set."""
    fields = type(model).model_fields
    found = {
        name: variable
        for name, variable in SECRET_FIELDS.items()
        if name in fields and (name.endswith("api_key") or getattr(model, name))
    }
    for name in ("model_kwargs", "extra_body"):
        value = getattr(model, name, None)
        if value and redacted(value) != dict(value):
            found[name] = f"LANGCHAIN_UNIFIED_{name.upper()}"
    for name in ("anthropic_api_url", "openai_api_base", "base_url"):
        if "@" in (getattr(model, name, None) or ""):
            found[name] = f"LANGCHAIN_UNIFIED_{name.upper()}"
    return found
