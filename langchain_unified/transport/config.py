"""The transport's data: where calls go, a call, its answer, and the parts of an SDK. Imports no SDK and no httpx2."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import SecretStr

from langchain_unified.request import JsonObject, Provider
from langchain_unified.transport import _address

Timeout: TypeAlias = float | tuple[float, float] | Any
"""Seconds for everything, `(connect, read)` in seconds, or an SDK's `Timeout` object. The read timeout is per read."""

ApiKey: TypeAlias = SecretStr | Callable[[], str] | Callable[[], Awaitable[str]]
"""A key, or a function that returns one. The function is called for every request, so that keys can rotate."""


MAX_REPLY_BYTES = 100_000_000
"""Bytes of a whole reply. The largest are images in base64."""
MAX_EVENT_BYTES = 100_000_000
"""Bytes of one event of a stream."""
MAX_ERROR_BYTES = 1_000_000
"""Bytes that are read of an error's body, and of a page of HTML. The rest is left out."""


@dataclass(frozen=True, slots=True)
class Network:
    """How the connections of a pool are made.

    `ca_bundle`: a file or folder of authorities to trust; `None`: the environment's or the system's.
    `client_cert`: a file with certificate and key, or one for each. `max_connections=None`: 1000.
    `backend`: what sends async calls. `max_reply_bytes`, `max_event_bytes`, `max_error_bytes`: how much is read of a
    whole reply, of one event of a stream, and of an error's body, each decompressed; `None`: the constants above.
    """

    ca_bundle: str | None = None
    client_cert: str | tuple[str, str] | None = field(default=None, repr=False)
    max_connections: int | None = None
    backend: Literal["httpx", "aiohttp"] = "httpx"
    max_reply_bytes: int | None = None
    max_event_bytes: int | None = None
    max_error_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class TransportConfig:
    """Where calls go, and with which key. Configurations with equal network settings share connections.

    `base_url`: its user name and password are sent as basic authentication, its query with every request.
    `api_key=None`: the SDK looks for a key (environment variables, profiles, credentials).
    `timeout=None`: 600 s, and 5 s to connect. `max_retries=None`: 2. `max_retry_wait`: the longest wait before a retry,
    where the server says how long; `None`: 120 s. `deadline`: seconds for a call with all its retries and, of a stream,
    until its end; `None`: no limit.
    `http_client` and `http_async_client`: HTTP clients that the SDK's client sends with.
    `client` and `async_client`: SDK clients (Bedrock, Vertex, Foundry, Azure). A setting that is `None` here then stays
    as the client has it.
    The transport never closes clients that it was given.
    """

    provider: Provider
    base_url: str | None = None
    api_key: ApiKey | None = None
    organization: str | None = None
    project: str | None = None
    proxy: str | None = field(default=None, repr=False)
    timeout: Timeout | None = None
    max_retries: int | None = None
    max_retry_wait: float | None = None
    deadline: float | None = None
    default_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    default_query: tuple[tuple[str, object], ...] = field(default=(), repr=False)
    socket_options: tuple[tuple[int, int, int], ...] | None = None
    network: Network = field(default_factory=Network)
    http_client: Any | None = None
    http_async_client: Any | None = None
    client: Any | None = None
    async_client: Any | None = None
    sdk_methods: bool = False
    """Whether calls go out by the SDK's typed methods, where instrumentation of the SDKs sees them."""

    def __post_init__(self) -> None:
        if isinstance(self.api_key, str):
            object.__setattr__(self, "api_key", SecretStr(self.api_key))
        if self.base_url and (shorter := _address.without_endpoint(self.base_url, self.provider)) != self.base_url:
            object.__setattr__(self, "base_url", shorter)
        if self.base_url and ("@" in self.base_url or "?" in self.base_url):
            address = _address.split(self.base_url)
            object.__setattr__(self, "base_url", address.base_url)
            object.__setattr__(self, "default_headers", (*address.headers, *self.default_headers))
            object.__setattr__(self, "default_query", (*address.query, *self.default_query))


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is sent as the field `file` of a form."""

    name: str
    data: bytes = field(repr=False)
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One request: `path` below the base URL, and the body. An empty body is not sent.

    `timeout`, `max_retries`, `max_retry_wait`, `deadline`: instead of the configuration's. `None` keeps those.
    `api_key`: for this request only, over the same connections.
    `idle_timeout`: for streams, the seconds without content (pings do not count) after which the stream ends in an
    error. `None` or 0: no limit.
    `model`: for error messages.
    """

    path: str
    body: JsonObject = field(repr=False)
    method: Literal["POST", "GET", "DELETE"] = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, object] = field(default_factory=dict, repr=False)
    timeout: Timeout | None = None
    max_retries: int | None = None
    max_retry_wait: float | None = None
    deadline: float | None = None
    api_key: SecretStr | None = None
    idle_timeout: float | None = None
    model: str = ""
    content: bytes | None = field(default=None, repr=False)
    """A body that is JSON already, in the place of `body`."""
    written: tuple[JsonObject, bytes] | None = field(default=None, repr=False)
    """A body and its JSON, which is sent where `body` is this object."""
    upload: Upload | None = None
    """A file to send as a form, with `body` as its other fields."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON of a reply that was not streamed. `request_id` is the provider's; header names match in any case.

    `attempts`: the requests that it took.
    """

    data: JsonObject
    request_id: str | None
    headers: Mapping[str, str]
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Sdk:
    """The parts of a provider's SDK that the transport uses.

    `key_variable`: the environment variable of the API key, for error messages.
    `settings`: the environment variables that a client reads when it is built.
    `client(config, key, http)` and `async_client` build clients; `key=None` lets the SDK look for a key.
    `response_cls`: the HTTP response class, which `client.post(cast_to=…)` returns unparsed.
    `status_error_of(response)` builds the SDK's error for an answer with the status of an error.
    `hidden_errors`: exceptions of sending that the SDK raises as its connection error, whatever they are.
    `error_in_reply(message, response, payload, error)` builds the SDK's error for an error sent with status 200.
    """

    provider: Provider
    key_variable: str
    settings: tuple[str, ...]
    client: Callable[[TransportConfig, str | None, Any], Any]
    async_client: Callable[[TransportConfig, str | None, Any], Any]
    response_cls: type[Any]
    stream_cls: type[Any]
    async_stream_cls: type[Any]
    base_error: type[Exception]
    status_error: type[Exception]
    connection_error: type[Any]
    timeout_error: type[Any]
    validation_error: Callable[..., Exception]
    credentials_error: tuple[type[Exception], ...]
    hidden_errors: tuple[type[Exception], ...]
    error_in_reply: Callable[[str, Any, JsonObject, JsonObject], Exception]
    status_error_of: Callable[[Any], Exception]
    request_id_headers: tuple[str, ...]

    def request_id(self, headers: Mapping[str, str]) -> str | None:
        """The provider's id of the request, from the first of the headers that is there."""
        return next((headers[name] for name in self.request_id_headers if name in headers), None)
