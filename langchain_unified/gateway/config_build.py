"""The configuration -> deployments, routing rules, limits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from langchain_unified import catalog, profiles
from langchain_unified.errors import ConfigurationError, UnknownModelError
from langchain_unified.gateway.config import Fallbacks, GatewayConfig, LitellmParams, ModelEntry
from langchain_unified.gateway.deployments import BASE_URLS, Deployment, OnUnsupported
from langchain_unified.gateway.routing import Router, RoutingRules
from langchain_unified.gateway.state import Limits
from langchain_unified.request import Provider
from langchain_unified.servers.table import server_table
from langchain_unified.transport import _address

KEY_VARIABLES: Mapping[Provider, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
}
URL_VARIABLES: Mapping[Provider, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
}
PROVIDERS: tuple[Provider, ...] = ("anthropic", "openai")
DEFAULT_TIMEOUT_SECONDS = 600.0
DEFAULT_RULES = RoutingRules()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model's calls go."""

    provider: Provider
    model: str
    base_url: str
    api_key: str | None
    dialect: str | None = None
    by_name: bool = False


def from_models(models: tuple[str, ...], environ: Mapping[str, str] | None = None) -> GatewayConfig:
    """The configuration that `--model` stands for: each model by its name, and the first by any name."""
    entries = []
    for name in models:
        names = dict.fromkeys((name, name.partition("/")[2] or name))
        entries += [{"model_name": each, "litellm_params": {"model": name}} for each in names]
    if models and "*" not in "".join(models):
        entries.append({"model_name": "*", "litellm_params": {"model": models[0]}})
    environ = os.environ if environ is None else environ
    general = {"master_key": environ["LITELLM_MASTER_KEY"]} if environ.get("LITELLM_MASTER_KEY") else {}
    return GatewayConfig.model_validate({"model_list": entries, "general_settings": general})


def router_of(config: GatewayConfig, environ: Mapping[str, str] | None = None) -> Router:
    """The deployments and how they are chosen. Raises `ConfigurationError` with a line for each problem."""
    environ = os.environ if environ is None else environ
    deployments: list[Deployment] = []
    problems: list[str] = []
    for index, entry in enumerate(config.model_list):
        try:
            deployments += _deployments(entry, config, environ)
        except ConfigurationError as error:
            problems.append(f"model_list[{index}] ({entry.model_name}): {error}")
    if not config.model_list:
        problems.append("model_list: There is no model to serve. Add an entry, or start with --model.")
    router = Router(deployments, rules_of(config))
    problems += _unknown_names(router)
    if problems:
        raise ConfigurationError("\n".join(dict.fromkeys(problems)))
    return router


def rules_of(config: GatewayConfig) -> RoutingRules:
    """The routing rules. What `router_settings` has goes before `litellm_settings`."""
    router, general = config.router_settings, config.litellm_settings
    retries = _first(router.num_retries, general.num_retries, DEFAULT_RULES.retries)
    return RoutingRules(
        retries=int(retries),
        fallbacks=_table(router.fallbacks or general.fallbacks),
        context_window=_table(router.context_window_fallbacks or general.context_window_fallbacks),
        content_policy=_table(router.content_policy_fallbacks or general.content_policy_fallbacks),
        default_fallbacks=tuple(router.default_fallbacks or general.default_fallbacks),
        aliases=router.model_group_alias,
        allowed_fails=int(_first(router.allowed_fails, general.allowed_fails, DEFAULT_RULES.allowed_fails)),
        cooldown_seconds=float(_first(router.cooldown_time, DEFAULT_RULES.cooldown_seconds)),
    )


def limits_of(config: GatewayConfig) -> Limits:
    """Bounds and times."""
    own = config.gateway_settings
    return Limits(int(own.max_body_mb * 1_000_000), own.body_timeout, own.ping_interval, own.drain_timeout)


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _table(fallbacks: Fallbacks) -> dict[str, tuple[str, ...]]:
    return {name: tuple(others) for each in fallbacks for name, others in each.items()}


def _unknown_names(router: Router) -> Iterator[str]:
    rules = router.rules
    tables = {
        "fallbacks": rules.fallbacks, "context_window_fallbacks": rules.context_window,
        "content_policy_fallbacks": rules.content_policy, "default_fallbacks": {"": rules.default_fallbacks},
        "model_group_alias": {alias: (name,) for alias, name in rules.aliases.items()},
    }  # fmt: skip
    for key, table in tables.items():
        for name in dict.fromkeys(name for names in table.values() for name in names):
            if not router.serves(name):
                yield f"{key}: no entry of model_list has the name {name!r}."


# --- one deployment ---------------------------------------------------------------------------------------------------


def _deployments(entry: ModelEntry, config: GatewayConfig, environ: Mapping[str, str]) -> Iterator[Deployment]:
    params, info = entry.litellm_params, entry.model_info
    for pattern in (entry.model_name, params.model):
        if "*" in pattern and (pattern.count("*") > 1 or not (pattern.startswith("*") or pattern.endswith("*"))):
            raise ConfigurationError(f"{pattern!r} may hold one *, at its beginning or end.")
    if "*" in params.model and "*" not in entry.model_name:
        raise ConfigurationError(f"The * of {params.model!r} needs one in model_name.")
    own = config.litellm_settings
    request_timeout = _first(config.router_settings.timeout, own.request_timeout, DEFAULT_TIMEOUT_SECONDS)
    for place in _places(params, environ):
        yield Deployment(
            public_name=entry.model_name,
            provider=place.provider,
            model=place.model,
            base_url=place.base_url,
            api_key=place.api_key,
            headers=_headers(params),
            defaults=_defaults(params),
            dialect=place.dialect,
            timeout=float(_first(params.timeout, request_timeout)),
            stream_timeout=params.stream_timeout or config.router_settings.stream_timeout,
            weight=1.0 if params.weight is None else params.weight,
            order=params.order,
            rpm=params.rpm,
            tpm=params.tpm,
            on_unsupported=_on_unsupported(params.drop_params if params.drop_params is not None else own.drop_params),
            prompt_cache=params.prompt_cache,
            use_responses_api=params.use_responses_api,
            model_info=info.model_dump(exclude_none=True),
            by_name=place.by_name,
        )


def _on_unsupported(drop_params: bool | None) -> OnUnsupported:
    return "raise" if drop_params is False else "warn"


def _places(params: LitellmParams, environ: Mapping[str, str]) -> Iterator[Place]:
    if params.model == "*" and not (params.api_base or params.base_url):
        found = [_place(provider, "*", params, environ, by_name=True) for provider in PROVIDERS]
        with_key = [place for place in found if place.api_key]
        if not with_key:
            raise ConfigurationError("No key is found: set ANTHROPIC_API_KEY or OPENAI_API_KEY.")
        yield from with_key
        return
    prefix, slash, rest = params.model.partition("/")
    server = _server(prefix) if slash else None
    if server is not None:
        yield _at_server(server, rest, params, environ)
        return
    provider, model = _named(params.model, has_base=bool(params.api_base or params.base_url))
    place = _place(provider, model, params, environ)
    if place.api_key is None and not (params.api_base or params.base_url):
        variable = KEY_VARIABLES[provider][0]
        raise ConfigurationError(f"No key is found for {params.model!r}: set {variable}, or api_key.")
    yield place


def _named(name: str, *, has_base: bool) -> tuple[Provider, str]:
    """Provider and id of `litellm_params.model`."""
    prefix, slash, rest = name.partition("/")
    provider = catalog.PROVIDERS.get(prefix.lower()) if slash else profiles.provider_of(name)
    if provider is not None:
        return provider, rest if slash else name
    if slash and not has_base:
        raise UnknownModelError(
            f"{prefix!r} is not served. Write openai/… or anthropic/… and give the address as api_base."
        )
    if has_base:
        raise UnknownModelError(
            f"Write openai/{name} or anthropic/{name}: which API does the server at api_base speak?"
        )
    raise UnknownModelError(f"No provider is known for {name!r}. Write anthropic/{name} or openai/{name}.")


def _server(prefix: str) -> str | None:
    row = next((row for row in server_table().values() if prefix.lower() in row.names), None)
    return row.name if row is not None and "openai" in row.base_urls and row.name not in catalog.PROVIDERS else None


def _at_server(server: str, model: str, params: LitellmParams, environ: Mapping[str, str]) -> Place:
    """A model of a server of `data/servers.json`, by LiteLLM's spelling: `groq/…`, `openrouter/…`."""
    given = params.api_base or params.base_url
    address = given or server_table()[server].base_urls["openai"]
    if "<" in address:
        raise ConfigurationError(f"{server} has no common address: give api_base, such as {address}.")
    variable = f"{server.upper().replace('.', '_')}_API_KEY"
    key = _secret(params.api_key) or (environ.get(variable) if given is None else None)
    return Place("openai", model, address.rstrip("/"), key, dialect=params.dialect or server)


def _place(
    provider: Provider, model: str, params: LitellmParams, environ: Mapping[str, str], *, by_name: bool = False
) -> Place:
    """The environment's key goes to the provider's address, or to that of the environment, and to no other."""
    given = params.api_base or params.base_url
    address = given or _variable(URL_VARIABLES[provider], environ) or BASE_URLS[provider]
    _address.check(address)
    address = _address.without_endpoint(address, provider).rstrip("/")
    key = _secret(params.api_key) or (_variable(KEY_VARIABLES[provider], environ) if given is None else None)
    return Place(provider, model, address, key, params.dialect, by_name)


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value is not None else None


def _variable(names: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)


def _headers(params: LitellmParams) -> dict[str, str]:
    headers = {name.lower(): value for name, value in params.extra_headers.items()}
    if params.organization is not None:
        headers["openai-organization"] = params.organization
    return headers


def _defaults(params: LitellmParams) -> dict[str, Any]:
    return dict(params.model_extra or {})
