"""A call by the SDK's typed method (`messages.create`, …), where instrumentation of the SDKs sees it.

Instrumentation wraps these methods and reads their arguments and results; a call by `client.post` passes it by. The
result becomes an HTTP response again, so that the rest of the transport reads it as any other. It costs the SDK's work
per call and event, and its headers are gone but for the request id.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

from langchain_unified.transport.config import HttpCall

METHODS: Mapping[str, tuple[str, ...]] = {
    "/v1/messages": ("messages",),
    "/chat/completions": ("chat", "completions"),
    "/responses": ("responses",),
}
"""Path of an endpoint -> the resource of the SDK's client whose `create` sends to it. Others go by `client.post`."""

EVENT_STREAM = {"content-type": "text/event-stream"}


def typed_call(client: Any, call: HttpCall) -> TypedCall | None:
    """The call by the SDK's method; `None` where it has none."""
    names = METHODS.get(call.path) if call.method == "POST" else None
    create = None if names is None else getattr(functools.reduce(getattr, names, client), "create", None)
    return None if create is None else TypedCall(client, call, create)


@dataclass(frozen=True, slots=True)
class TypedCall:
    """One call, its client, and the method that sends it."""

    client: Any
    call: HttpCall
    create: Callable[..., Any]

    def send(self, options: Mapping[str, Any], *, stream: bool) -> httpx2.Response:
        """Send it with the options of `client.post`."""
        return self._response(self.create(**self._arguments(options, stream=stream)), stream=stream)

    async def asend(self, options: Mapping[str, Any], *, stream: bool) -> httpx2.Response:
        """Async twin of `send`."""
        return self._response(await self.create(**self._arguments(options, stream=stream)), stream=stream)

    def _arguments(self, options: Mapping[str, Any], *, stream: bool) -> dict[str, Any]:
        """The keywords: those of the method's parameters that the body has, and the rest as `extra_body`."""
        known, body = inspect.signature(self.create).parameters, self.call.body
        given = {key: value for key, value in body.items() if key in known}
        more = {
            "extra_headers": options.get("headers"),
            "extra_query": options.get("params"),
            "extra_body": {key: value for key, value in body.items() if key not in known} or None,
            # Without a timeout, anthropic's SDK refuses long answers that are not streamed.
            "timeout": options.get("timeout", self.client.timeout),
            "stream": True if stream else None,
        }
        return given | {key: value for key, value in more.items() if value is not None}

    def _response(self, result: Any, *, stream: bool) -> httpx2.Response:
        request = httpx2.Request("POST", str(self.client.base_url).rstrip("/") + self.call.path)
        if not stream:
            headers = {"content-type": "application/json", **_request_id(getattr(result, "_request_id", None))}
            return httpx2.Response(200, headers=headers, content=orjson.dumps(_data(result)), request=request)
        return httpx2.Response(200, headers={**_sent(result), **EVENT_STREAM}, stream=_Lines(result), request=request)


def _request_id(found: Any) -> dict[str, str]:
    return {"x-request-id": found, "request-id": found} if isinstance(found, str) else {}


def _sent(events: Any) -> dict[str, str]:
    """The headers of the SDK's own response, where what wraps the stream passes them on."""
    headers = getattr(getattr(events, "response", None), "headers", None) or {}
    return {str(name): str(value) for name, value in headers.items() if str(name).lower() not in OF_BODY}


OF_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding", "content-type"})
"""Headers of the body as it was sent; the events are decoded."""


def _data(result: Any) -> Any:
    """What the API sent: the SDK's models keep keys that they do not know, and which keys were there."""
    return result.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)


def _line(event: Any) -> bytes:
    return b"data: " + orjson.dumps(_data(event)) + b"\n\n"


class _Lines(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The events of the SDK's stream as the bytes of a response.

    The SDK's stream is read to its end: there instrumentation ends its span.
    """

    def __init__(self, events: Any) -> None:
        self.events = events

    def __iter__(self) -> Iterator[bytes]:
        for event in self.events:
            yield _line(event)
        yield END

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for event in self.events:
            yield _line(event)
        yield END

    def close(self) -> None:
        if (close := getattr(self.events, "close", None)) is not None:
            close()

    async def aclose(self) -> None:
        if (close := getattr(self.events, "aclose", None) or getattr(self.events, "close", None)) is not None:
            await close()


END = b"data: [DONE]\n\n"
