"""The emulator's ASGI application: addresses, recorded requests, and the bytes of an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from langchain_unified.errors import RequestError
from langchain_unified.profiles import known_models, profile_for
from langchain_unified.request import JsonObject, Provider, WireName
from langchain_unified.request import Request as Asked
from langchain_unified.testing.emulation.codecs import codec_of
from langchain_unified.testing.emulation.delivery import CUT, Step, length, steps
from langchain_unified.testing.emulation.engine import ENDPOINTS, Answer, Endpoint, Engine
from langchain_unified.testing.emulation.rules.rule import error_body

SECRET = frozenset({"authorization", "x-api-key", "api-key", "cookie", "proxy-authorization"})
"""Headers that are not recorded."""


@dataclass
class Recorded:
    """A request as it came. Header names are lower case, credentials left out; `body` is parsed, `None` without JSON.

    `endpoint` is `anthropic.messages`, `openai.chat`, …, `models`, or `None` for an unknown address. `status` is what
    was answered (`None`: not yet; 0: the connection was closed instead), `fault` the kind of fault that was played,
    `disconnected` whether the client hung up before the end. `time` is the emulator's when it came.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None
    provider: Provider | None = None
    endpoint: str | None = None
    status: int | None = None
    fault: str | None = None
    disconnected: bool = False
    time: float | None = None

    @property
    def wire(self) -> WireName | None:
        """The API that was spoken; `None` at an address that takes no conversation."""
        return next((each.wire for each in ENDPOINTS.values() if each.name == self.endpoint), None)

    @property
    def request(self) -> Asked | None:
        """What the body asks for, in our vocabulary; `None` where it asks no model."""
        if self.wire is None or self.provider is None or not isinstance(self.body, dict):
            return None
        try:
            found = codec_of(self.wire).read_request(self.body, self.headers)
        except RequestError:
            return None
        facts = profile_for(self.provider, found.model)
        known = {name: getattr(facts, name) for name in OF_CACHING}
        return replace(found, profile=replace(found.profile, **known))


OF_CACHING = ("cache_minimum", "cache_breakpoints", "effort_default")
"""What no body shows of its model, and its cache depends on."""


@dataclass
class Desk:
    """What the addresses share: the engine, and the requests that came, in the order of arrival."""

    engine: Engine
    requests: list[Recorded] = field(default_factory=list)

    def record(self, request: Request, body: Any, provider: Provider | None, endpoint: str | None) -> Recorded:
        """Write a request down."""
        headers = {name: value for name, value in request.headers.items() if name not in SECRET}
        found = Recorded(
            request.method, request.url.path, dict(request.query_params), headers, body, provider, endpoint
        )
        found.time = self.engine.clock.now
        self.requests.append(found)
        return found

    def generates(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """The handler of an address that takes a body."""

        async def handle(request: Request) -> Response:
            body = _parsed(await request.body())
            recorded = self.record(request, body, endpoint.provider, endpoint.name)
            headers = dict(request.headers)
            if self.engine.answers.may_block:
                answer = await asyncio.to_thread(self.engine.answer, endpoint, body, headers)
            else:
                answer = self.engine.answer(endpoint, body, headers)
            return Delivery(answer, recorded)

        return handle

    async def models(self, request: Request) -> Response:
        """The list of models, or one of them, in the shape of the caller's provider."""
        provider: Provider = "anthropic" if "anthropic-version" in request.headers else "openai"
        recorded = self.record(request, None, provider, "models")
        refused = self.engine.refused_key(provider, dict(request.headers))
        if refused is not None:
            return Delivery(refused, recorded)
        wanted = request.path_params.get("model")
        names = known_models(provider)
        if wanted is not None and wanted not in names:
            return _missing(recorded, provider, f"model: {wanted}", "model_not_found")
        recorded.status = 200
        shape = SHAPES[provider]
        if wanted is not None:
            return JSONResponse(shape(wanted))
        ends = {"has_more": False, "first_id": names[0], "last_id": names[-1]} if provider == "anthropic" else {}
        listed = {"object": "list"} if provider == "openai" else {}
        return JSONResponse({**listed, "data": [shape(name) for name in names], **ends})

    async def unknown(self, request: Request) -> Response:
        """Any other address."""
        recorded = self.record(request, _parsed(await request.body()), None, None)
        provider: Provider = "anthropic" if "anthropic-version" in request.headers else "openai"
        return _missing(recorded, provider, f"Invalid URL ({request.method} {request.url.path})", "unknown_url")


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        return None


def _missing(recorded: Recorded, provider: Provider, message: str, code: str) -> Response:
    recorded.status = 404
    kind = "not_found_error" if provider == "anthropic" else "invalid_request_error"
    return JSONResponse(error_body(provider, "req_0", kind, message, code=code), 404)


# --- models -----------------------------------------------------------------------------------------------------------


def _anthropic_model(name: str) -> JsonObject:
    profile = profile_for("anthropic", name)
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": profile.max_input_tokens,
        "max_tokens": profile.max_output_tokens,
    }


def _openai_model(name: str) -> JsonObject:
    return {"id": name, "object": "model", "created": 0, "owned_by": "openai"}


SHAPES: Mapping[Provider, Callable[[str], JsonObject]] = {"anthropic": _anthropic_model, "openai": _openai_model}


# --- bytes ------------------------------------------------------------------------------------------------------------


class Delivery(Response):
    """An answer on its way: it follows the plan, and stops when the client hangs up."""

    def __init__(self, answer: Answer, recorded: Recorded) -> None:
        self.answer = answer
        self.recorded = recorded
        self.background = None
        recorded.status = answer.status
        recorded.fault = answer.fault.kind if answer.fault else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        gone = asyncio.Event()
        watcher = asyncio.create_task(_watch(receive, gone))
        try:
            await self._send(receive, send, gone)
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    async def _send(self, receive: Receive, send: Send, gone: asyncio.Event) -> None:
        answer = self.answer
        if answer.status == 0:
            await _hang_up(receive, gone)
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": self._head()})
        answer.started()
        for step in steps(answer.parcel, answer.fault):
            if gone.is_set():
                self.recorded.disconnected = True
                return
            if step is CUT:
                await _hang_up(receive, gone)
                return
            await _follow(step, send, gone)
        self.recorded.disconnected = gone.is_set()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _head(self) -> list[tuple[bytes, bytes]]:
        size = length(self.answer.parcel, self.answer.fault)
        more = {} if size is None else {"content-length": str(size)}
        return [(name.encode(), value.encode("latin-1")) for name, value in {**self.answer.headers, **more}.items()]


async def _watch(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


async def _follow(step: Step, send: Send, gone: asyncio.Event) -> None:
    if isinstance(step, bytes):
        await send({"type": "http.response.body", "body": step, "more_body": True})
        # Let the loop see a client that hung up, and events leave one by one.
        await asyncio.sleep(0)
    elif isinstance(step, int | float):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(gone.wait(), step)


async def _hang_up(receive: Receive, gone: asyncio.Event) -> None:
    """Close the connection under the protocol: ASGI has no word for it, so it is done on uvicorn's own transport."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("The emulator closed this connection on purpose.")
    transport.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gone.wait(), 1)


def build(engine: Engine) -> tuple[Starlette, list[Recorded]]:
    """The application, and the list that its requests are written into."""
    desk = Desk(engine)
    routes = [Route(path, desk.generates(endpoint), methods=["POST"]) for path, endpoint in ENDPOINTS.items()]
    routes += [Route("/v1/models", desk.models), Route("/v1/models/{model:path}", desk.models)]
    routes.append(Route("/{path:path}", desk.unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
    return Starlette(routes=routes), desk.requests
