"""`data/servers.json`: the known servers, their addresses and their flags."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal, cast
from urllib.parse import SplitResult

import orjson

from langchain_unified import profiles
from langchain_unified.request import Dialect, JsonObject, Provider

Evidence = Literal["recorded", "documented", "reported", "chosen"]
"""How a fact is known: from an exchange, from the server's documentation or source, from a user's report; or it is no
fact but the careful choice where none is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One flag of a server, or (`flag` empty) a remark, with its source.

    `api`: the provider whose API it concerns; `None`: both. `models`: a regular expression that a model's id has to
    match, or `own`: a model of the provider itself; `None`: every model.
    """

    flag: str = ""
    value: Any = None
    note: str = ""
    api: Provider | None = None
    models: str | None = None
    evidence: Evidence = "reported"
    source: str = ""
    date: str = ""

    def concerns(self, provider: Provider, model: str) -> bool:
        """Whether it holds for calls of this model through this provider's API."""
        if self.api not in (None, provider):
            return False
        if self.models is None:
            return True
        if self.models == "own":
            return profiles.is_own_model(provider, model)
        return re.search(self.models, model, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is found: all that is given must hold.

    `host` may begin with `*.`; `local`: only on this machine or in its network.
    """

    host: str | None = None
    port: int | None = None
    path: str | None = None
    local: bool = False

    def why(self, address: SplitResult) -> str:
        """Why an address is this one; empty where it is not."""
        host, reasons = (address.hostname or "").lower(), []
        if self.host is not None:
            known = host.endswith(self.host[1:]) if self.host.startswith("*") else host == self.host
            if not known:
                return ""
            reasons.append(f"the host {host}")
        if self.port is not None:
            if _port(address) != self.port or (self.local and not is_local(host)):
                return ""
            reasons.append(f"{'the local' if self.local else 'the'} port {self.port}")
        if self.path is not None:
            if re.search(self.path, address.path) is None:
                return ""
            reasons.append(f"the path {address.path}")
        return " and ".join(reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A row of the table."""

    name: str
    title: str
    aliases: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    base_urls: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    like: str | None = None
    """The row whose facts hold here too, unless the own ones say otherwise."""
    facts: tuple[Fact, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    def matches(self, address: SplitResult) -> str:
        """Why an address is this server's; empty where it is not."""
        return next((why for each in self.addresses if (why := each.why(address))), "")

    def all_facts(self) -> Iterator[Fact]:
        """The facts of the row that it is like, then its own: the later counts."""
        if self.like is not None:
            yield from server_table()[self.like].all_facts()
        yield from self.facts

    def dialect(self, provider: Provider, model: str = "") -> Dialect:
        """The flags of this server for calls of `model` through the API of `provider`."""
        flags = {fact.flag: fact.value for fact in self.all_facts() if fact.flag and fact.concerns(provider, model)}
        return Dialect(**{"name": self.name, "batches": False, **flags})


@functools.cache
def server_table() -> Mapping[str, Server]:
    """Every known server by its name, in the order in which addresses are tried."""
    return MappingProxyType({name: _server(name, row) for name, row in _data()["servers"].items()})


def as_of() -> str:
    """The date of the table."""
    return str(_data()["as_of"])


@functools.cache
def _data() -> JsonObject:
    content = resources.files("langchain_unified").joinpath("data/servers.json").read_bytes()
    return cast("JsonObject", orjson.loads(content))


def _server(name: str, row: JsonObject) -> Server:
    return Server(
        name=name,
        title=row["title"],
        aliases=tuple(row.get("aliases", ())),
        addresses=tuple(Address(**each) for each in row.get("addresses", ())),
        base_urls=row.get("base_urls", {}),
        like=row.get("like"),
        facts=tuple(_fact(each) for each in row.get("facts", ())),
    )


def _fact(row: JsonObject) -> Fact:
    value = row.get("value")
    return Fact(**{**row, "value": frozenset(value) if isinstance(value, list) else value})


# --- addresses --------------------------------------------------------------------------------------------------------


def is_local(host: str) -> bool:
    """Whether a host is this machine or in its network: loopback, a private address, a name without a domain."""
    if "." not in host and ":" not in host:
        return True
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return host.endswith((".local", ".internal", ".lan", ".localhost"))
    return number.is_private or number.is_loopback


def _port(address: SplitResult) -> int | None:
    try:
        return address.port
    except ValueError:
        return None
