"""HTTP clients: with the environment's proxies, or with one proxy, or with none; with the caller's certificates."""

from __future__ import annotations

import functools
import importlib
import os
import socket
import ssl
import urllib.request
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_unified._extras import install
from langchain_unified.errors import ConfigurationError
from langchain_unified.request import Provider
from langchain_unified.request.warned import warn
from langchain_unified.transport._redirects import acheck_response, check_response
from langchain_unified.transport._shards import shard
from langchain_unified.transport.config import Network, TransportConfig

if TYPE_CHECKING:
    import httpx2  # imported at the first call

MAX_CONNECTIONS = 1000
MAX_IDLE_CONNECTIONS = 100
"""Limits of one pool, equal to those of the SDKs' own clients. httpx2's pools are split and keep all (`_shards.py`)."""
IDLE_SECONDS = 60
"""How long an idle connection stays open. The SDKs' 5 s are shorter than the time between two turns of a chat."""
MAX_REDIRECTS = 5
"""Within one server. Each of them sends the prompt again."""
TIMEOUT = 600
CONNECT_TIMEOUT = 5
"""Seconds, equal to those of the SDKs' own clients."""
PROXY_VARIABLES = ("http", "https", "all", "no")


@dataclass(frozen=True, slots=True)
class PoolKey:
    """The network settings of a pool, with those of the environment. `watched`: its connections obey deadlines.

    `aiohttp`: the SDK whose aiohttp client sends async calls; `None`: httpx2 sends them.
    """

    proxy: str | None = field(repr=False)
    socket_options: tuple[tuple[int, int, int], ...] | None
    environment: tuple[tuple[str, str], ...] = field(repr=False)
    certificates: tuple[str | None, str | None]
    watched: bool = False
    network: Network = field(default_factory=Network)
    aiohttp: Provider | None = None


def key_of(config: TransportConfig) -> PoolKey:
    """The key of the configuration's pool. Reads the environment."""
    proxies = urllib.request.getproxies() if config.proxy is None else {}
    environment = tuple((name, proxies[name]) for name in PROXY_VARIABLES if proxies.get(name))
    certificates = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    aiohttp = config.provider if config.network.backend == "aiohttp" else None
    return PoolKey(
        config.proxy, config.socket_options, environment, certificates, network=config.network, aiohttp=aiohttp
    )


def http_client(key: PoolKey) -> httpx2.Client:
    """A client for sync calls."""
    import httpx2

    client: httpx2.Client = _client(key, httpx2.Client, httpx2.HTTPTransport, check_response)
    return client


def async_http_client(key: PoolKey) -> httpx2.AsyncClient:
    """A client for async calls. Raises `ConfigurationError` if aiohttp is wanted and not installed."""
    import httpx2

    if key.aiohttp is None:
        client: httpx2.AsyncClient = _client(key, httpx2.AsyncClient, httpx2.AsyncHTTPTransport, acheck_response)
        return client
    if key.socket_options is not None:
        warn("socket_options are not applied with http_backend='aiohttp'")
    kind = importlib.import_module(key.aiohttp).DefaultAioHttpClient
    try:
        client = kind(proxy=key.proxy, **_arguments(key, acheck_response))
    except RuntimeError:
        message = f"http_backend='aiohttp' needs aiohttp. Install it: {install('aiohttp')}"
        raise ConfigurationError(message) from None
    return client


def _client(key: PoolKey, kind: Any, transport: Any, on_response: Any) -> Any:
    from langchain_unified.transport._reuse import guard

    client = _client_with_proxies(key, kind, transport, _arguments(key, on_response))
    guard(client)
    if key.watched:
        from langchain_unified.transport._watched import watch  # imports httpcore2

        watch(client)
    shard(client, key.network.max_connections or MAX_CONNECTIONS, IDLE_SECONDS)
    return client


def _client_with_proxies(key: PoolKey, kind: Any, transport: Any, arguments: dict[str, Any]) -> Any:
    import httpx2

    if key.environment:
        if key.socket_options is not None:
            warn("socket_options are not applied where the environment names a proxy; pass proxy= to have both")
        return kind(**arguments)
    network = {"verify": arguments.pop("verify"), "limits": arguments.pop("limits")}
    options = key.socket_options if key.socket_options is not None else keep_alive()
    try:
        route = transport(proxy=key.proxy, socket_options=options, **network)
    except (ValueError, TypeError, httpx2.InvalidURL, ImportError) as exc:
        # The proxy's URL may hold a password, so the message does not quote it.
        message = f"The proxy cannot be used ({type(exc).__name__}). Check its scheme and host."
        raise ConfigurationError(message) from None
    return kind(transport=route, **arguments)


def _arguments(key: PoolKey, on_response: Any) -> dict[str, Any]:
    """What every HTTP client is built with."""
    import httpx2

    most = key.network.max_connections
    return {
        "verify": _ssl_context(*key.certificates, key.network.ca_bundle, key.network.client_cert),
        "limits": httpx2.Limits(
            max_connections=most or MAX_CONNECTIONS,
            max_keepalive_connections=most or MAX_IDLE_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
        ),
        "timeout": httpx2.Timeout(TIMEOUT, connect=CONNECT_TIMEOUT),
        "follow_redirects": True,
        "max_redirects": MAX_REDIRECTS,
        "event_hooks": {"response": [functools.partial(on_response, network=key.network)]},
        # Compressions that can be read in pieces, so that a small body does not become a large one at once.
        "headers": {"accept-encoding": "gzip, deflate"},
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    }


@functools.lru_cache(maxsize=16)
def _ssl_context(
    cert_file: str | None,
    cert_dir: str | None,
    ca_bundle: str | None = None,
    client_cert: str | tuple[str, str] | None = None,
) -> ssl.SSLContext:
    """One SSL context for all pools with equal arguments: making one takes 20 ms.

    `cert_file` and `cert_dir` are what the environment says; the HTTP client reads them there.
    """
    import httpx2

    try:
        if ca_bundle is None:
            context = httpx2.create_ssl_context()
        else:
            file, folder = (None, ca_bundle) if Path(ca_bundle).is_dir() else (ca_bundle, None)
            context = ssl.create_default_context(cafile=file, capath=folder)
        if client_cert is not None:
            files = (client_cert,) if isinstance(client_cert, str) else client_cert
            context.load_cert_chain(*files)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigurationError(
            f"The certificates cannot be read ({exc}). Check ca_bundle={ca_bundle!r} and client_cert={client_cert!r}."
        ) from None
    return context


def keep_alive() -> tuple[tuple[int, int, int], ...]:
    """TCP options that keep a connection through firewalls while a model thinks for minutes."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return tuple(options)
