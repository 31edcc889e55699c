"""A base URL's user name, password and query: an SDK sends the query as part of the path, and logs show both."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit


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
