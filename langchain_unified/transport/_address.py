"""A base URL's user name, password and query: an SDK sends the query as part of the path, and logs show both."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from langchain_unified.errors import ConfigurationError
from langchain_unified.redaction import safe_url


class Address(NamedTuple):
    """A base URL without user info and query, and what these become in a request."""

    base_url: str
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, object], ...] = ()


ENDPOINTS: Mapping[str, re.Pattern[str]] = {
    "anthropic": re.compile(r"/v1(/messages(/count_tokens)?)?/?(?=$|\?)"),
    "openai": re.compile(r"(?<=/v1)/(chat/completions|responses)/?(?=$|\?)"),
}
"""By provider, what its SDK adds to a base URL itself. Users paste the whole address, or OpenAI's form of it."""


def without_endpoint(base_url: str, provider: str) -> str:
    """The base URL without what the SDK adds to it."""
    return ENDPOINTS[provider].sub("", base_url, count=1)


def check(base_url: str) -> None:
    """Raise `ConfigurationError` for what no request can be sent to. The message shows no user, password and query."""
    problem = _problem(base_url)
    if problem:
        raise ConfigurationError(f"base_url is no address of a server: {problem}. It looks like https://host:port/v1.")
    if "://" not in base_url:
        raise ConfigurationError(f"base_url does not begin with http:// or https://.{_with_scheme(base_url)}")


def check_path(base_url: str, provider: str, known: str | None) -> None:
    """Raise `ConfigurationError` for a path that has `/v1` twice, or none where the server is known to have one.

    `known`: the server's base URL, where the table of servers has one for this address.
    """
    path = urlsplit(without_endpoint(base_url, provider)).path.rstrip("/")
    doubled = "/v1/v1" if provider == "openai" else "/v1"
    if path.endswith(doubled) and "/v1/v1" in base_url:
        shorter = safe_url(base_url[: base_url.index("/v1/v1")]) + ("/v1" if provider == "openai" else "")
        raise ConfigurationError(f"base_url has /v1 twice. Write base_url={shorter!r}.")
    if known and not path and urlsplit(known).path.strip("/"):
        raise ConfigurationError(f"base_url lacks its path: the API of this server is at {known}.")


def _with_scheme(base_url: str) -> str:
    """What was probably meant; nothing where the address may hold a secret, or is none."""
    rest = re.sub(r"^[a-z]{0,6}:?/+", "", base_url, flags=re.IGNORECASE)
    rest = re.sub(r"^https?:(?=[^/\d])", "", rest, flags=re.IGNORECASE)
    host = rest.partition("/")[0].partition(":")[0]
    if not host or base_url.startswith("/") or any(char in rest for char in "@?#"):
        return " Write https:// before the host."
    is_local = host in ("localhost", "0.0.0.0") or re.fullmatch(r"(127|10|192\.168)\.[\d.]+", host)  # noqa: S104
    address = f"{'http' if is_local else 'https'}://{rest}"
    return f" Write base_url={address!r}."


def _problem(base_url: str) -> str | None:
    if any(not char.isprintable() or char.isspace() for char in base_url):
        return "it holds a space, a line break or another control character"
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna") if host.isascii() else None
    except ValueError as exc:
        # Only the port and the host are named in these messages.
        return "its port is no number from 1 to 65535" if "ort" in str(exc) else "its host is no valid name"
    if "://" in base_url and parts.scheme not in ("http", "https"):
        return "it begins neither with http:// nor with https://"
    if "://" in base_url and not host:
        return "it has no host"
    return "its port is no number from 1 to 65535" if port == 0 else None


def split(base_url: str) -> Address:
    """The parts of a base URL. A user name and password become basic authentication."""
    parts = urlsplit(base_url)
    user_info, at, host = parts.netloc.rpartition("@")
    headers: tuple[tuple[str, str], ...] = ()
    if at:
        credentials = base64.b64encode(unquote(user_info).encode()).decode()
        headers = (("Authorization", f"Basic {credentials}"),)
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return Address(urlunsplit((parts.scheme, host, parts.path, "", "")), headers, query)
