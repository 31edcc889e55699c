"""Redirects: followed to the same server only. Another one would get the prompt and the headers of the call."""

from __future__ import annotations

from typing import Any

from langchain_unified.transport._limits import ENDS, NETWORK
from langchain_unified.transport.config import Network

REFUSED = "langchain_unified.redirect"
"""The key of a response's extensions under which the target of a refused redirect stands."""

MESSAGE = (
    "the server redirects to {target}, which is another server: the prompt and the headers do not go there. If you "
    "trust it, set base_url to its address"
)
SHORT = 100_000
"""Bytes of a body that is below every limit."""
DEFAULT_PORTS = {"http": 80, "https": 443}


def check_response(response: Any, network: Network | None = None, *, asynchronous: bool = False) -> None:
    """Refuse a redirect to another server, and limit the body. A hook of the HTTP client for each response.

    Without `network`, the client is one that the caller gave: only responses to our calls are checked.
    """
    network = network or NETWORK.get()
    if network is None:
        return
    if response.has_redirect_location:
        _refuse_other_servers(response)
    headers = response.headers
    length = headers.get("content-length", "")
    # A short body that says its length, as a server of these APIs sends it, needs no limit.
    is_short = "content-encoding" not in headers and length.isdecimal() and int(length) <= SHORT
    if not is_short or (ENDS.get() is not None and NETWORK.get() is not None):
        from langchain_unified.transport._bounds import bound  # imports httpx2

        bound(response, network, asynchronous=asynchronous)


async def acheck_response(response: Any, network: Network | None = None) -> None:
    """Async twin of `check_response`."""
    check_response(response, network, asynchronous=True)


def _refuse_other_servers(response: Any) -> None:
    target = _target(response)
    if target is not None and _is_same_server(response.request.url, target):
        return
    response.extensions[REFUSED] = "an address that is not valid" if target is None else _origin(target)
    del response.headers["location"]


def refused(response: Any) -> str | None:
    """The error message for a response whose redirect was refused; `None` for any other."""
    target = response.extensions.get(REFUSED)
    return None if target is None else MESSAGE.format(target=target)


def _target(response: Any) -> Any:
    try:
        return response.request.url.join(response.headers["location"])
    except Exception:  # noqa: BLE001 - the HTTP client's error for an address that it cannot read
        return None


def _is_same_server(url: Any, target: Any) -> bool:
    """Whether scheme, host and port are equal. From http to https of one host is no other server."""
    if url.host != target.host:
        return False
    if url.scheme == target.scheme:
        return _port(url) == _port(target)
    return (url.scheme, _port(url), target.scheme, _port(target)) == ("http", 80, "https", 443)


def _port(url: Any) -> int | None:
    return url.port if url.port is not None else DEFAULT_PORTS.get(url.scheme)


def _origin(url: Any) -> str:
    """Scheme, host and port. The path and the query may hold a secret."""
    port = "" if url.port is None else f":{url.port}"
    return f"{url.scheme}://{url.host}{port}"
