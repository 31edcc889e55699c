"""The emulator as an ASGI application: its routes, and what records their requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from langchain_unified.errors import RequestError
from langchain_unified.profiles import known_models, profile_for
from langchain_unified.request import Provider, WireName
from langchain_unified.testing.emulation.batches.anthropic import MessageBatches
from langchain_unified.testing.emulation.batches.files import MAX_BATCH_BYTES, Files
from langchain_unified.testing.emulation.batches.openai import Batches
from langchain_unified.testing.emulation.batches.reply import ManagedReply
from langchain_unified.testing.emulation.batches.routes import NAMES, BatchApis, batch_routes
from langchain_unified.testing.emulation.endpoints import ENDPOINTS, EmulatedEndpoint
from langchain_unified.testing.emulation.exchange import EmulatedAnswer
from langchain_unified.testing.emulation.providers import EmulatedProviders
from langchain_unified.testing.emulation.recording import CREDENTIAL_HEADERS, Recorded, Recorder
from langchain_unified.testing.emulation.rules.rule import error_body
from langchain_unified.testing.emulation.sending import Delivery
from langchain_unified.wires import DOORS
from langchain_unified.wires._door import ModelEntry


@dataclass
class _App:
    """The handlers of all routes, with what they share."""

    providers: EmulatedProviders
    recorder: Recorder

    def record(self, request: HttpRequest, body: Any, provider: Provider | None, endpoint: str | None) -> Recorded:
        headers = {name: value for name, value in request.headers.items() if name not in CREDENTIAL_HEADERS}
        recorded = Recorded(
            request.method, request.url.path, dict(request.query_params), headers, body, provider, endpoint
        )
        recorded.time = self.providers.clock.now
        self.recorder.add(recorded)
        return recorded

    def _deliver(self, answer: EmulatedAnswer, recorded: Recorded) -> Response:
        return Delivery(answer, recorded, self.recorder)

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
            if self.providers.latency:
                await asyncio.sleep(self.providers.latency)
            return self._deliver(answer, recorded)

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
        return self._deliver(self.providers.stored(response_id, dict(request.headers), cancel=cancel), recorded)

    async def managed(
        self, request: HttpRequest, body: Any, provider: Provider, name: str, carry_out: Callable[[], ManagedReply]
    ) -> Response:
        """A request about a batch or a file."""
        recorded = self.record(request, body, provider, name)
        # In a thread, as the items of a batch may take long.
        answer = await asyncio.to_thread(self.providers.managed, name, provider, dict(request.headers), carry_out)
        return self._deliver(answer, recorded)

    async def models(self, request: HttpRequest) -> Response:
        """The list of models, or one of them, in the form of the caller's provider."""
        provider = _caller_provider(request)
        recorded = self.record(request, None, provider, "models")
        refused = self.providers.refused_key(provider, dict(request.headers))
        if refused is not None:
            return self._deliver(refused, recorded)
        model = request.path_params.get("model")
        names = known_models(provider)
        if model is not None and model not in names:
            return self._not_found(recorded, provider, f"model: {model}", "model_not_found")
        door = DOORS[MODEL_LISTS[provider]]
        if model is not None:
            self.recorder.answered(recorded, 200)
            return JSONResponse(door.model_reply(_entry(provider, model)))
        try:
            body = door.models_reply([_entry(provider, name) for name in names], dict(request.query_params))
        except RequestError as error:
            self.recorder.answered(recorded, 400)
            return JSONResponse(error_body(provider, "req_0", "invalid_request_error", str(error)), 400)
        self.recorder.answered(recorded, 200)
        return JSONResponse(body)

    async def unknown(self, request: HttpRequest) -> Response:
        """Any other address."""
        recorded = self.record(request, _parsed(await request.body()), None, None)
        message = f"Invalid URL ({request.method} {request.url.path})"
        return self._not_found(recorded, _caller_provider(request), message, "unknown_url")

    def _not_found(self, recorded: Recorded, provider: Provider, message: str, code: str) -> Response:
        self.recorder.answered(recorded, 404)
        kind = "not_found_error" if provider == "anthropic" else "invalid_request_error"
        return JSONResponse(error_body(provider, "req_0", kind, message, code=code), 404)

    async def hung_up(self, request: HttpRequest, error: Exception) -> Response:
        """A client that closed its connection in the middle of a request. Nobody reads the answer."""
        endpoint = ENDPOINTS.get(request.url.path)
        name = endpoint.name if endpoint else NAMES.get(request.url.path)
        recorded = self.record(request, None, _caller_provider(request), name)
        recorded.disconnected = True
        self.recorder.answered(recorded, 0)
        return Response(status_code=400)


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        return None


def _caller_provider(request: HttpRequest) -> Provider:
    """The provider that a client of an address without a body expects."""
    return "anthropic" if "anthropic-version" in request.headers else "openai"


# --- models -----------------------------------------------------------------------------------------------------------


MODEL_LISTS: Mapping[Provider, WireName] = {"anthropic": "anthropic_messages", "openai": "openai_responses"}
"""By provider, the API whose list of models it has."""


def _entry(provider: Provider, name: str) -> ModelEntry:
    profile = profile_for(provider, name)
    return ModelEntry(name, max_input_tokens=profile.max_input_tokens, max_output_tokens=profile.max_output_tokens)


def _batch_apis(providers: EmulatedProviders) -> BatchApis:
    settings, clock = providers.batches, providers.clock
    files = Files(clock, settings.max_bytes or MAX_BATCH_BYTES)
    return BatchApis(MessageBatches(providers, clock, settings), Batches(providers, clock, settings, files), files)


def build_app(providers: EmulatedProviders, recorder: Recorder) -> Starlette:
    """The application. It records the requests in `recorder`."""
    app = _App(providers, recorder)
    routes = batch_routes(_batch_apis(providers), app.managed)
    routes += [Route(path, app.handler_of(endpoint), methods=["POST"]) for path, endpoint in ENDPOINTS.items()]
    routes.append(Route("/v1/responses/{response}", app.stored_response))
    routes.append(Route("/v1/responses/{response}/cancel", app.cancelled_response, methods=["POST"]))
    routes += [Route("/v1/models", app.models), Route("/v1/models/{model:path}", app.models)]
    routes.append(Route("/{path:path}", app.unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
    return Starlette(routes=routes, exception_handlers={ClientDisconnect: app.hung_up})
