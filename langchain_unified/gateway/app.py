"""The gateway as an ASGI application: addresses, and errors in the client's protocol.

An address is looked up by the path of the request line, as the server parsed it. No header takes part in that.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

import orjson
from starlette.types import Receive, Scope, Send

from langchain_unified.errors import ServerError, UnifiedError
from langchain_unified.gateway import key_routes, listing, metrics, serving
from langchain_unified.gateway.errors import AdminOnlyError, KeyNotFoundError
from langchain_unified.gateway.exchange import ClientLeftError, Exchange
from langchain_unified.gateway.keys import secret_in
from langchain_unified.gateway.protocol import MAX_HEAD_BYTES, MAX_HEADERS
from langchain_unified.gateway.refusals import BadRequestError, UnknownRouteError
from langchain_unified.gateway.state import Gateway
from langchain_unified.gateway.stored import methods_of, stored
from langchain_unified.request import WireName
from langchain_unified.wires import DOORS

log = logging.getLogger("langchain_unified.gateway")

Handler = Callable[[Gateway, Exchange], Awaitable[None]]

INTERNAL = "The gateway failed. Its log says more, under the id of the request."


@dataclass(frozen=True, slots=True)
class Route:
    """An address. `wire`: the API whose errors it answers with; `None`: that of the client's headers."""

    methods: Mapping[str, Handler]
    wire: WireName | None = None


class App:
    """The application. `gateway` is replaced as a whole when the configuration is read again."""

    def __init__(self, make: Callable[[], Awaitable[Gateway]]) -> None:
        """`make` makes the gateway, inside the event loop, when the server starts."""
        self._make = make
        self.gateway: Gateway | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's start and end."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and self.gateway is not None:
            await _handle(self.gateway, Exchange(scope, receive, send), scope)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self.gateway = await self._make()
        except UnifiedError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.gateway.upstream.close()
        await self.gateway.keys.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _handle(gateway: Gateway, exchange: Exchange, scope: Scope) -> None:
    wire = _wire_of(exchange)
    try:
        _check_head(gateway, scope)
        route = _route(exchange.path)
        wire = route.wire or wire
        await _handler(route, exchange)(gateway, exchange)
    except ClientLeftError:
        return
    except UnifiedError as error:
        await _refuse(exchange, wire, error)
    except Exception:
        log.exception("a request failed")
        failure = ServerError(INTERNAL)
        failure.status = 500
        await _refuse(exchange, wire, failure)


def _handler(route: Route, exchange: Exchange) -> Handler:
    handler = route.methods.get(exchange.method)
    if handler is None:
        raise UnknownRouteError(f"{exchange.path} takes no {exchange.method}.", status=405)
    return handler


async def _refuse(exchange: Exchange, wire: WireName, error: UnifiedError) -> None:
    """Answer with an error, in the client's protocol. After the first byte only the connection can say it."""
    if exchange.status is not None:
        return
    found = DOORS[wire].render_error(error)
    status = error.status if isinstance(error, BadRequestError | UnknownRouteError) and error.status else found.status
    if wire != "anthropic_messages" and (code := NOT_FOUND.get(type(error))):
        found.body["error"]["code"] = code
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in found.headers.items()]
    if status in CLOSING:
        headers.append((b"connection", b"close"))
    await exchange.reply(status, orjson.dumps(found.body), headers)


NOT_FOUND: Mapping[type[UnifiedError], str] = {UnknownRouteError: "unknown_url", KeyNotFoundError: "key_not_found"}
"""The `code` of OpenAI's error object where it is no model that is missing. The first is OpenAI's own."""

CLOSING = frozenset({400, 408, 413, 415, 421, 431})
"""Statuses after which the rest of the body is not read."""


def _wire_of(exchange: Exchange) -> WireName:
    """The API that the client of an unknown address speaks."""
    is_anthropic = "anthropic-version" in exchange.headers or exchange.path.endswith(("/messages", "/count_tokens"))
    return "anthropic_messages" if is_anthropic else "openai_chat"


# --- addresses --------------------------------------------------------------------------------------------------------


async def upgrade_required(gateway: Gateway, exchange: Exchange) -> None:
    """Codex asks for a WebSocket first. This status makes it go on with HTTP at once; any other costs it seconds."""
    message = "Responses are streamed over HTTP here: POST to this address."
    data = orjson.dumps({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}})
    await exchange.reply(426, data, [(b"upgrade", b"http/1.1"), (b"connection", b"upgrade")])


async def hello(gateway: Gateway, exchange: Exchange) -> None:
    """The root, which clients ask whether anything is there."""
    await exchange.reply(200, b'{"status":"ok"}')


async def alive(gateway: Gateway, exchange: Exchange) -> None:
    """Whether the process answers. Calls no model."""
    await exchange.reply(200, b'{"status":"ok"}')


async def ready(gateway: Gateway, exchange: Exchange) -> None:
    """Whether calls are answered: the store of keys can be reached, or is not needed. Calls no model."""
    is_ready = await gateway.keys.is_ready()
    status, text = (200, b'{"status":"ok"}') if is_ready else (503, b'{"status":"the store of keys is away"}')
    await exchange.reply(status, text)


async def figures(gateway: Gateway, exchange: Exchange) -> None:
    """`/metrics`. With a master key, only for the holder of it: the figures show what is spent."""
    caller = await gateway.keys.authenticate(secret_in(exchange.headers, gateway.key_header))
    if not caller.may_do_everything:
        raise AdminOnlyError("Only the master key may read the metrics.")
    text, media = metrics.text()
    await exchange.reply(200, text, media=media.encode())


def _post(handler: Handler, wire: WireName) -> Route:
    return Route({"POST": handler}, wire)


def _call(wire: WireName, *, counts: bool = False, compacts: bool = False) -> Handler:
    return partial(serving.serve, wire=wire, counts=counts, compacts=compacts)


READ = ("GET", "HEAD")
BY_PATH: Mapping[str, Route] = {
    "/chat/completions": _post(_call("openai_chat"), "openai_chat"),
    "/responses": Route({"POST": _call("openai_responses"), "GET": upgrade_required}, "openai_responses"),
    "/responses/input_tokens": _post(_call("openai_responses", counts=True), "openai_responses"),
    "/responses/compact": _post(_call("openai_responses", compacts=True), "openai_responses"),
    "/messages": _post(_call("anthropic_messages"), "anthropic_messages"),
    "/messages/count_tokens": _post(_call("anthropic_messages", counts=True), "anthropic_messages"),
    "/models": Route(dict.fromkeys(READ, listing.models)),
}
"""Each also below `/v1`: LiteLLM's users give the address without it to the OpenAI SDK."""

PLAIN: Mapping[str, Route] = {
    "/": Route(dict.fromkeys(READ, hello)),
    **dict.fromkeys(("/health/live", "/health/liveness", "/health/liveliness"), Route(dict.fromkeys(READ, alive))),
    **dict.fromkeys(("/health/ready", "/health/readiness"), Route(dict.fromkeys(READ, ready))),
    "/metrics": Route(dict.fromkeys(READ, figures)),
    **{path: Route({method: handler}, "openai_chat") for path, (method, handler) in key_routes.HANDLERS.items()},
}
"""Addresses without `/v1`. LiteLLM's names of the health checks work as well."""


def _route(path: str) -> Route:
    found = PLAIN.get(path)
    if found is not None:
        return found
    below = path.removeprefix("/v1")
    found = BY_PATH.get(below)
    if found is None and below.startswith("/models/"):
        model = unquote(below.removeprefix("/models/"))
        found = Route(dict.fromkeys(READ, partial(listing.model, name=model)))
    if found is None and (methods := methods_of(below)):
        found = Route(dict.fromkeys(methods, partial(stored, path=below)), "openai_responses")
    if found is None:
        raise UnknownRouteError(f"There is nothing at {path[:200]!r}. Clients call /v1/chat/completions, /v1/responses "
                                "and /v1/messages, or the same without /v1.")  # fmt: skip
    return found


def _check_head(gateway: Gateway, scope: Scope) -> None:
    """Refuse too many headers, no single host, and a foreign host name where no key protects this machine.

    A page in a browser may reach the loopback under a name of its own (DNS rebinding).
    """
    head = scope["headers"]
    if len(head) > MAX_HEADERS or sum(len(name) + len(value) for name, value in head) > MAX_HEAD_BYTES:
        raise BadRequestError("The request has too many headers.", status=431)
    hosts = [value for name, value in head if name == b"host"]
    if len(hosts) > 1 or (not hosts and scope["http_version"] != "1.0"):
        raise BadRequestError("The request needs one Host header.")
    if gateway.local_only and hosts and not _is_local(hosts[0].decode("latin-1")):
        text = "This host name is not served: without a master key, use localhost or an IP address."
        raise BadRequestError(text, status=421)


def _is_local(host: str) -> bool:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
