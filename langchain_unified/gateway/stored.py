"""Responses by their ids, which OpenAI keeps: retrieve, delete, cancel, and the items that went in.

The request goes as it is to the account that keeps the response. The gateway keeps no list of responses: where its
configuration has several accounts, `?model=` names one of its models. As at OpenAI, who knows an id may use it: any key
of the gateway that is for a model of the account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

from langchain_unified.catalog import route_to
from langchain_unified.gateway.deployments import Deployment, Target
from langchain_unified.gateway.errors import ModelNotAllowedError
from langchain_unified.gateway.exchange import Exchange
from langchain_unified.gateway.failures import AttemptError
from langchain_unified.gateway.headers import forwarded, returned
from langchain_unified.gateway.keys import Caller, secret_in
from langchain_unified.gateway.opening import refused
from langchain_unified.gateway.refusals import BadRequestError, UnknownPublicModelError
from langchain_unified.gateway.state import Gateway

PATH = re.compile(r"/responses/[A-Za-z0-9_-]{1,256}(/input_items|/cancel)?")
METHODS = {"": ("GET", "DELETE"), "/input_items": ("GET",), "/cancel": ("POST",)}
"""What follows the id -> the methods that it takes."""


def methods_of(path: str) -> tuple[str, ...]:
    """The methods of an address below `/v1`; none if it is not one of a response."""
    found = PATH.fullmatch(path)
    return METHODS[found[1] or ""] if found else ()


async def stored(gateway: Gateway, exchange: Exchange, path: str) -> None:
    """Pass a request for a kept response on, and its answer back."""
    caller = await gateway.keys.authenticate(secret_in(exchange.headers, gateway.key_header))
    query = parse_qsl(exchange.query.decode("latin-1"), keep_blank_values=True)
    deployment = _account(gateway, caller, dict(query).get("model"))
    rest = urlencode([(name, value) for name, value in query if name != "model"])
    headers = forwarded(exchange.headers, deployment, gateway.key_header)
    async with exchange.while_connected():
        address = path + (f"?{rest}" if rest else "")
        reply = await gateway.upstream.ask(exchange.method, deployment, address, headers)
        try:
            if reply.status >= 300:
                raise await refused(reply, is_raw=True)
            media = reply.headers.get("content-type", "application/json").encode("latin-1")
            await exchange.start(reply.status, [(b"content-type", media), *returned(reply.headers)])
            async for part in reply.chunks():
                await exchange.write(part)
        except AttemptError as failed:
            if failed.raw is None:
                raise failed.error from None
            await exchange.start(failed.raw.status, failed.raw.headers)
            await exchange.write(failed.raw.body)
        finally:
            reply.release()
    await exchange.end()


def _account(gateway: Gateway, caller: Caller, model: str | None) -> Deployment:
    """The deployment whose account keeps the response. Raises `BadRequestError` where it is none or not clear which."""
    if model is not None:
        name = gateway.keys.allows(caller, model)
        targets = gateway.router.targets_of(name)
        if not targets:
            raise UnknownPublicModelError(model)
        found = {_key(target.deployment): target.deployment for target in targets if _keeps(target)}
    else:
        found = {_key(each): each for each in _allowed(gateway, caller)}
    if not found:
        what = f"the model {model!r} is" if model is not None else "the models of this key are"
        raise BadRequestError(f"Responses by id are kept by OpenAI, and {what} served by another API.", param="model")
    if len(found) > 1:
        raise BadRequestError(
            "The gateway has several accounts that may keep this response. Name the model that wrote it: ?model=…",
            param="model",
        )
    return next(iter(found.values()))


def _key(deployment: Deployment) -> tuple[str, str | None]:
    return deployment.base_url, deployment.api_key


def _keeps(target: Target) -> bool:
    return "openai_responses" in target.wires


def _allowed(gateway: Gateway, caller: Caller) -> Iterator[Deployment]:
    """The deployments of OpenAI's Responses API that a caller may use."""
    for deployment in gateway.router.deployments:
        if deployment.provider != "openai" or not _may_use(gateway, caller, deployment.public_name):
            continue
        route = route_to("openai", deployment.model, deployment.base_url, deployment.dialect)
        if route.dialect.responses_api != "none":
            yield deployment


def _may_use(gateway: Gateway, caller: Caller, name: str) -> bool:
    if name in caller.aliases.values():
        return True
    try:
        gateway.keys.allows(caller, name)
    except ModelNotAllowedError:
        return False
    return True
