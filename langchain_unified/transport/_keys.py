"""API keys: where the key of a call comes from, and how a client sends it."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import SecretStr

from langchain_unified.errors import ConfigurationError, MissingKeyError
from langchain_unified.transport.config import HttpCall, TransportConfig

PLACEHOLDER_KEY = "unused"
"""The key of a client that never sends it: the SDKs build no client without a key."""


def client_key(config: TransportConfig, *, key_per_call: bool) -> str | None:
    """The key to build an SDK client with; `None` lets the SDK look for one. `key_per_call`: each call replaces it."""
    secret = config.api_key
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else ""
    if text:
        return checked_key(text)
    # An Authorization header of the caller replaces any key, but the SDKs look for a key before they see the header.
    has_header = any(name.lower() == "authorization" for name, _ in config.default_headers)
    return PLACEHOLDER_KEY if key_per_call or has_header else None


def call_key(config: TransportConfig, call: HttpCall) -> str | None:
    """The key of the call, or else what the `api_key` function returns; `None`: the client has the key."""
    key = _given_key(config, call)
    if inspect.isawaitable(key):
        if inspect.iscoroutine(key):
            key.close()
        raise ConfigurationError(
            "api_key is an async function, and this is a sync call. Use ainvoke or astream, or pass a function that "
            "returns a string."
        )
    return None if key is None else checked_key(key)


async def acall_key(config: TransportConfig, call: HttpCall) -> str | None:
    """Async twin of `call_key`. The `api_key` function may be sync or async."""
    key = _given_key(config, call)
    if inspect.isawaitable(key):
        key = await key
    return None if key is None else checked_key(key)


def _given_key(config: TransportConfig, call: HttpCall) -> Any:
    if call.api_key is not None:
        return call.api_key
    source = config.api_key
    if source is None or isinstance(source, SecretStr):
        return None
    key = source()
    if key is None:
        raise MissingKeyError("The function given as api_key returned None. It has to return a string.")
    return key


def checked_key(key: Any) -> str:
    """The key as a text that an HTTP header can carry. The error shows no part of the key."""
    text = key.get_secret_value() if isinstance(key, SecretStr) else key
    if not isinstance(text, str):
        raise ConfigurationError(f"The API key has to be a string, not {type(text).__name__}.")
    if not text:
        raise MissingKeyError("The API key is empty.")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigurationError(
            "The API key holds a character that no HTTP header can carry. Look for a line break, a space or a "
            "typographic character where it was copied."
        )
    return text


def client_with_key(client: Any, key: str, config: TransportConfig) -> Any:
    """A copy of the client, on the same connections, that sends `key` also where the default headers hold another."""
    headers = {"Authorization": f"Bearer {key}"}
    headers |= {name: key for name, _ in config.default_headers if name.lower() in {"x-api-key", "api-key"}}
    return client.with_options(api_key=key, default_headers=headers)


def given_client_with_key(client: Any, key: SecretStr | None) -> Any:
    """The caller's SDK client, or a copy with `key`. The client itself knows which header carries it."""
    if key is None:
        return client
    text = checked_key(key)
    try:
        return client.with_options(api_key=text)
    except (TypeError, ValueError, AttributeError):
        raise ConfigurationError(f"A {type(client).__name__} takes no API key per call.") from None
