"""The requests that were received."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_unified.errors import RequestError
from langchain_unified.profiles import profile_for
from langchain_unified.redaction import redacted
from langchain_unified.request import Provider, Request, WireName
from langchain_unified.testing.emulation.codecs import codec_of
from langchain_unified.testing.emulation.endpoints import ENDPOINTS

CREDENTIAL_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "cookie", "proxy-authorization"})
"""Headers that are not recorded."""

CACHING_FACTS = ("cache_minimum", "cache_breakpoints", "effort_default")
"""Fields of a model's profile that a body does not show and that its prompt cache depends on."""


@dataclass(repr=False)
class Recorded:
    """A request as it was received. Header names are lower case, without credentials.

    `body`: the parsed JSON, `None` if it is not JSON. `endpoint`: `anthropic.messages`, `openai.chat`, …, `models`;
    `None` for an unknown address. `status`: of the answer; `None` before it, 0 if the connection was closed instead.
    Endpoints of batches and files are named like the SDK's methods: `anthropic.batches.create`, `openai.files.content`.
    `fault`: the kind of the fault that was injected, if any. `disconnected`: whether the client closed the connection
    before the end of the answer. `time`: of the emulator's clock at arrival, in seconds of Unix time.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None
    provider: Provider | None = None
    endpoint: str | None = None
    status: int | None = None
    fault: str | None = None
    disconnected: bool = False
    time: float | None = None

    def __repr__(self) -> str:
        """Without headers and query values, and with the secrets of the body hidden: test reports show it."""
        body = redacted(self.body) if isinstance(self.body, dict) else self.body
        return f"Recorded({self.method} {self.path}, query={list(self.query)}, status={self.status}, body={body!r})"

    @property
    def wire(self) -> WireName | None:
        """The wire of the request; `None` if the address takes no conversation."""
        return next((each.wire for each in ENDPOINTS.values() if each.name == self.endpoint), None)

    @property
    def request(self) -> Request | None:
        """The body as a request of this package; `None` if it does not ask a model."""
        if self.wire is None or self.provider is None or not isinstance(self.body, dict):
            return None
        try:
            request = codec_of(self.wire).read_request(self.body, self.headers)
        except RequestError:
            return None
        facts = profile_for(self.provider, request.model)
        profile = replace(request.profile, **{name: getattr(facts, name) for name in CACHING_FACTS})
        return replace(request, profile=profile)


@dataclass
class Recorder:
    """The requests in order of arrival: all of them, or the last `keep`. The counters count all in either case.

    `by_endpoint`: how many came to each endpoint, named as in `Recorded.endpoint`; `unknown` for other addresses.
    `by_status`: how many were answered with each status; 0 for a connection that was closed instead.
    """

    keep: int | None = None
    requests: list[Recorded] = field(default_factory=list)
    by_endpoint: Counter[str] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)

    def add(self, recorded: Recorded) -> None:
        """A request has arrived."""
        self.by_endpoint[recorded.endpoint or "unknown"] += 1
        if self.keep != 0:
            self.requests.append(recorded)
        if self.keep is not None and len(self.requests) > self.keep:
            del self.requests[0]

    def answered(self, recorded: Recorded, status: int) -> None:
        """Its answer is made."""
        recorded.status = status
        self.by_status[status] += 1
