"""An address -> the server behind it, and how it differs from the provider whose API it speaks.

`data/servers.json` is a dated table of servers: by which addresses each is recognised, and its flags with the source of
each. It is read on first use, never for a provider's own address.

1. the provider's own host, or no address: the provider itself;
2. an emulator of this process (`testing.emulator`): the server that it plays;
3. a host, port or path of the table: that server;
4. this machine, and a model that is the provider's own: `proxy`, a proxy in front of the provider;
5. anything else: `generic`, what most servers understand.
"""

from __future__ import annotations

import difflib
import functools
from dataclasses import replace
from urllib.parse import SplitResult, urlsplit

from langchain_unified import profiles
from langchain_unified.errors import ConfigurationError
from langchain_unified.request import Dialect, Provider
from langchain_unified.servers.table import server_table

__all__ = [
    "Dialect", "host_of", "is_official", "known_base_url", "known_dialect", "known_servers", "recognise",
    "register_address", "server_table",
]  # fmt: skip

OFFICIAL_HOSTS: dict[Provider, str] = {"anthropic": ".api.anthropic.com", "openai": ".api.openai.com"}
"""The providers' host names; hosts below them (`eu.api.openai.com`) are official as well."""

OFFICIAL_BASE_URLS: dict[Provider, str] = {"openai": "https://api.openai.com/v1"}
"""Where a provider's own API has a path that its SDK does not add."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

OFFICIAL: dict[Provider, Dialect] = {
    "anthropic": Dialect(name="anthropic", why="it is the provider's own address"),
    "openai": Dialect(name="openai", why="it is the provider's own address"),
}

_emulators: dict[str, str] = {}
"""Host and port of each emulator that runs in this process -> the server that it plays."""


@functools.lru_cache(maxsize=512)
def recognise(base_url: str | None, provider: Provider, model: str = "") -> Dialect:
    """The dialect of the server at `base_url`, which speaks the API of `provider`, and in `why` the reason.

    `model` is the id that is sent: at some servers flags depend on it. Costs no request.
    """
    if not base_url:
        return OFFICIAL[provider]
    address = split_address(base_url)
    if _is_official_host(address.hostname or "", provider):
        return OFFICIAL[provider]
    name, why = _name_of(address, provider, model)
    found = OFFICIAL[provider] if name in OFFICIAL else server_table()[name].dialect(provider, model)
    return replace(found, why=why, host=host_of(base_url))


def known_dialect(name: str, provider: Provider = "openai", model: str = "") -> Dialect:
    """The dialect of a server of `data/servers.json`, where it speaks the API of `provider`.

    `model`: the id that is sent; at some servers flags depend on it. Raises `ConfigurationError` for an unknown name.
    """
    wanted = name.strip().lower()
    if wanted in ("anthropic", "openai"):
        return replace(OFFICIAL[provider], why=f"dialect={name!r} was given")
    row = next((row for row in server_table().values() if wanted in row.names), None)
    if row is None:
        close = difflib.get_close_matches(wanted, known_servers(), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        known = ", ".join(known_servers())
        raise ConfigurationError(f"No server {name!r} is known.{hint} Known are {known}; or give a `Dialect`.")
    return replace(row.dialect(provider, model), why=f"dialect={name!r} was given")


def known_servers() -> tuple[str, ...]:
    """The names that `dialect=` takes."""
    return ("anthropic", "openai", *server_table())


def is_official(base_url: str | None, provider: Provider) -> bool:
    """Whether `base_url` is the provider's own address, or none is given."""
    return not base_url or _is_official_host(split_address(base_url).hostname or "", provider)


def known_base_url(base_url: str, provider: Provider) -> str | None:
    """Where the server at the host of `base_url` has the API of `provider`; `None` where the table does not know it."""
    address = split_address(base_url)
    if _is_official_host(address.hostname or "", provider):
        return OFFICIAL_BASE_URLS.get(provider)
    for row in server_table().values():
        if any(each.host and each.why(address) for each in row.addresses):
            return row.base_urls.get(provider)
    return None


def register_address(base_url: str, server: str | None) -> None:
    """An emulator at `base_url` tells which server it plays; `None`: it has stopped."""
    netloc = split_address(base_url).netloc
    if server is None:
        _emulators.pop(netloc, None)
    else:
        _emulators[netloc] = server
    recognise.cache_clear()


# --- steps ------------------------------------------------------------------------------------------------------------


def split_address(base_url: str) -> SplitResult:
    """The parts of an address, which may lack its scheme (`localhost:11434`)."""
    return urlsplit(base_url if "//" in base_url else f"//{base_url}")


def host_of(base_url: str) -> str:
    """Host and port of an address, without a user and a password."""
    return split_address(base_url).netloc.rpartition("@")[2]


def _is_official_host(host: str, provider: Provider) -> bool:
    return f".{host}".endswith(OFFICIAL_HOSTS[provider])


def _name_of(address: SplitResult, provider: Provider, model: str) -> tuple[str, str]:
    """The server's name in the table, and the reason."""
    if played := _emulators.get(address.netloc):
        return provider if played == "provider" else played, "an emulator of this process listens there"
    for row in server_table().values():
        if why := row.matches(address):
            return row.name, why
    if address.hostname in LOOPBACK and profiles.is_own_model(provider, model):
        return "proxy", f"it is this machine, and {model} is a model of {provider}'s: a proxy in front of it"
    return "generic", "no known server has this address"
