"""Keys: who gives one for a call, and how a client gets another one."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import SecretStr

from langchain_unified.errors import ConfigurationError, MissingKeyError
from langchain_unified.transport.config import Call, TransportConfig

UNUSED_KEY = "unused"
"""What a client is built with where the key comes with each call."""


def fixed_key(config: TransportConfig, *, has_own: bool) -> str | None:
    """The key to build a client with; `None` leaves the search to the SDK. `has_own`: each call brings its key."""
    key = config.api_key
    fixed = key.get_secret_value() if isinstance(key, SecretStr) else ""
    if fixed:
        return checked(fixed)
    # A header of the caller's wins over any key, but the SDKs do not look for it before they look for a key.
    named = any(name.lower() == "authorization" for name, _ in config.default_headers)
    return UNUSED_KEY if has_own or named else None


def key_now(config: TransportConfig, call: Call) -> str | None:
    """The key of this call alone, or what the configuration's function gives; `None` for neither."""
    found = _asked(config, call)
    if inspect.isawaitable(found):
        if inspect.iscoroutine(found):
            found.close()
        raise ConfigurationError(
            "api_key is an async function, and this is a sync call. Use ainvoke or astream, or pass a function that "
            "returns a string."
        )
    return None if found is None else checked(found)


async def akey_now(config: TransportConfig, call: Call) -> str | None:
    """The async twin of `key_now`, which takes functions of both kinds."""
    found = _asked(config, call)
    if inspect.isawaitable(found):
        found = await found
    return None if found is None else checked(found)


def _asked(config: TransportConfig, call: Call) -> Any:
    if call.api_key is not None:
        return call.api_key
    source = config.api_key
    return None if source is None or isinstance(source, SecretStr) else _told(source())


def _told(found: Any) -> Any:
    if found is None:
        raise MissingKeyError("The function given as api_key returned None. It has to return a string.")
    return found


def checked(key: Any) -> str:
    """The key as text that a header can carry. Neither it nor a part of it is in the error."""
    text = key.get_secret_value() if isinstance(key, SecretStr) else key
    if not isinstance(text, str):
        raise ConfigurationError(f"The API key has to be a string, not {type(text).__name__}.")
    if not text:
        raise MissingKeyError("The API key is empty.")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigurationError(
            "The API key holds a character that no header can carry. Look for a line end, a space or a typographic "
            "character where it was copied."
        )
    return text


def rekeyed(client: Any, key: str, config: TransportConfig) -> Any:
    """A copy of our own client, on the same connections, that sends `key` whatever the default headers say."""
    headers = {"Authorization": f"Bearer {key}"}
    headers |= {name: key for name, _ in config.default_headers if name.lower() in {"x-api-key", "api-key"}}
    return client.with_options(api_key=key, default_headers=headers)


def rekeyed_ready(client: Any, key: SecretStr | None) -> Any:
    """The caller's SDK client, or a copy with `key`, which puts it where that kind of client does."""
    if key is None:
        return client
    text = checked(key)
    try:
        return client.with_options(api_key=text)
    except (TypeError, ValueError, AttributeError):
        raise ConfigurationError(f"A {type(client).__name__} takes no API key per call.") from None
