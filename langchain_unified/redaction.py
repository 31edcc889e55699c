"""Secrets: the keys that hold one, the patterns that match one, and copies without them.

For traces, reports, cassettes and displays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import SecretStr

from langchain_unified.request import JsonObject

HIDDEN = "**********"
"""Stands for a secret, as in pydantic's `SecretStr`."""

SECRET_KEYS = frozenset(
    {
        "api_key", "authorization", "authorization_token", "x-api-key", "api-key", "cookie", "proxy-authorization",
        "client_secret", "password", "access_token",
    }
)  # fmt: skip
"""Keys whose value is a secret, anywhere in a body, in headers or in a tool."""

ADDRESS_KEYS = frozenset({"anthropic_api_url", "openai_api_base", "base_url"})
"""Keys whose value is the address of a model. Its user name, password and query values are hidden."""

HEADER_KEYS = frozenset({"headers", "extra_headers", "default_headers", "extra_query", "default_query"})
"""Keys that hold headers or query parameters. Their values are hidden, their names are not."""

SECRETS: Mapping[str, str] = {
    "an Anthropic key": r"sk-ant-[\w-]{6,}",
    "an OpenAI key": r"(?<![\w-])sk-(?:(?:proj|svcacct|admin|None)-[\w-]{6,}|[\w-]{16,})",
    "a Bearer token": r"(?i:bearer)\s+(?:[\w.~+/=-]{20,}|(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,})",
    "Basic credentials": r"(?<!\w)Basic\s+(?=[A-Za-z0-9+/]*[\d+/=])[A-Za-z0-9+/]{12,}={0,2}",
    "a JWT": r"(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*",
    "an AWS key id": r"(?<![\w+/=-])(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![\w+/=-])",
    "an AWS secret key": r"(?i:aws_?secret_?(?:access_?)?key)\W{1,6}[\w+/]{30,}",
    "an OpenAI organization id": r"(?<![\w-])org-[A-Za-z0-9]{16,}",
    "a LangSmith key": r"(?<![\w-])lsv2_\w{8,}",
    "a Google key": r"(?<![\w-])AIza[\w-]{35}",
    "a GitHub token": r"(?<![\w-])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})",
    "a Slack token": r"(?<![\w-])xox[abeoprs]-[\w-]{10,}",
    "a Hugging Face token": r"(?<![\w-])hf_[A-Za-z0-9]{30,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\w+/=\s\\]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
}
"""Patterns of secrets, by what they match. Most must not follow a letter or digit: else long base64 would match.

They are texts: compiling them takes as long as importing ten modules, and most programs never search a text."""


def masked(text: str) -> str:
    """The text with each secret replaced by its kind: `[an OpenAI key]`."""
    for label, pattern in SECRETS.items():
        text = re.sub(pattern, f"[{label}]", text)
    return text


def redacted(mapping: Mapping[str, Any]) -> JsonObject:
    """A copy with every secret replaced, at any depth of dicts and lists. Other objects are not searched."""
    return _copied(mapping) if _may_hold_secrets(mapping) else dict(mapping)


def safe_url(url: str) -> str:
    """The address without user name and password, and with the values of its query hidden."""
    return hide_query_values(_USER_INFO.sub(r"\1", url), HIDDEN)


def hide_query_values(url: str, hidden: str) -> str:
    """The address with `hidden` in place of each value of its query."""
    return _QUERY_VALUE.sub(rf"\1{hidden}", url)


def mcp_address(mapping: Mapping[str, Any]) -> str | None:
    """The key of an MCP server's address: `url` on Anthropic, `server_url` on OpenAI. `None`: it is no such server."""
    key = "url" if mapping.get("type") == "url" and "name" in mapping else "server_url"
    return key if isinstance(mapping.get(key), str) else None


_USER_INFO = re.compile(r"^(\w[\w+.-]*://)[^/?#]*@")
_QUERY_VALUE = re.compile(r"([?&][^=&#]*=)[^&#]+")
_KEYS = tuple(key.encode() for key in (*SECRET_KEYS, *HEADER_KEYS, *ADDRESS_KEYS, "mcp_servers", "server_url"))


def _may_hold_secrets(mapping: Mapping[str, Any]) -> bool:
    """Fast path: false if no key of a secret occurs, as in most calls. 20 times faster than copying."""
    try:
        data = orjson.dumps(mapping, default=_refuse_secret).lower()
    except TypeError:
        return True
    return any(key in data for key in _KEYS)


def _refuse_secret(value: Any) -> None:
    """Stops orjson at a value that it does not search: a secret, or a mapping that may hold one."""
    if isinstance(value, SecretStr | Mapping):
        raise TypeError


def _copied(mapping: Mapping[str, Any]) -> JsonObject:
    copy = {key: _hidden(item) if _is_secret(key, item) else _copied_value(item) for key, item in mapping.items()}
    for key in copy.keys() & ADDRESS_KEYS:
        copy[key] = safe_url(copy[key]) if isinstance(copy[key], str) else copy[key]
    if (address := mcp_address(copy)) is not None:
        copy[address] = safe_url(copy[address])
    return copy


def _copied_value(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, Mapping):
        return _copied(value)
    if isinstance(value, list):
        return [_copied_value(item) for item in value]
    return value


def _is_secret(key: Any, item: Any) -> bool:
    """Whether the item is a secret. An object is not: in a tool's schema, `password` may name a property."""
    if not isinstance(key, str):
        return False
    name = key.lower()
    if name in HEADER_KEYS:
        return isinstance(item, Mapping) and all(isinstance(value, str) for value in item.values())
    return name in SECRET_KEYS and not isinstance(item, Mapping)


def _hidden(item: Any) -> Any:
    return dict.fromkeys(item, HIDDEN) if isinstance(item, Mapping) else HIDDEN
