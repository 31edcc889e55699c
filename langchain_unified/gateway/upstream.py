"""The HTTP client towards the providers: one pool of connections for the process. Nothing is parsed or decompressed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping

import aiohttp
from yarl import URL

from langchain_unified.errors import ConnectionFailedError, ReplyError, RequestTimeoutError, UnifiedError
from langchain_unified.gateway.deployments import Deployment

CONNECT_SECONDS = 10.0
MAX_REPLY_BYTES = 100_000_000
"""Bytes of a whole reply. The largest are images in base64."""
MAX_ERROR_BYTES = 1_000_000
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_SKIPPED = frozenset({"Accept", "Accept-Encoding", "User-Agent", "Content-Type"})
"""Headers that the client library would add: the client's own go up, or none."""


class UpstreamReply:
    """An answer whose headers have come. `close` ends it, also in the middle."""

    __slots__ = ("_response", "deployment", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, deployment: Deployment) -> None:
        self._response = response
        self.deployment = deployment
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    async def read(self, limit: int = MAX_REPLY_BYTES) -> bytes:
        """The whole body. Raises `ReplyError` if it is larger than `limit` bytes."""
        parts, size = [], 0
        async for part in self.chunks():
            parts.append(part)
            size += len(part)
            if size > limit:
                self.close()
                raise _named(ReplyError(f"The provider's answer is larger than {limit:,} bytes."), self.deployment)
        self.release()
        return b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body in the parts in which it comes. Raises our errors when the connection breaks or stays silent."""
        content = self._response.content
        try:
            while part := await content.readany():
                yield part
        except (aiohttp.ClientError, OSError) as error:
            self.close()
            raise _network_error(error, self.deployment) from None
        except BaseException:
            self.close()  # the client left: the provider has to stop
            raise

    def release(self) -> None:
        """Give the connection back to the pool; close it if the body was not read to its end."""
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()

    def close(self) -> None:
        """Close the connection."""
        self._response.close()


class Upstream:
    """Sends requests to deployments. Make it inside the event loop; `close` at the end."""

    def __init__(self, *, max_connections: int = 2000) -> None:
        trusts_env = any(os.environ.get(name) or os.environ.get(name.lower()) for name in _PROXY_VARIABLES)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=max_connections, keepalive_timeout=60, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_SKIPPED,
            trust_env=trusts_env,
        )
        self._urls: dict[str, URL] = {}

    async def post(
        self,
        deployment: Deployment,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        stream: bool,
        query: str = "",
    ) -> UpstreamReply:
        """Send a body. Returns when the headers of the answer have come, whatever its status is."""
        return await self._send("POST", deployment, path + query, body, headers, stream=stream)

    async def ask(self, method: str, deployment: Deployment, path: str, headers: Mapping[str, str]) -> UpstreamReply:
        """Send a request without a body, as `post` does."""
        return await self._send(method, deployment, path, None, headers, stream=False)

    async def _send(
        self,
        method: str,
        deployment: Deployment,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        stream: bool,
    ) -> UpstreamReply:
        limit = deployment.stream_timeout if stream and deployment.stream_timeout else deployment.timeout
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=deployment.timeout)
        try:
            async with asyncio.timeout(limit):
                response = await self._session.request(
                    method, self._url(deployment.base_url + path), data=body, headers=headers, timeout=timeout,
                    allow_redirects=False,
                )  # fmt: skip
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise _network_error(error, deployment) from None
        except (ValueError, TypeError):
            text = f"A header or the address of {deployment.label} is not one that HTTP can carry."
            raise _named(ConnectionFailedError(text), deployment) from None
        return UpstreamReply(response, deployment)

    def _url(self, address: str) -> URL:
        found = self._urls.get(address)
        if found is None:
            found = URL(address, encoded=True)
            if len(self._urls) < MAX_URLS:
                self._urls[address] = found
        return found

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


MAX_URLS = 1000


def _network_error(error: Exception, deployment: Deployment) -> UnifiedError:
    """Our error for a failed connection or a timeout. The exception's own text may quote an address: only its kind."""
    if isinstance(error, TimeoutError):
        text = f"{deployment.provider}: nothing came in time from {URL(deployment.base_url).host}"
        return _named(RequestTimeoutError(text), deployment)
    text = f"{deployment.provider}: the connection to {URL(deployment.base_url).host} failed ({type(error).__name__})"
    return _named(ConnectionFailedError(text), deployment)


def _named(error: UnifiedError, deployment: Deployment) -> UnifiedError:
    error.provider, error.model = deployment.provider, deployment.model
    return error
