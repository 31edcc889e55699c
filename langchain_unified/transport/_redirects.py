"""Redirects: followed to the same server only. Another one would get the prompt and the headers of the call."""

from __future__ import annotations

from typing import Any

REFUSED = "langchain_unified.redirect"
"""The key of a response's extensions under which the target of a refused redirect stands."""

MESSAGE = (
    "the server redirects to {target}, which is another server: the prompt and the headers do not go there. If you "
    "trust it, set base_url to its address"
)
DEFAULT_PORTS = {"http": 80, "https": 443}


def refuse_other_servers(response: Any) -> None:
    """Keep the HTTP client from following a redirect to another server. A hook of the client for each response."""
    if not response.has_redirect_location:
        return
    target = _target(response)
    if target is not None and _is_same_server(response.request.url, target):
        return
    response.extensions[REFUSED] = "an address that is not valid" if target is None else _origin(target)
    del response.headers["location"]


async def arefuse_other_servers(response: Any) -> None:
    """Async twin of `refuse_other_servers`."""
    refuse_other_servers(response)


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
