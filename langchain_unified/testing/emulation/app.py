"""The emulator as an ASGI application: routes, recorded requests, and the sending of answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from langchain_unified.errors import RequestError
from langchain_unified.profiles import known_models, profile_for
from langchain_unified.redaction import redacted
from langchain_unified.request import Provider, Request, WireName
from langchain_unified.testing.emulation.batches.anthropic import MessageBatches
from langchain_unified.testing.emulation.batches.files import MAX_BATCH_BYTES, Files
from langchain_unified.testing.emulation.batches.openai import Batches
from langchain_unified.testing.emulation.batches.reply import ManagedReply
from langchain_unified.testing.emulation.batches.routes import BatchApis, batch_routes
from langchain_unified.testing.emulation.codecs import codec_of
from langchain_unified.testing.emulation.delivery import CUT, DeliveryStep, content_length, delivery_steps
from langchain_unified.testing.emulation.endpoints import ENDPOINTS, EmulatedEndpoint
from langchain_unified.testing.emulation.providers import EmulatedAnswer, EmulatedProviders
from langchain_unified.testing.emulation.raw import RAW_PLANS, transport_of, write_raw
from langchain_unified.testing.emulation.rules.rule import error_body
from langchain_unified.wires import DOORS
from langchain_unified.wires._door import ModelEntry

CREDENTIAL_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "cookie", "proxy-authorization"})
"""Headers that are not recorded."""

CACHING_FACTS = ("cache_minimum", "cache_breakpoints", "effort_default")
"""Fields of a model's profile that a body does not show and that its prompt cache depends on."""


@dataclass(repr=False)
class Recorded:
    """A request as it was received. Header names are lower case, without credentials.

    `body`: the parsed JSON, `None` if it is not JSON. `endpoint`: `anthropic.messages`, `openai.chat`, …, `models`;
    `None` for an unknown address. `status`: of the answer; `None` before it, 0 if the connection was closed instead.
    Endpoints of batches and files are named like the SDK's methods: `anthropic.batches.create`, `openai.files.content`.
    `fault`: the kind of the fault that was injected, if any. `disconnected`: whether the client closed the connection
    before the end of the answer. `time`: of the emulator's clock at arrival, in seconds of Unix time.
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

    def __repr__(self) -> str:
        """Without headers and query values, and with the secrets of the body hidden: test reports show it."""
        body = redacted(self.body) if isinstance(self.body, dict) else self.body
        return f"Recorded({self.method} {self.path}, query={list(self.query)}, status={self.status}, body={body!r})"

    @property
    def wire(self) -> WireName | None:
        """The wire of the request; `None` if the address takes no conversation."""
        return next((each.wire for each in ENDPOINTS.values() if each.name == self.endpoint), None)

    @property
    def request(self) -> Request | None:
        """The body as a request of this package; `None` if it does not ask a model."""
        if self.wire is None or self.provider is None or not isinstance(self.body, dict):
            return None
        try:
            request = codec_of(self.wire).read_request(self.body, self.headers)
        except RequestError:
            return None
        facts = profile_for(self.provider, request.model)
        profile = replace(request.profile, **{name: getattr(facts, name) for name in CACHING_FACTS})
        return replace(request, profile=profile)


@dataclass
class _App:
    """The handlers of all routes, with what they share. `requests` are in order of arrival."""

    providers: EmulatedProviders
    requests: list[Recorded] = field(default_factory=list)

    def record(self, request: HttpRequest, body: Any, provider: Provider | None, endpoint: str | None) -> Recorded:
        headers = {name: value for name, value in request.headers.items() if name not in CREDENTIAL_HEADERS}
        recorded = Recorded(
            request.method, request.url.path, dict(request.query_params), headers, body, provider, endpoint
        )
        recorded.time = self.providers.clock.now
        self.requests.append(recorded)
        return recorded

    def handler_of(self, endpoint: EmulatedEndpoint) -> Callable[[HttpRequest], Awaitable[Response]]:
        """The handler of an endpoint that takes a body."""

        async def handle(request: HttpRequest) -> Response:
            body = _parsed(await request.body())
            recorded = self.record(request, body, endpoint.provider, endpoint.name)
            headers = dict(request.headers)
            if self.providers.answers.may_block:
                answer = await asyncio.to_thread(self.providers.answer, endpoint, body, headers)
            else:
                answer = self.providers.answer(endpoint, body, headers)
            return _Delivery(answer, recorded)

        return handle

    async def stored_response(self, request: HttpRequest) -> Response:
        """A stored response of OpenAI's, by its id."""
        return self._stored(request)

    async def cancelled_response(self, request: HttpRequest) -> Response:
        """The end of a response that is made in the background."""
        return self._stored(request, cancel=True)

    def _stored(self, request: HttpRequest, *, cancel: bool = False) -> Response:
        recorded = self.record(request, None, "openai", "stored response")
        response_id = request.path_params["response"]
        return _Delivery(self.providers.stored(response_id, dict(request.headers), cancel=cancel), recorded)

    async def managed(
        self, request: HttpRequest, body: Any, provider: Provider, name: str, carry_out: Callable[[], ManagedReply]
    ) -> Response:
        """A request about a batch or a file."""
        recorded = self.record(request, body, provider, name)
        # In a thread, as the items of a batch may take long.
        answer = await asyncio.to_thread(self.providers.managed, name, provider, dict(request.headers), carry_out)
        return _Delivery(answer, recorded)

    async def models(self, request: HttpRequest) -> Response:
        """The list of models, or one of them, in the form of the caller's provider."""
        provider = _caller_provider(request)
        recorded = self.record(request, None, provider, "models")
        refused = self.providers.refused_key(provider, dict(request.headers))
        if refused is not None:
            return _Delivery(refused, recorded)
        model = request.path_params.get("model")
        names = known_models(provider)
        if model is not None and model not in names:
            return _not_found(recorded, provider, f"model: {model}", "model_not_found")
        door = DOORS[MODEL_LISTS[provider]]
        if model is not None:
            recorded.status = 200
            return JSONResponse(door.model_reply(_entry(provider, model)))
        try:
            body = door.models_reply([_entry(provider, name) for name in names], dict(request.query_params))
        except RequestError as error:
            recorded.status = 400
            return JSONResponse(error_body(provider, "req_0", "invalid_request_error", str(error)), 400)
        recorded.status = 200
        return JSONResponse(body)

    async def unknown(self, request: HttpRequest) -> Response:
        """Any other address."""
        recorded = self.record(request, _parsed(await request.body()), None, None)
        message = f"Invalid URL ({request.method} {request.url.path})"
        return _not_found(recorded, _caller_provider(request), message, "unknown_url")


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        return None


def _caller_provider(request: HttpRequest) -> Provider:
    """The provider that a client of an address without a body expects."""
    return "anthropic" if "anthropic-version" in request.headers else "openai"


def _not_found(recorded: Recorded, provider: Provider, message: str, code: str) -> Response:
    recorded.status = 404
    kind = "not_found_error" if provider == "anthropic" else "invalid_request_error"
    return JSONResponse(error_body(provider, "req_0", kind, message, code=code), 404)


# --- models -----------------------------------------------------------------------------------------------------------


MODEL_LISTS: Mapping[Provider, WireName] = {"anthropic": "anthropic_messages", "openai": "openai_responses"}
"""By provider, the API whose list of models it has."""


def _entry(provider: Provider, name: str) -> ModelEntry:
    profile = profile_for(provider, name)
    return ModelEntry(name, max_input_tokens=profile.max_input_tokens, max_output_tokens=profile.max_output_tokens)


# --- sending ----------------------------------------------------------------------------------------------------------


class _Delivery(Response):
    """Sends an answer step by step. It stops when the client closes the connection."""

    def __init__(self, answer: EmulatedAnswer, recorded: Recorded) -> None:
        self.answer = answer
        self.recorded = recorded
        self.background = None
        is_lost = answer.fault is not None and answer.fault.kind == "lost_answer"
        recorded.status = 0 if is_lost else answer.status
        recorded.fault = answer.fault.kind if answer.fault else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        disconnected = asyncio.Event()
        watcher = asyncio.create_task(_watch(receive, disconnected))
        try:
            await self._send(receive, send, disconnected)
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    async def _send(self, receive: Receive, send: Send, disconnected: asyncio.Event) -> None:
        answer = self.answer
        if self.recorded.status == 0:
            answer.on_start()
            await _close_connection(receive, disconnected)
            return
        if answer.fault is not None and answer.fault.kind in RAW_PLANS:
            answer.on_start()
            await write_raw(receive, answer, answer.fault, disconnected)
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": self._asgi_headers()})
        answer.on_start()
        for step in delivery_steps(answer.payload, answer.fault):
            if disconnected.is_set():
                self.recorded.disconnected = True
                return
            if step is CUT:
                await _close_connection(receive, disconnected)
                return
            await _follow(step, send, disconnected)
        self.recorded.disconnected = disconnected.is_set()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _asgi_headers(self) -> list[tuple[bytes, bytes]]:
        length = content_length(self.answer.payload, self.answer.fault)
        more = {} if length is None else {"content-length": str(length)}
        return [(name.encode(), value.encode("latin-1")) for name, value in {**self.answer.headers, **more}.items()]


async def _watch(receive: Receive, disconnected: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    disconnected.set()


async def _follow(step: DeliveryStep, send: Send, disconnected: asyncio.Event) -> None:
    if isinstance(step, bytes):
        await send({"type": "http.response.body", "body": step, "more_body": True})
        # So that the loop sees a disconnect, and each event leaves by itself.
        await asyncio.sleep(0)
    elif isinstance(step, int | float):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(disconnected.wait(), step)


async def _close_connection(receive: Receive, disconnected: asyncio.Event) -> None:
    """Close the connection in the middle of an answer. ASGI cannot, so uvicorn's transport is closed directly."""
    transport = transport_of(receive)
    if transport is None:
        raise ConnectionAbortedError("The emulator closed this connection on purpose.")
    transport.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(disconnected.wait(), 1)


def _batch_apis(providers: EmulatedProviders) -> BatchApis:
    settings, clock = providers.batches, providers.clock
    files = Files(clock, settings.max_bytes or MAX_BATCH_BYTES)
    return BatchApis(MessageBatches(providers, clock, settings), Batches(providers, clock, settings, files), files)


def build_app(providers: EmulatedProviders) -> tuple[Starlette, list[Recorded]]:
    """The application, and the list in which it records the requests."""
    app = _App(providers)
    routes = batch_routes(_batch_apis(providers), app.managed)
    routes += [Route(path, app.handler_of(endpoint), methods=["POST"]) for path, endpoint in ENDPOINTS.items()]
    routes.append(Route("/v1/responses/{response}", app.stored_response))
    routes.append(Route("/v1/responses/{response}/cancel", app.cancelled_response, methods=["POST"]))
    routes += [Route("/v1/models", app.models), Route("/v1/models/{model:path}", app.models)]
    routes.append(Route("/{path:path}", app.unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
    return Starlette(routes=routes), app.requests
