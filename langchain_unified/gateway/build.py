"""Everything that a configuration makes, inside the event loop."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_unified.gateway.config import GatewayConfig
from langchain_unified.gateway.config_build import limits_of, router_of
from langchain_unified.gateway.state import Gateway
from langchain_unified.gateway.upstream import Upstream


async def build(config: GatewayConfig, old: Gateway | None = None, environ: Mapping[str, str] | None = None) -> Gateway:
    """The gateway for a configuration. `old`: the gateway that it replaces, whose connections it takes over."""
    router = router_of(config, environ)
    master_key = config.general_settings.master_key
    header = config.general_settings.litellm_key_header_name
    return Gateway(
        router=router,
        upstream=old.upstream if old is not None else Upstream(),
        limits=limits_of(config),
        key_header=header.lower() if header else None,
        local_only=master_key is None,
    )
