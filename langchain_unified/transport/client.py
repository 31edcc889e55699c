"""The calls themselves: an SDK client, its `post`, and what comes of it. Loaded by a transport's first call."""

from __future__ import annotations

import os
from collections.abc import Hashable
from functools import cached_property
from typing import Any

import httpx2

from langchain_unified.errors import ConfigurationError, UnifiedError, error_in
from langchain_unified.transport import pools
from langchain_unified.transport._errors import Failures, media_type
from langchain_unified.transport._json import dumps, loads
from langchain_unified.transport._keys import akey_now, fixed_key, key_now, rekeyed, rekeyed_ready
from langchain_unified.transport._sdk import Sdk, sdk_of
from langchain_unified.transport._streams import AsyncEventStream, EventReader, EventStream
from langchain_unified.transport.aws import CONTENT_TYPE as AWS_STREAM
from langchain_unified.transport.aws import AwsParser
from langchain_unified.transport.config import Answer, Call, TransportConfig
from langchain_unified.transport.sse import SSEParser

WHOLE = frozenset({"application/json", "application/problem+json", "text/html"})
"""Media types that no event stream has. Streams of another type, or none, are read as server-sent events."""

ONE_KIND = "The model was given {given} only. Pass {missing} as well for {calls} calls."


class Engine:
    """Sends the calls of one configuration."""

    def __init__(self, config: TransportConfig) -> None:
        self._config = config
        self._sdk: Sdk = sdk_of(config.provider)
        self._timeout = timeout_of(config.timeout)
        self._ready = config.client is not None or config.async_client is not None

    # --- sync ---------------------------------------------------------------------------------------------------------

    def send(self, call: Call) -> Answer:
        failures = Failures(self._sdk, call.model)
        return self._answer(self._post(call, failures, stream=False), failures)

    def stream(self, call: Call) -> EventStream:
        failures = Failures(self._sdk, call.model)
        response = self._post(call, failures, stream=True)
        if media_type(response) in WHOLE:
            raise self._whole(response, failures)
        return EventStream(response, _reader(response, failures, call), self._sdk.request_id(response.headers))

    def _post(self, call: Call, failures: Failures, *, stream: bool) -> Any:
        try:
            client = self._client(call)
            return client.post(call.path, **self._arguments(call, client, self._sdk.stream_cls if stream else None))
        except UnifiedError:
            raise
        except Exception as exc:
            if (error := failures.translate(exc)) is None:
                raise
            raise error from error.__cause__

    def _whole(self, response: Any, failures: Failures) -> UnifiedError:
        try:
            return failures.not_streamed(response, response.read())
        except httpx2.RequestError as exc:
            return failures.network(exc)
        finally:
            response.close()

    def _client(self, call: Call) -> Any:
        config = self._config
        if config.client is not None:
            return rekeyed_ready(config.client, call.api_key)
        if self._ready:
            raise ConfigurationError(ONE_KIND.format(given="async_client", missing="client", calls="sync"))
        key = key_now(config, call)
        fixed = fixed_key(config, has_own=key is not None)
        if config.http_client is not None:
            client = self._kept(self._sdk.client, fixed, config.http_client)
        else:
            pool = pools.sync_pool(self._pool_key, self)
            client = pool.client((*self._identity, fixed), lambda: self._sdk.client(config, fixed, pool.http))
        return client if key is None else rekeyed(client, key, config)

    def close(self) -> None:
        pools.release(self._pool_key, self)

    # --- async --------------------------------------------------------------------------------------------------------

    async def asend(self, call: Call) -> Answer:
        failures = Failures(self._sdk, call.model)
        return self._answer(await self._apost(call, failures, stream=False), failures)

    async def astream(self, call: Call) -> AsyncEventStream:
        failures = Failures(self._sdk, call.model)
        response = await self._apost(call, failures, stream=True)
        if media_type(response) in WHOLE:
            raise await self._awhole(response, failures)
        return AsyncEventStream(response, _reader(response, failures, call), self._sdk.request_id(response.headers))

    async def _apost(self, call: Call, failures: Failures, *, stream: bool) -> Any:
        try:
            client = await self._aclient(call)
            stream_cls = self._sdk.async_stream_cls if stream else None
            return await client.post(call.path, **self._arguments(call, client, stream_cls))
        except UnifiedError:
            raise
        except Exception as exc:
            if (error := failures.translate(exc)) is None:
                raise
            raise error from error.__cause__

    async def _awhole(self, response: Any, failures: Failures) -> UnifiedError:
        try:
            return failures.not_streamed(response, await response.aread())
        except httpx2.RequestError as exc:
            return failures.network(exc)
        finally:
            await response.aclose()

    async def _aclient(self, call: Call) -> Any:
        config = self._config
        if config.async_client is not None:
            return rekeyed_ready(config.async_client, call.api_key)
        if self._ready:
            raise ConfigurationError(ONE_KIND.format(given="client", missing="async_client", calls="async"))
        key = await akey_now(config, call)
        fixed = fixed_key(config, has_own=key is not None)
        if config.http_async_client is not None:
            client = self._kept(self._sdk.async_client, fixed, config.http_async_client)
        else:
            pool = await pools.async_pool(self._pool_key, self)
            client = pool.client((*self._identity, fixed), lambda: self._sdk.async_client(config, fixed, pool.http))
        return client if key is None else rekeyed(client, key, config)

    async def aclose(self) -> None:
        await pools.arelease(self._pool_key, self)

    # --- both ---------------------------------------------------------------------------------------------------------

    @cached_property
    def _pool_key(self) -> pools.PoolKey:
        return pools.key_of(self._config)

    @cached_property
    def _identity(self) -> tuple[Hashable, ...]:
        """Whatever a client is built from, its key excepted. The environment is read once."""
        config = self._config
        settings = tuple(os.environ.get(name) for name in self._sdk.settings)
        named = (config.provider, config.base_url, config.organization, config.project, config.default_headers)
        return (*named, repr(config.default_query), settings)

    def _kept(self, build: Any, fixed: str | None, http: Any) -> Any:
        """The SDK client around the caller's HTTP client, whose connections are the caller's. It lives as long."""
        around = vars(http).setdefault("_sdk_clients", {}) if hasattr(http, "__dict__") else {}
        key = (build, fixed, *self._identity)
        if key not in around:
            around[key] = build(self._config, fixed, http)
        return around[key]

    def _arguments(self, call: Call, client: Any, stream_cls: Any) -> dict[str, Any]:
        """What `client.post` gets. `stream_cls` is `None` for a whole reply."""
        body = call.body
        arguments: dict[str, Any] = {"cast_to": httpx2.Response}
        if stream_cls is not None:
            arguments |= {"stream": True, "stream_cls": stream_cls}
            body = body if body.get("stream") is True else {**body, "stream": True}
        # Clients of other platforms move the model from the body into the path, so they need it as an object.
        arguments |= {"body": body} if self._ready else {"content": dumps(body)}
        arguments["options"] = self._options(call, client, stream=stream_cls is not None)
        return arguments

    def _options(self, call: Call, client: Any, *, stream: bool) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if call.headers:
            options["headers"] = dict(call.headers)
        if call.query:
            options["params"] = dict(call.query)
        retries = call.max_retries if call.max_retries is not None else self._config.max_retries
        if retries is not None:
            options["max_retries"] = retries
        timeout = self._timeout if call.timeout is None else timeout_of(call.timeout)
        if stream and call.idle_timeout:
            timeout = _capped(timeout or timeout_of(client.timeout), call.idle_timeout)
        if timeout is not None:
            options["timeout"] = timeout
        return options

    def _answer(self, response: Any, failures: Failures) -> Answer:
        try:
            data = loads(response.content)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise failures.not_json(response, response.content)
        if error := error_in(data):
            raise failures.in_reply(response, data, error)
        return Answer(data, self._sdk.request_id(response.headers), response.headers)


def _reader(response: Any, failures: Failures, call: Call) -> EventReader:
    parser = AwsParser() if media_type(response) == AWS_STREAM else SSEParser()
    return EventReader(parser, failures, response, call.idle_timeout or None)


def timeout_of(timeout: Any) -> httpx2.Timeout | None:
    """The timeout as the HTTP client takes it; `None` where none is given."""
    if timeout is None or isinstance(timeout, httpx2.Timeout):
        return timeout
    if isinstance(timeout, tuple):
        connect, read = timeout
        return httpx2.Timeout(read, connect=connect)
    if isinstance(timeout, int | float):
        return httpx2.Timeout(timeout)
    # A timeout of the older httpx has the same four fields.
    return httpx2.Timeout(connect=timeout.connect, read=timeout.read, write=timeout.write, pool=timeout.pool)


def _capped(timeout: httpx2.Timeout | None, seconds: float) -> httpx2.Timeout:
    """The timeout with a read timeout of at most `seconds`, so that silence ends a stream as well."""
    timeout = timeout or httpx2.Timeout(None)
    read = seconds if timeout.read is None else min(timeout.read, seconds)
    return httpx2.Timeout(connect=timeout.connect, read=read, write=timeout.write, pool=timeout.pool)
