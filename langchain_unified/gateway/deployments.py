"""Deployments: a public name's places to go to, each a model at an address with a key."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from yarl import URL

from langchain_unified import catalog
from langchain_unified.errors import UnknownModelError
from langchain_unified.request import Dialect, Profile, Provider, WireName
from langchain_unified.wires import WIRES

BASE_URLS: Mapping[Provider, str] = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}
"""The providers' own addresses, as their SDKs have them."""

OnUnsupported = Literal["raise", "warn", "ignore"]


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """A model at an address. `public_name` and `model` may hold one `*`: what it matches goes into `model`.

    `timeout`: seconds for a whole call; `stream_timeout`: seconds until a stream's first part. `rpm` and `tpm` are
    limits of this deployment, per minute; `None`: none. `defaults` are keys of the body that a client may overrule.
    `on_unsupported`: what happens to what the upstream cannot take. `prompt_cache`: the policy for requests without
    marks of their own, where their API is not the upstream's.
    """

    public_name: str
    provider: Provider
    model: str
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    dialect: str | None = None
    timeout: float = 600.0
    stream_timeout: float | None = None
    weight: float = 1.0
    order: int = 1
    rpm: int | None = None
    tpm: int | None = None
    on_unsupported: OnUnsupported = "warn"
    prompt_cache: Any = None
    use_responses_api: bool | None = None
    model_info: Mapping[str, Any] = field(default_factory=dict)
    """Prices and `base_model`, as the configuration has them."""
    by_name: bool = False
    """Whether it serves only the models whose name shows this provider, under their id without a prefix."""

    def takes(self, name: str) -> bool:
        """Whether the deployment serves what its wildcard matched."""
        if not self.by_name:
            return True
        try:
            return catalog.resolve(name).provider == self.provider
        except UnknownModelError:
            return False

    @property
    def label(self) -> str:
        """The name in logs and metrics: provider, model and host, nothing secret."""
        return f"{self.provider}/{self.model}@{host_in(self.base_url)}"


@dataclass(frozen=True, slots=True)
class Target:
    """A deployment for one call: the wildcard is filled in."""

    deployment: Deployment
    model: str
    """The id that is sent."""
    profile: Profile
    dialect: Dialect
    wires: frozenset[WireName]
    """The APIs that the upstream speaks itself."""

    def wire_for(self, client: WireName) -> WireName:
        """The API to call: the client's where the upstream speaks it."""
        if client in self.wires:
            return client
        if self.deployment.provider == "anthropic":
            return "anthropic_messages"
        route = catalog.Route("openai", self.model, self.profile, self.dialect)
        return catalog.wire_for(route, use_responses_api=self.deployment.use_responses_api)


@functools.lru_cache(maxsize=1024)
def host_in(base_url: str) -> str:
    """The host of an address."""
    return URL(base_url).host or ""


def target_of(deployment: Deployment, matched: str | None) -> Target:
    """A deployment with its wildcard filled. `matched`: what the public name's `*` stands for."""
    model = deployment.model
    if matched is not None:
        model = catalog.resolve(matched).model if deployment.by_name else model.replace("*", matched, 1)
    route = catalog.route_to(deployment.provider, model, deployment.base_url, deployment.dialect)
    return Target(deployment, model, route.profile, route.dialect, _wires(deployment.provider, route.dialect))


def _wires(provider: Provider, dialect: Dialect) -> frozenset[WireName]:
    if provider == "anthropic":
        return frozenset({"anthropic_messages"})
    return (
        frozenset({"openai_chat"})
        if dialect.responses_api == "none"
        else frozenset({"openai_chat", "openai_responses"})
    )


def upstream_path(wire: WireName, *, counts: bool = False) -> str:
    """The path of an API below a deployment's base URL."""
    path = WIRES[wire].count_path if counts else WIRES[wire].path
    return path or ""
