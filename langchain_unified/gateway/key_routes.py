"""The addresses about keys, which know no HTTP, over HTTP."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl

import orjson

from langchain_unified.gateway.exchange import Exchange
from langchain_unified.gateway.keys import secret_in
from langchain_unified.gateway.keys.endpoints import ENDPOINTS, MAX_BODY_BYTES, Handler, KeyCall
from langchain_unified.gateway.refusals import BadRequestError
from langchain_unified.gateway.state import Gateway


async def answer(gateway: Gateway, exchange: Exchange, handler: Handler) -> None:
    """Answer a request about keys."""
    media = exchange.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if exchange.method == "POST" and media != "application/json":
        raise BadRequestError("Send application/json.", status=415)  # else a page in a browser could post here
    query = dict(parse_qsl(exchange.query.decode("latin-1")))
    body = await exchange.body(limit=MAX_BODY_BYTES, seconds=gateway.limits.body_seconds)
    call = KeyCall(secret_in(exchange.headers, gateway.key_header), query, body)
    found = await handler(gateway.keys, call)
    await exchange.reply(200, orjson.dumps(found, default=str), [(b"cache-control", b"no-store")])


HANDLERS = {path: (each.method, partial(answer, handler=each.handler)) for path, each in ENDPOINTS.items()}
"""By path: method and handler."""
