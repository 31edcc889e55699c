"""Everything that a configuration makes, inside the event loop."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from decimal import Decimal

from pydantic import SecretStr

from langchain_unified.gateway import tracing
from langchain_unified.gateway.config import GatewayConfig
from langchain_unified.gateway.config_build import limits_of, router_of
from langchain_unified.gateway.keys import Keys, KeySettings, open_keys
from langchain_unified.gateway.ledger import PriceBook
from langchain_unified.gateway.state import Gateway
from langchain_unified.gateway.upstream import Upstream

DEFAULT_DATABASE = "sqlite:///gateway.db"
"""Where keys and spend are kept once there is a master key: a file in the folder where the gateway was started."""


async def build(
    config: GatewayConfig,
    old: Gateway | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    secret: bytes = b"",
    workers: int = 1,
) -> Gateway:
    """The gateway for a configuration. `old`: the gateway that it replaces, whose connections and store it takes over.
    `secret` signs reasoning where the configuration has none and no master key; empty: one is made.

    `workers`: how many processes share the limits of the deployments.

    The master key and the database stay as they were at the start.
    """
    router = router_of(config, environ)
    router.workers = workers
    own, header = config.gateway_settings, config.general_settings.litellm_key_header_name
    if own.tracing:
        tracing.check_installed()
    prices = PriceBook(_default_prices(own.unknown_price))
    prices.check(router.deployments)
    return Gateway(
        router=router,
        upstream=old.upstream if old is not None else Upstream(),
        keys=old.keys if old is not None else await _keys(config),
        prices=prices,
        limits=limits_of(config),
        secret=old.secret if old is not None and own.secret is None else secret_of(config, secret),
        key_header=header.lower() if header else None,
        takes_fallbacks=own.allow_client_fallbacks,
        traces=own.tracing,
    )


async def _keys(config: GatewayConfig) -> Keys:
    return await open_keys(key_settings(config))


def key_settings(config: GatewayConfig) -> KeySettings:
    """How keys are checked, and where they are stored."""
    general = config.general_settings
    master_key = _text(general.master_key)
    url = _text(general.database_url) or (DEFAULT_DATABASE if master_key else None)
    timeouts = [float(entry.litellm_params.timeout) for entry in config.model_list if entry.litellm_params.timeout]
    return KeySettings(
        master_key=master_key,
        database_url=url,
        allow_requests_on_db_unavailable=general.allow_requests_on_db_unavailable,
        call_timeout=max([600.0, *timeouts]),
    )


def secret_of(config: GatewayConfig, default: bytes = b"") -> bytes:
    """What signs the reasoning that clients carry. Workers and restarts share it if there is a master key."""
    own = _text(config.gateway_settings.secret)
    if own is not None:
        return own.encode()
    master_key = _text(config.general_settings.master_key)
    if master_key is not None:
        return hashlib.sha256(b"langchain-unified gateway: reasoning\0" + master_key.encode()).digest()
    return default or secrets.token_bytes(32)


def _text(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value is not None else None


def _default_prices(per_million: Decimal | None) -> dict[str, Decimal] | None:
    if per_million is None:
        return None
    per_token = per_million / 1_000_000
    return {"input_cost_per_token": per_token, "output_cost_per_token": per_token}
