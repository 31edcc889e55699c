"""The list of models, in the shape that the client's API has."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl

import orjson

from langchain_unified.gateway.deployments import Deployment
from langchain_unified.gateway.errors import ModelNotAllowedError
from langchain_unified.gateway.exchange import Exchange
from langchain_unified.gateway.keys import Caller, secret_in
from langchain_unified.gateway.refusals import UnknownPublicModelError
from langchain_unified.gateway.routing import Router, match
from langchain_unified.gateway.state import Gateway
from langchain_unified.profiles import known_models
from langchain_unified.request import WireName
from langchain_unified.wires import DOORS
from langchain_unified.wires._door import ModelEntry


async def models(gateway: Gateway, exchange: Exchange) -> None:
    """`GET /v1/models`."""
    caller = await gateway.keys.authenticate(secret_in(exchange.headers, gateway.key_header))
    entries = list(entries_of(gateway, caller))
    query = dict(parse_qsl(exchange.query.decode("latin-1")))
    await exchange.reply(200, orjson.dumps(DOORS[_wire(exchange)].models_reply(entries, query)))


async def model(gateway: Gateway, exchange: Exchange, name: str) -> None:
    """`GET /v1/models/{name}`."""
    caller = await gateway.keys.authenticate(secret_in(exchange.headers, gateway.key_header))
    if not gateway.router.serves(gateway.keys.allows(caller, name)):
        raise UnknownPublicModelError(name)
    await exchange.reply(
        200,
        orjson.dumps(
            DOORS[_wire(exchange)].model_reply(_entry(gateway.router, gateway.keys.allows(caller, name), name))
        ),
    )


def _wire(exchange: Exchange) -> WireName:
    """Only Anthropic's clients send a version of the API."""
    return "anthropic_messages" if "anthropic-version" in exchange.headers else "openai_chat"


def entries_of(gateway: Gateway, caller: Caller) -> Iterator[ModelEntry]:
    """The public names that a caller may use, and of a wildcard the known models that it matches."""
    router = gateway.router
    names = dict.fromkeys(router.names())
    for deployment in router.deployments:
        if "*" in deployment.public_name and "*" in deployment.model:
            names.update(dict.fromkeys(_matched(deployment)))
    names.update(dict.fromkeys(alias for alias, name in caller.aliases.items() if router.serves(name)))
    for name in names:
        if _is_allowed(gateway, caller, name):
            yield _entry(router, caller.aliases.get(name, name), name)


def _is_allowed(gateway: Gateway, caller: Caller, name: str) -> bool:
    try:
        gateway.keys.allows(caller, name)
    except ModelNotAllowedError:
        return False
    return True


def _matched(deployment: Deployment) -> Iterator[str]:
    """The known models of a wildcard, under the names by which clients reach them."""
    for known in known_models(deployment.provider):
        spellings = (f"{deployment.provider}/{known}", known)
        name = next((name for name in spellings if match(deployment.public_name, name) is not None), None)
        if name is not None:
            yield name


def _entry(router: Router, name: str, shown: str | None = None) -> ModelEntry:
    target = router.targets_of(name)[0]
    return ModelEntry(
        id=shown or name,
        display_name=shown or name,
        owned_by=target.deployment.provider,
        max_input_tokens=target.profile.max_input_tokens,
        max_output_tokens=target.profile.max_output_tokens,
    )
