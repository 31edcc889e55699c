"""Sending calls: the SDK client for a call, its `post`, and the answer, the events or the error that come of it."""

from __future__ import annotations

import functools
import importlib
import os
import time
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langchain_unified.errors import ConfigurationError, UnifiedError, error_in
from langchain_unified.request import JsonObject, Provider
from langchain_unified.transport import gated, pools
from langchain_unified.transport._connected import Connected, Sender, prepare
from langchain_unified.transport._deadline import in_time
from langchain_unified.transport._errors import ErrorMapper, http_errors, media_type
from langchain_unified.transport._forms import FORM, form_files
from langchain_unified.transport._http import PoolKey, key_of
from langchain_unified.transport._json import dumps, loads, valid_text
from langchain_unified.transport._keys import (
    acall_key,
    call_key,
    client_key,
    given_client_with_key,
)
from langchain_unified.transport._limits import ENDS, NETWORK
from langchain_unified.transport._logs import hide_parameters, hide_secrets
from langchain_unified.transport._openings import abegin, begin
from langchain_unified.transport._retries import Attempts, asleep, attempts_of, log_retry
from langchain_unified.transport._streams import AsyncEventStream, EventReader, EventStream
from langchain_unified.transport.aws import CONTENT_TYPE as AWS_STREAM
from langchain_unified.transport.aws import AwsParser
from langchain_unified.transport.config import Answer, HttpCall, Sdk, TransportConfig
from langchain_unified.transport.sse import SSEParser

if TYPE_CHECKING:
    import httpx2  # imported at the first call

    from langchain_unified.transport._sdk_methods import TypedCall

NOT_STREAMED = frozenset({"application/json", "application/problem+json", "text/html"})
"""Media types that no event stream has. Streams of another type, or none, are read as server-sent events."""

OFFICIAL_URLS: Mapping[Provider, str] = {
    "anthropic": "https://api.anthropic.com",
    "openai": "https://api.openai.com/v1",
}
"""The addresses of the SDKs' clients, for the errors of answers that came in a batch."""

JSON = {"content-type": "application/json"}

RETRY_COUNT = "x-stainless-retry-count"
"""The header in which the SDKs count the retries of a call."""

ONE_KIND = "The model was given {given} only. Pass {missing} as well for {calls} calls."


class Transport:
    """Sends the calls of one configuration. It raises our errors, which are the SDK's as well (`errors.joined`).

    It may be used from many threads and event loops. It imports and connects nothing before its first call, and reads
    the environment once, at that call. Copies and pickles hold the configuration only.
    """

    def __init__(self, config: TransportConfig) -> None:
        self.config = config
        self._has_sdk_client = config.client is not None or config.async_client is not None
        self._has_key_function = callable(config.api_key)
        given = (config.client, config.async_client, config.http_client, config.http_async_client)
        self._given_network = config.network if any(client is not None for client in given) else None
        self._prepared: list[tuple[Any, bool]] = []
        # By whether each call brings its key, and whether it has a deadline.
        self._connected: dict[tuple[bool, bool], Connected] = {}
        self._aconnected: dict[tuple[bool, bool], Connected] = {}

    def __reduce__(self) -> tuple[type[Transport], tuple[TransportConfig]]:
        return (Transport, (self.config,))

    # --- sync ---------------------------------------------------------------------------------------------------------

    def send(self, call: HttpCall) -> Answer:
        """Send a call and read the answer. A request that fails is repeated, up to `max_retries` times."""
        if (gate := gated.GATE.get()) is not None and not gated.is_on_loop(gate):
            return gated.send(self, call, gate)
        mapper, attempts = ErrorMapper(self._sdk, call.model), attempts_of(call, self.config)
        while True:
            try:
                return self._answer(self._post(call, mapper, attempts, stream=False), mapper, attempts)
            except UnifiedError as error:
                if not attempts.may_repeat(error):
                    raise
                log_retry(error, attempts)
            time.sleep(attempts.wait)

    def stream(self, call: HttpCall) -> EventStream:
        """Send a call and wait for the first content of its stream. The other events come as the stream is read.

        A request that fails before its first content is repeated, up to `max_retries` times.
        """
        if (gate := gated.GATE.get()) is not None and not gated.is_on_loop(gate):
            return gated.stream(self, call, gate)
        mapper, attempts = ErrorMapper(self._sdk, call.model), attempts_of(call, self.config)
        while True:
            try:
                events = self._open(call, mapper, attempts)
                failure = begin(events, attempts, mapper)
            except UnifiedError as error:
                if not attempts.may_repeat(error):
                    raise
                failure = error
            else:
                if failure is None:
                    return events
                events.close()
            log_retry(failure, attempts)
            time.sleep(attempts.wait)

    def _open(self, call: HttpCall, mapper: ErrorMapper, attempts: Attempts) -> EventStream:
        response = self._post(call, mapper, attempts, stream=True)
        if media_type(response) in NOT_STREAMED:
            raise self._not_streamed(response, mapper, attempts)
        return EventStream(response, self._reader(response, mapper, call), self._sdk.request_id(response.headers))

    def close(self) -> None:
        """Give back the connections of sync calls. Those that no other transport uses are closed.

        A later call connects anew. Clients that were given to the model stay open.
        """
        self._connected.clear()
        for key in self._pool_keys:
            pools.release(key, self)

    def retire(self) -> None:
        """Close as `close` does, once this transport is garbage-collected: who still reads from it keeps it.

        Connections of async calls are closed with their event loop.
        """
        if self._connected:
            for key in self._pool_keys:
                pools.release_when_collected(key, self)

    def _post(self, call: HttpCall, mapper: ErrorMapper, attempts: Attempts, *, stream: bool) -> Any:
        attempts.made += 1
        token, network = ENDS.set(attempts.ends), NETWORK.set(self._given_network)
        try:
            client, templates = self._sender(call, attempts)
            if self.config.sdk_methods and (typed := _typed(client, call)) is not None:
                return typed.send(self._options(call, client, attempts, stream=stream), stream=stream)
            if templates is not None and (found := templates.find(call, attempts, stream=stream)) is not None:
                return templates.send(found, _content(call, stream=stream), stream=stream)
            arguments = self._arguments(call, client, attempts, self._sdk.stream_cls if stream else None)
            response = getattr(client, call.method.lower())(call.path, **arguments)
            if templates is not None:
                templates.learn(call, attempts, response, stream=stream)
            return response
        except UnifiedError:
            raise
        except Exception as exc:
            if (error := mapper.translate(exc)) is None:
                raise
            error = mapper.in_time(error, attempts)
            raise error from error.__cause__
        finally:
            ENDS.reset(token)
            NETWORK.reset(network)

    def _not_streamed(self, response: Any, mapper: ErrorMapper, attempts: Attempts) -> UnifiedError:
        token = ENDS.set(attempts.ends)
        try:
            return mapper.not_streamed(response, response.read())
        except http_errors() as exc:
            return mapper.in_time(mapper.network(exc), attempts)
        finally:
            ENDS.reset(token)
            response.close()

    def _sender(self, call: HttpCall, attempts: Attempts) -> Sender:
        config = self.config
        if self._has_sdk_client:
            if config.client is None:
                raise ConfigurationError(ONE_KIND.format(given="async_client", missing="client", calls="sync"))
            self._prepare_given(config.client, attempts)
            return Sender(given_client_with_key(config.client, call.api_key))
        key = call_key(config, call) if self._has_key_function or call.api_key is not None else None
        kind = (key is not None, attempts.ends is not None)
        connected = self._connected.get(kind)
        if connected is None or (connected.pool and not connected.pool.is_usable()):
            connected = self._connected[kind] = self._connect(*kind)
        return connected.sender if key is None else connected.sender_for(key, config)

    def _connect(self, key_per_call: bool, watched: bool) -> Connected:
        config, key = self.config, client_key(self.config, key_per_call=key_per_call)
        if config.http_client is not None:
            prepare(config.http_client, has_deadline=watched)
            return Connected(self._sdk, self._sdk.client(config, key, config.http_client))
        pool = pools.sync_pool(self._pool_keys[watched], self)
        client = pool.client((*self._settings, key), lambda: self._sdk.client(config, key, pool.http))
        return Connected(self._sdk, client, pool)

    # --- async --------------------------------------------------------------------------------------------------------

    async def asend(self, call: HttpCall) -> Answer:
        """Async twin of `send`."""
        if (gate := gated.GATE.get()) is not None and gated.is_on_loop(gate):
            return await gated.asend(self, call, gate)
        mapper, attempts = ErrorMapper(self._sdk, call.model), attempts_of(call, self.config)
        while True:
            try:
                return self._answer(await self._apost(call, mapper, attempts, stream=False), mapper, attempts)
            except UnifiedError as error:
                if not attempts.may_repeat(error):
                    raise
                log_retry(error, attempts)
            await asleep(attempts.wait)

    async def astream(self, call: HttpCall) -> AsyncEventStream:
        """Async twin of `stream`."""
        if (gate := gated.GATE.get()) is not None and gated.is_on_loop(gate):
            return await gated.astream(self, call, gate)
        mapper, attempts = ErrorMapper(self._sdk, call.model), attempts_of(call, self.config)
        while True:
            try:
                events = await self._aopen(call, mapper, attempts)
                failure = await abegin(events, attempts, mapper)
            except UnifiedError as error:
                if not attempts.may_repeat(error):
                    raise
                failure = error
            else:
                if failure is None:
                    return events
                await events.aclose()
            log_retry(failure, attempts)
            await asleep(attempts.wait)

    async def _aopen(self, call: HttpCall, mapper: ErrorMapper, attempts: Attempts) -> AsyncEventStream:
        response = await self._apost(call, mapper, attempts, stream=True)
        if media_type(response) in NOT_STREAMED:
            raise await self._anot_streamed(response, mapper, attempts)
        return AsyncEventStream(response, self._reader(response, mapper, call), self._sdk.request_id(response.headers))

    async def aclose(self) -> None:
        """Async twin of `close`: gives back the connections of async calls on the running event loop."""
        self._aconnected.clear()
        for key in self._pool_keys:
            await pools.arelease(key, self)

    async def _apost(self, call: HttpCall, mapper: ErrorMapper, attempts: Attempts, *, stream: bool) -> Any:
        attempts.made += 1
        token, network = ENDS.set(attempts.ends), NETWORK.set(self._given_network)
        try:
            client, templates = await self._asender(call, attempts)
            if self.config.sdk_methods and (typed := _typed(client, call)) is not None:
                options = self._options(call, client, attempts, stream=stream)
                return await in_time(typed.asend(options, stream=stream), attempts, mapper)
            if templates is not None and (found := templates.find(call, attempts, stream=stream)) is not None:
                return await templates.asend(found, _content(call, stream=stream), stream=stream)
            arguments = self._arguments(call, client, attempts, self._sdk.async_stream_cls if stream else None)
            sent = getattr(client, call.method.lower())(call.path, **arguments)
            response = await in_time(sent, attempts, mapper)
            if templates is not None:
                templates.learn(call, attempts, response, stream=stream)
            return response
        except UnifiedError:
            raise
        except Exception as exc:
            if (error := mapper.translate(exc)) is None:
                raise
            error = mapper.in_time(error, attempts)
            raise error from error.__cause__
        finally:
            ENDS.reset(token)
            NETWORK.reset(network)

    async def _anot_streamed(self, response: Any, mapper: ErrorMapper, attempts: Attempts) -> UnifiedError:
        token = ENDS.set(attempts.ends)
        try:
            return mapper.not_streamed(response, await in_time(response.aread(), attempts, mapper))
        except UnifiedError as error:
            return error
        except http_errors() as exc:
            return mapper.in_time(mapper.network(exc), attempts)
        finally:
            ENDS.reset(token)
            await response.aclose()

    async def _asender(self, call: HttpCall, attempts: Attempts) -> Sender:
        config = self.config
        if self._has_sdk_client:
            if config.async_client is None:
                raise ConfigurationError(ONE_KIND.format(given="client", missing="async_client", calls="async"))
            self._prepare_given(config.async_client, attempts)
            return Sender(given_client_with_key(config.async_client, call.api_key))
        key = await acall_key(config, call) if self._has_key_function or call.api_key is not None else None
        kind = (key is not None, attempts.ends is not None)
        connected = self._aconnected.get(kind)
        if connected is None or (connected.pool and not connected.pool.is_usable()):
            connected = self._aconnected[kind] = await self._aconnect(*kind)
        return connected.sender if key is None else connected.sender_for(key, config)

    async def _aconnect(self, key_per_call: bool, watched: bool) -> Connected:
        config, key = self.config, client_key(self.config, key_per_call=key_per_call)
        if config.http_async_client is not None:
            prepare(config.http_async_client, has_deadline=watched)
            return Connected(self._sdk, self._sdk.async_client(config, key, config.http_async_client))
        pool = await pools.async_pool(self._pool_keys[watched], self)
        client = pool.client((*self._settings, key), lambda: self._sdk.async_client(config, key, pool.http))
        return Connected(self._sdk, client, pool)

    # --- both ---------------------------------------------------------------------------------------------------------

    @cached_property
    def _sdk(self) -> Sdk:
        hide_parameters(name for name, _ in self.config.default_query)
        return load_sdk(self.config.provider)

    def _prepare_given(self, client: Any, attempts: Attempts) -> None:
        """Let the HTTP client of a given SDK client keep the limits of our calls."""
        has_deadline = attempts.ends is not None
        if (client, has_deadline) not in self._prepared:
            prepare(client, has_deadline=has_deadline)
            self._prepared.append((client, has_deadline))

    @cached_property
    def _pool_keys(self) -> tuple[PoolKey, PoolKey]:
        """The pool of calls without a deadline, and that of calls with one."""
        key = key_of(self.config)
        return key, replace(key, watched=True)

    @cached_property
    def _settings(self) -> tuple[Hashable, ...]:
        """What an SDK client is built from besides its key and HTTP client. Equal settings share a client."""
        config = self.config
        fields = (config.provider, config.base_url, config.organization, config.project, config.default_headers)
        environment = tuple(os.environ.get(name) for name in self._sdk.settings)
        return (*fields, repr(config.default_query), config.sdk_methods, environment)

    @cached_property
    def _timeout(self) -> httpx2.Timeout | None:
        return pools.http_timeout(self.config.timeout)

    def _arguments(
        self, call: HttpCall, client: Any, attempts: Attempts, stream_cls: type[Any] | None
    ) -> dict[str, Any]:
        """The arguments of `client.post`. `stream_cls=None`: not streamed."""
        stream = stream_cls is not None
        arguments: dict[str, Any] = {"cast_to": self._sdk.response_cls}
        if stream:
            arguments |= {"stream": True, "stream_cls": stream_cls}
        # Clients of other platforms move the model from the body into the path, so they need it as an object.
        if call.upload is not None:
            arguments |= {"body": call.body, "files": form_files(call.upload)}
        elif self._has_sdk_client and call.content is None and (body := _body(call, stream=stream)):
            arguments["body"] = body
        elif content := _content(call, stream=stream):
            arguments["content"] = content
        arguments["options"] = self._options(call, client, attempts, stream=stream)
        if call.upload is not None:
            arguments["options"]["headers"] = {**arguments["options"].get("headers", {}), **FORM}
        return arguments

    def _options(self, call: HttpCall, client: Any, attempts: Attempts, *, stream: bool) -> dict[str, Any]:
        # The SDK repeats nothing: two layers of retries would multiply.
        options: dict[str, Any] = {"max_retries": 0}
        if call.headers:
            options["headers"] = dict(call.headers)
        if attempts.made > 1:
            options["headers"] = {**call.headers, RETRY_COUNT: str(attempts.made - 1)}
        if call.query:
            hide_parameters(call.query)
            options["params"] = dict(call.query)
        timeout = self._timeout if call.timeout is None else pools.http_timeout(call.timeout)
        if stream and call.idle_timeout:
            timeout = pools.with_read_limit(timeout or pools.http_timeout(client.timeout), call.idle_timeout)
        if attempts.ends is not None:
            timeout = pools.with_limit(timeout or pools.http_timeout(client.timeout), attempts.remaining())
        if timeout is not None:
            options["timeout"] = timeout
        return options

    def _reader(self, response: Any, mapper: ErrorMapper, call: HttpCall) -> EventReader:
        parser = AwsParser() if media_type(response) == AWS_STREAM else SSEParser()
        reader = EventReader(parser, mapper, response, call.idle_timeout or None)
        reader.max_event = self.config.network.max_event_bytes or reader.max_event
        return reader

    def error_of(self, call: HttpCall, status: int, body: JsonObject) -> UnifiedError:
        """The error that `call` would raise for an answer with this status and body, which came in another way."""
        import httpx2

        base = (self.config.base_url or OFFICIAL_URLS[self.config.provider]).rstrip("/")
        request = httpx2.Request(call.method, f"{base}{call.path}")
        response = httpx2.Response(status, content=dumps(valid_text(body)), headers=JSON, request=request)
        mapper = ErrorMapper(self._sdk, call.model)
        if status >= 400 and (error := mapper.translate(self._sdk.status_error_of(response))) is not None:
            error.address = None
            return error
        return mapper.in_reply(response, body, error_in(body) or body)

    def _answer(self, response: Any, mapper: ErrorMapper, attempts: Attempts) -> Answer:
        try:
            data = loads(response.content)
        except ValueError:
            data = None
        except MemoryError:
            raise mapper.no_memory() from None
        if not isinstance(data, dict):
            raise mapper.not_json(response, response.content)
        if error := error_in(data):
            raise mapper.in_reply(response, data, error)
        return Answer(data, self._sdk.request_id(response.headers), response.headers, attempts.made)


def _body(call: HttpCall, *, stream: bool) -> JsonObject:
    is_asked_for = not stream or call.method != "POST" or call.body.get("stream") is True
    return call.body if is_asked_for else {**call.body, "stream": True}


def _content(call: HttpCall, *, stream: bool) -> bytes:
    """The body as JSON; empty where none is sent."""
    if call.content is not None:
        return call.content
    body = _body(call, stream=stream)
    if call.written is not None and call.written[0] is body:
        return call.written[1]
    return dumps(body) if body else b""


def _typed(client: Any, call: HttpCall) -> TypedCall | None:
    from langchain_unified.transport._sdk_methods import typed_call

    return typed_call(client, call)


SDK_MODULES: Mapping[Provider, str] = {
    "anthropic": "langchain_unified.transport.sdk_anthropic",
    "openai": "langchain_unified.transport.sdk_openai",
}


@functools.cache
def load_sdk(provider: Provider) -> Sdk:
    """The provider's SDK. The first call imports it, and only it."""
    sdk: Sdk = importlib.import_module(SDK_MODULES[provider]).SDK
    hide_secrets(provider)
    return sdk
