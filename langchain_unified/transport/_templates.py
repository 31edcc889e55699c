"""Requests that the SDK has made before, made again with another body.

Of a request only the body differs from call to call. Address, authentication and headers follow from the SDK's client
and the options of the call, and the SDK takes a fifth of a short call's time to work them out. Where it has made two
equal requests for equal options, later ones are copies of them with their own body, sent by the same HTTP client. What
differs between two requests (an idempotency key, the header of a trace) is thus never copied: such calls go by the SDK.

The SDK also makes the requests of clients that the caller gave or that fetch tokens (profiles, workload identities),
of retries and deadlines, of calls with a query or a timeout object of their own, and all requests while its debug log
is on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_unified.transport._retries import Attempts
from langchain_unified.transport.config import HttpCall, Sdk

if TYPE_CHECKING:
    import httpx2  # imported at the first call

MAX_TEMPLATES = 64
"""Kinds of calls whose requests one SDK client keeps. Headers that differ in each call would make it grow."""

Options: TypeAlias = tuple[object, ...]
"""What a request depends on besides its client and body."""


@dataclass(frozen=True, slots=True)
class Template:
    """A request without its body. `is_confirmed`: the SDK has made it twice."""

    url: httpx2.URL
    headers: httpx2.Headers
    timeout: Mapping[str, float | None]
    """Copied: the rest of a stream that is left is read with shorter ones, which are written into the request."""
    is_confirmed: bool = False


class Templates:
    """The requests of one SDK client and its HTTP client. They may be used from many threads."""

    def __init__(self, sdk: Sdk, http: Any) -> None:
        self._sdk = sdk
        self._http = http
        self._log = logging.getLogger(f"{sdk.provider}._base_client")
        self._found: dict[Options, Template] = {}

    def find(self, call: HttpCall, attempts: Attempts, *, stream: bool) -> Template | None:
        """The template for a call; `None` where the SDK has to make the request."""
        options = _options_of(call, attempts, stream=stream)
        found = None if options is None else self._found.get(options)
        if found is None or not found.is_confirmed or self._log.isEnabledFor(logging.DEBUG):
            return None
        return found

    def learn(self, call: HttpCall, attempts: Attempts, response: httpx2.Response, *, stream: bool) -> None:
        """Take the request of a response that the SDK has returned for a call."""
        options = _options_of(call, attempts, stream=stream)
        request = response.request
        if options is None or response.history or request.extensions.keys() != {"timeout"}:
            return
        headers = request.headers.copy()
        headers.pop("content-length", None)
        made = Template(request.url, headers, dict(request.extensions["timeout"]))
        if len(self._found) >= MAX_TEMPLATES:
            self._found.clear()
        self._found[options] = replace(made, is_confirmed=True) if self._found.get(options) == made else made

    def send(self, template: Template, content: bytes, *, stream: bool) -> httpx2.Response:
        """Send a request with this body. Raises what the SDK raises."""
        request = _request(template, content)
        try:
            response: httpx2.Response = self._http.send(request, stream=stream)
            if response.is_success:
                return response
            if not response.is_closed:
                response.read()
        except self._sdk.hidden_errors as exc:
            raise self._sdk.connection_error(request=request) from exc
        raise self._sdk.status_error_of(response)

    async def asend(self, template: Template, content: bytes, *, stream: bool) -> httpx2.Response:
        """Async twin of `send`."""
        request = _request(template, content)
        try:
            response: httpx2.Response = await self._http.send(request, stream=stream)
            if response.is_success:
                return response
            if not response.is_closed:
                await response.aread()
        except self._sdk.hidden_errors as exc:
            raise self._sdk.connection_error(request=request) from exc
        raise self._sdk.status_error_of(response)


def _options_of(call: HttpCall, attempts: Attempts, *, stream: bool) -> Options | None:
    """What the request of a call depends on; `None` where the SDK makes it."""
    timeout = call.timeout
    is_plain = attempts.made == 1 and attempts.ends is None and not call.query and call.method == "POST"
    if (
        not is_plain
        or call.upload is not None
        or not call.body
        or not (timeout is None or isinstance(timeout, int | float))
    ):
        return None
    return (call.path, timeout, stream and (call.idle_timeout or True), *call.headers.items())


def _request(template: Template, content: bytes) -> httpx2.Request:
    import httpx2

    extensions = {"timeout": dict(template.timeout)}
    return httpx2.Request("POST", template.url, headers=template.headers, content=content, extensions=extensions)
