"""Fields -> where a call goes and with whose key: the transport's configuration for each provider."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import SecretStr

from langchain_unified.chat_models._fields import ApiKey, Timeout, gateway_url
from langchain_unified.request import Provider
from langchain_unified.transport import TransportConfig

if TYPE_CHECKING:
    from langchain_unified.chat_models._fields import Connection


class Endpoint(NamedTuple):
    """What a class's fields say of one provider."""

    provider: Provider
    base_url: str | None
    api_key: ApiKey
    key_field: str
    proxy: str | None
    timeout: Timeout
    organization: str | None = None


def connection(model: Connection, endpoint: Endpoint) -> TransportConfig:
    """The transport's configuration for `endpoint`, with what the model says for every provider."""
    return TransportConfig(
        provider=endpoint.provider,
        base_url=endpoint.base_url,
        api_key=_key(model, endpoint),
        organization=endpoint.organization,
        proxy=endpoint.proxy,
        timeout=_positive(endpoint.timeout),
        max_retries=model.max_retries,
        default_headers=_pairs(model.default_headers),
        default_query=_pairs(model.default_query),
        socket_options=None if model.http_socket_options is None else tuple(model.http_socket_options),
        http_client=model.http_client,
        http_async_client=model.http_async_client,
        client=model.client,
        async_client=model.async_client,
    )


def _key(model: Connection, endpoint: Endpoint) -> ApiKey:
    """The key that was given; behind LangSmith's gateway, its own key when none was."""
    given = endpoint.key_field in model.model_fields_set
    if given or endpoint.base_url is None or endpoint.base_url != gateway_url(endpoint.provider):
        return endpoint.api_key
    gateway = os.environ.get("LANGSMITH_GATEWAY_API_KEY") or os.environ.get("LANGSMITH_API_KEY")
    return SecretStr(gateway) if gateway else endpoint.api_key


def _positive(timeout: Timeout) -> Timeout:
    """A timeout of 0 or less means the default, as langchain-anthropic reads it."""
    return None if isinstance(timeout, int | float) and timeout <= 0 else timeout


def _pairs(mapping: Mapping[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    return tuple((mapping or {}).items())
