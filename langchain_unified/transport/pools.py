"""Connections, shared by every transport with equal network settings: one pool for sync calls, one per event loop.

An async pool belongs to its event loop and is closed with it, in it: reused in another loop it would send requests
twice or not at all. Neither kind keeps cookies, for the transports that share a pool may act for different people.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import os
import socket
import ssl
import threading
import urllib.request
import warnings
from collections.abc import AsyncGenerator, Callable, Hashable, MutableMapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import httpx2

from langchain_unified.errors import ConfigurationError
from langchain_unified.transport.config import TransportConfig

LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60)
"""As the SDKs have them, but an idle connection is kept 60 s instead of 5: between two turns of a conversation."""
TIMEOUT = httpx2.Timeout(600, connect=5)
PROXIES = ("http", "https", "all", "no")
MAX_CLIENTS = 256

ClientT = TypeVar("ClientT", httpx2.Client, httpx2.AsyncClient)


@dataclass(frozen=True, slots=True)
class PoolKey:
    """The network settings of a pool, those of the environment included."""

    proxy: str | None = field(repr=False)
    socket_options: tuple[tuple[int, int, int], ...] | None
    environment: tuple[tuple[str, str], ...] = field(repr=False)
    certificates: tuple[str | None, str | None]


def key_of(config: TransportConfig) -> PoolKey:
    """The pool's key, with the environment as it is now."""
    proxies = urllib.request.getproxies() if config.proxy is None else {}
    environment = tuple((name, proxies[name]) for name in PROXIES if proxies.get(name))
    certificates = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    return PoolKey(config.proxy, config.socket_options, environment, certificates)


class Pool(Generic[ClientT]):
    """An HTTP client, the SDK clients built around it, and the transports that use it."""

    def __init__(self, http: ClientT) -> None:
        self.http: ClientT = http
        self.users: WeakSet[Any] = WeakSet()
        self.guard: AsyncGenerator[None, None] | None = None
        self._clients: dict[Hashable, Any] = {}

    def client(self, key: Hashable, build: Callable[[], Any]) -> Any:
        """The SDK client for `key`. They hold no connection, so that too many are simply forgotten."""
        found = self._clients.get(key)
        if found is None:
            if len(self._clients) >= MAX_CLIENTS:
                self._clients.clear()
            found = self._clients[key] = build()
        return found


_SYNC: dict[PoolKey, Pool[httpx2.Client]] = {}
_ASYNC: MutableMapping[asyncio.AbstractEventLoop, dict[PoolKey, Pool[httpx2.AsyncClient]]] = WeakKeyDictionary()
_lock = threading.Lock()


def sync_pool(key: PoolKey, user: Any) -> Pool[httpx2.Client]:
    """The pool for sync calls, with `user` among its users."""
    pool = _SYNC.get(key)
    if pool is None or user not in pool.users:
        with _lock:
            pool = _SYNC.get(key)
            if pool is None:
                pool = _SYNC[key] = Pool(_client(key, httpx2.Client, httpx2.HTTPTransport))
            pool.users.add(user)
    return pool


async def async_pool(key: PoolKey, user: Any) -> Pool[httpx2.AsyncClient]:
    """The pool of the running event loop, with `user` among its users."""
    loop = asyncio.get_running_loop()
    pool = _ASYNC.get(loop, {}).get(key)
    if pool is None:
        pool = Pool(_client(key, httpx2.AsyncClient, httpx2.AsyncHTTPTransport))
        with _lock:
            _forget_closed_loops()
            _ASYNC.setdefault(loop, {})[key] = pool
        pool.guard = _guard(loop, key, pool)
        await anext(pool.guard)
    if user not in pool.users:
        pool.users.add(user)
    return pool


async def _guard(
    loop: asyncio.AbstractEventLoop, key: PoolKey, pool: Pool[httpx2.AsyncClient]
) -> AsyncGenerator[None, None]:
    """Closes the pool when the event loop ends: `asyncio.run` closes the async generators that were begun in it."""
    try:
        yield
    finally:
        with _lock:
            pools = _ASYNC.get(loop, {})
            if pools.get(key) is pool:
                del pools[key]
        await pool.http.aclose()


def _forget_closed_loops() -> None:
    """A loop that was closed without its generators leaves a pool behind that refers to it."""
    for loop in [loop for loop in _ASYNC if loop.is_closed()]:
        del _ASYNC[loop]


def release(key: PoolKey, user: Any) -> None:
    """Close the sync pool, unless others use it."""
    with _lock:
        pool = _SYNC.get(key)
        if pool is None or user not in pool.users:
            return
        pool.users.discard(user)
        if pool.users:
            return
        del _SYNC[key]
    pool.http.close()


async def arelease(key: PoolKey, user: Any) -> None:
    """Close the running loop's pool, unless others use it."""
    pool = _ASYNC.get(asyncio.get_running_loop(), {}).get(key)
    if pool is None or user not in pool.users:
        return
    pool.users.discard(user)
    if not pool.users and pool.guard is not None:
        await pool.guard.aclose()


def _after_fork() -> None:
    """A child process must not write to its parent's connections."""
    global _lock  # noqa: PLW0603  # the parent's may be held by a thread that the child does not have
    _lock = threading.Lock()
    _SYNC.clear()
    _ASYNC.clear()


@atexit.register
def _at_exit() -> None:
    for pool in list(_SYNC.values()):
        pool.http.close()


with contextlib.suppress(AttributeError):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


# --- building ---------------------------------------------------------------------------------------------------------


def _client(key: PoolKey, kind: type[ClientT], transport: Any) -> ClientT:
    """A client with the environment's proxies, or one proxy, or none."""
    context = _ssl_context(*key.certificates)
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    common: dict[str, Any] = {"timeout": TIMEOUT, "follow_redirects": True, "cookies": jar}
    if key.environment:
        if key.socket_options is not None:
            warnings.warn(
                "socket_options are not applied where the environment names a proxy; pass proxy= to have both",
                stacklevel=2,
            )
        return kind(verify=context, limits=LIMITS, **common)
    options = key.socket_options if key.socket_options is not None else keep_alive()
    try:
        route = transport(verify=context, limits=LIMITS, proxy=key.proxy, socket_options=options)
    except (ValueError, TypeError, httpx2.InvalidURL, ImportError) as exc:
        # The proxy's URL may hold a password, so it is not quoted.
        told = f"The proxy cannot be used ({type(exc).__name__}). Check its scheme and host."
        raise ConfigurationError(told) from None
    return kind(transport=route, **common)


@functools.lru_cache(maxsize=4)
def _ssl_context(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    """One for all: making one takes 20 ms. The arguments are what it reads from the environment."""
    return httpx2.create_ssl_context()


def keep_alive() -> tuple[tuple[int, int, int], ...]:
    """TCP options that keep a connection through firewalls while a model thinks for minutes."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return tuple(options)
