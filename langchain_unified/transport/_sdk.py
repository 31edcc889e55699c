"""What the transport needs to know of an SDK. Each SDK's record is in the module of its provider's name."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_unified.request import JsonObject, Provider
from langchain_unified.transport._logs import hide_secrets
from langchain_unified.transport.config import TransportConfig


@dataclass(frozen=True, slots=True)
class Sdk:
    """The classes of one SDK, by what they mean.

    `client(config, key, http)` builds a sync client, `async_client` its twin; `key=None` leaves the search to the SDK.
    `in_reply(message, response, payload, error)` is the SDK's error for an error that came with status 200.
    `settings` are the environment variables that a client reads when it is built.
    """

    provider: Provider
    key_variable: str
    settings: tuple[str, ...]
    client: Callable[[TransportConfig, str | None, Any], Any]
    async_client: Callable[[TransportConfig, str | None, Any], Any]
    stream_cls: Any
    async_stream_cls: Any
    base_error: type[Exception]
    status_error: type[Exception]
    connection_error: type[Any]
    timeout_error: type[Any]
    validation_error: Callable[..., Exception]
    credentials_error: tuple[type[Exception], ...]
    in_reply: Callable[[str, Any, JsonObject, JsonObject], Exception]
    request_id_headers: tuple[str, ...]

    def request_id(self, headers: Mapping[str, str]) -> str | None:
        """The provider's id of the request, from whichever header carries it."""
        return next((headers[name] for name in self.request_id_headers if name in headers), None)


MODULES: Mapping[Provider, str] = {
    "anthropic": "langchain_unified.transport.sdk_anthropic",
    "openai": "langchain_unified.transport.sdk_openai",
}


@functools.cache
def sdk_of(provider: Provider) -> Sdk:
    """The provider's record; the first call imports its SDK, and only that one."""
    found: Sdk = importlib.import_module(MODULES[provider]).SDK
    hide_secrets(provider)
    return found
