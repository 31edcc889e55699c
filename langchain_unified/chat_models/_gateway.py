"""LangSmith's gateway: base URL, key and headers of a provider, by LangChain core's rules.

The gateway is switched on by `LANGSMITH_GATEWAY`, or by core's `langsmith_gateway(...)` context while a model is built.
In the context its URL, key and headers replace the model's own, and its key goes to no other host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from langchain_core.utils import _gateway as core

from langchain_unified.request import JsonObject, Provider

PATHS: Mapping[Provider, str] = {"anthropic": "anthropic", "openai": "openai/v1"}
URL_VARIABLES: Mapping[Provider, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
    "openai": ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
}
KEY_VARIABLES: Mapping[Provider, str] = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}


class Address(NamedTuple):
    """Where calls go and with which key; `None` leaves the SDK's default."""

    base_url: str | None
    api_key: Any


def address(provider: Provider, base_url: str | None, api_key: Any, default_url: str | None = None) -> Address:
    """The base URL and key for a provider: those given, else by the environment and the gateway."""
    found = core._resolve_gateway_config(
        base_url=base_url,
        api_key=api_key,
        provider_path=PATHS[provider],
        base_url_env=URL_VARIABLES[provider],
        api_key_env=KEY_VARIABLES[provider],
        default_base_url=default_url,
    )
    return Address(found.base_url, found.api_key)


def context_headers() -> dict[str, str]:
    """The headers of the `langsmith_gateway` context that is active; empty without one, and before core 1.8."""
    headers: dict[str, str] = getattr(core, "_gateway_headers", dict)()
    return headers


def in_context() -> bool:
    """Whether a `langsmith_gateway` context is active; then a proxy setting is ignored."""
    return bool(getattr(core, "_langsmith_gateway_active", bool)())


def with_headers(own: Mapping[str, str], gateway: Mapping[str, str]) -> Mapping[str, str]:
    """The model's own headers, with those of the gateway in place of any of the same name."""
    names = {name.lower() for name in gateway}
    return {**{name: value for name, value in own.items() if name.lower() not in names}, **gateway}


def generation_info(headers: Mapping[str, str]) -> JsonObject | None:
    """What the gateway reports about a call in the response headers, under core's key for traces."""
    if core.GATEWAY_METADATA_HEADER not in headers:
        return None
    found = core._parse_gateway_metadata(headers)
    return None if found is None else {core.GATEWAY_METADATA_RESPONSE_KEY: found}
