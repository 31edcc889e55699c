"""Errors: what an SDK raises, or a reply holds, becomes one of our errors, which is also the SDK's."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from langchain_unified import errors
from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.transport._error_table import classify
from langchain_unified.transport._json import loads
from langchain_unified.transport._redirects import refused
from langchain_unified.transport._retries import Attempts
from langchain_unified.transport._secrets import hide_secrets_in_fields, without_secrets
from langchain_unified.transport.config import Sdk

# lru_cache keeps no signature.
_joined = cast(Callable[[type[UnifiedError], type[Exception]], type[UnifiedError]], errors.joined)

EXCERPT = 80
"""Characters of an unexpected body that a message shows."""

NO_KEY = ("could not resolve authentication method", "missing credentials")
"""How both SDKs begin the message that they found no key. It comes as a TypeError or as their base class."""


@dataclass(frozen=True, slots=True)
class ErrorMapper:
    """Makes the errors of one call to `model`."""

    sdk: Sdk
    model: str

    # --- exceptions ---------------------------------------------------------------------------------------------------

    def translate(self, exc: Exception) -> UnifiedError | None:  # noqa: PLR0911 - a table of checks
        """Our error for an exception of the SDK or of its HTTP client; `None` for any other exception."""
        sdk = self.sdk
        large: Any = exc if hasattr(exc, "is_too_large") else exc.__cause__
        if hasattr(large, "is_too_large"):
            return self._reply(large.response, str(large))
        if isinstance(exc, MemoryError) or isinstance(exc.__cause__, MemoryError):
            return self.no_memory()
        if isinstance(exc, sdk.status_error):
            return self._status(exc)
        if isinstance(exc, (*http_errors(), sdk.connection_error)) or _is_of_network(exc):
            return self.network(exc)
        if isinstance(exc, (TypeError, sdk.base_error)) and any(text in str(exc).lower() for text in NO_KEY):
            message = f"{sdk.provider}: no API key. Set {sdk.key_variable}, or pass api_key= to the model."
            return self._build(errors.MissingKeyError, message)
        if isinstance(exc, sdk.credentials_error):
            message = f"{sdk.provider}: {exc} Or set {sdk.key_variable}, or pass api_key= to the model."
            return self._build(errors.MissingKeyError, message, type(exc), vars(exc))
        if isinstance(exc, sdk.base_error):
            return self._build(errors.ConfigurationError, f"{sdk.provider}: {exc}", type(exc), vars(exc))
        return None

    def network(self, exc: Exception) -> UnifiedError:
        """The error for a failed connection or a timeout, raised by the SDK or its HTTP client."""
        sdk = self.sdk
        cause = (exc.__cause__ or exc) if isinstance(exc, sdk.connection_error) else exc
        request = _request_of(exc)
        if type(cause).__name__ == "LocalProtocolError":
            # Its message quotes the header, which may hold the key.
            return _with_cause(self._build(errors.ConfigurationError, BAD_HEADER.format(sdk.provider)), None)
        if any(text in str(cause) for text in HEADERS_TOO_LARGE):
            message = LARGE_HEADERS.format(sdk.provider, _address(request))
            return _with_cause(self._build(errors.ReplyError, message), cause)
        if found := NOT_REPEATED.get(type(cause).__name__):
            kind, what = found
            return _with_cause(self._build(kind, f"{sdk.provider}: {_address(request)} {what}"), cause)
        is_timeout = isinstance(exc, sdk.timeout_error) or type(cause).__name__ in TIMEOUTS
        if is_timeout and not _is_broken_aiohttp(cause):
            message = _timeout_message(cause, request)
            error = self._no_response(errors.RequestTimeoutError, sdk.timeout_error, message, request)
        else:
            message = _failed_message(cause, request)
            error = self._no_response(errors.ConnectionFailedError, sdk.connection_error, message, request)
        return _with_cause(error, cause)

    def _no_response(self, ours: type[UnifiedError], theirs: type[Any], message: str, request: Any) -> UnifiedError:
        text = without_secrets(f"{self.sdk.provider}: {message}", request)
        error = self._build(ours, text, theirs, vars(theirs(request=request)) | {"message": text})
        error.address = _address(request) if request is not None else None
        return error

    def _status(self, exc: Any) -> UnifiedError:
        response = exc.response
        if (redirect := refused(response)) is not None:
            message = self._message(response, None, redirect)
            return self._build(errors.ConfigurationError, message, type(exc), vars(exc), response)
        body = _body_of(response)
        found = Details(None, _no_object(response)) if body is None else details_of(_error_of(body))
        names = (*found.names, _amazon_name(response))
        ours = classify(response.status_code, names, found.message)
        message = found.message
        if response.status_code == 404:
            message = f"{message}. {not_found(self.sdk.provider, response.request, found.code)}"
        error = self._build(ours, self._message(response, found.code, message, body), type(exc), vars(exc), response)
        error.code = found.code
        error.request_id = error.request_id or _id_in(body)
        error.retry_after = found.retry_after if error.retry_after is None else error.retry_after
        return error

    # --- the deadline -------------------------------------------------------------------------------------------------

    def in_time(self, error: UnifiedError, attempts: Attempts) -> UnifiedError:
        """`error`, or that of the deadline where it is what ended the request."""
        is_cut = isinstance(error, errors.RequestTimeoutError | errors.ConnectionFailedError)
        if not (is_cut and attempts.is_over()):
            return error
        late = self.too_late(attempts, getattr(error, "request", None))
        return _with_cause(late, error.__cause__)

    def too_late(self, attempts: Attempts, request: Any = None) -> UnifiedError:
        """The error of a call that is not done at its deadline."""
        message = f"the call is not done within its deadline of {attempts.deadline:g} s (requests: {attempts.made})"
        error = self._no_response(errors.RequestTimeoutError, self.sdk.timeout_error, message, request)
        error.attempts = attempts.made
        return error

    # --- replies ------------------------------------------------------------------------------------------------------

    def in_reply(self, response: Any, payload: JsonObject, error: JsonObject) -> UnifiedError:
        """The error for `error`, sent with status 200 in a reply or in an event of a stream."""
        found = details_of(error)
        ours = classify(found.status, found.names, found.message)
        text = self._message(response, found.code, found.message, payload)
        theirs = self.sdk.error_in_reply(text, response, payload, error)
        made = self._build(ours, text, type(theirs), vars(theirs), response)
        made.code = found.code
        made.request_id = made.request_id or _id_in(payload)
        made.retry_after = found.retry_after if made.retry_after is None else made.retry_after
        return made

    def not_json(self, response: Any, data: bytes) -> UnifiedError:
        """The error for a body, or the data of an event, that is not a JSON object."""
        what = f"the answer is not a JSON object ({media_type(response)}): {excerpt(data)}"
        return self._reply(response, f"{what}. Check base_url: something else may answer there.")

    def no_memory(self) -> UnifiedError:
        """The error for a reply that the memory of the process does not hold."""
        return self._build(errors.ReplyError, NO_MEMORY.format(self.sdk.provider))

    def not_streamed(self, response: Any, data: bytes) -> UnifiedError:
        """The error for one body in answer to a stream request. If the body holds an error, it is that error."""
        try:
            payload = loads(data)
        except ValueError:
            return self.not_json(response, data)
        error = errors.error_in(payload) if isinstance(payload, dict) else None
        if error:
            return self.in_reply(response, payload, error)
        what = f"the server did not stream, it sent one {media_type(response)} body: {excerpt(data)}"
        return self._reply(response, f"{what}. Turn streaming off for this model, or check base_url.")

    def too_large(self, response: Any, limit: int) -> UnifiedError:
        """The error for an event that does not end."""
        return self._reply(
            response, f"an event of the stream is larger than {limit:,} bytes. Raise max_event_bytes if it should be"
        )

    def idle(self, response: Any, seconds: float) -> UnifiedError:
        """The error for a stream that stayed open for `seconds` without content."""
        message = f"{self.sdk.provider}: no content came for {seconds:g} s, though the stream stayed open"
        theirs = self.sdk.timeout_error(request=response.request)
        return self._build(errors.RequestTimeoutError, message, type(theirs), vars(theirs), response)

    def _reply(self, response: Any, what: str) -> UnifiedError:
        message = self._message(response, None, what)
        theirs = self.sdk.validation_error(response=response, body=None, message=message)
        return self._build(errors.ReplyError, message, type(theirs), vars(theirs), response)

    # --- both ---------------------------------------------------------------------------------------------------------

    def _message(self, response: Any, code: str | None, message: str, body: JsonObject | None = None) -> str:
        head = f"{self.sdk.provider} {response.status_code}" + (f" {code}" if code else "")
        request_id = self.sdk.request_id(response.headers) or _id_in(body)
        tail = f" (request id {request_id})" if request_id else ""
        return without_secrets(f"{head}: {message}{tail}", response.request)

    def _build(
        self,
        ours: type[UnifiedError],
        message: str,
        theirs: type[Exception] | None = None,
        fields: Mapping[str, Any] | None = None,
        response: Any = None,
    ) -> UnifiedError:
        """An instance of both classes with the fields of both. Calls neither constructor: their arguments differ."""
        kind = _joined(ours, theirs) if theirs else ours
        error = kind.__new__(kind, message)
        error.__dict__.update(fields or {})
        error.provider, error.model = self.sdk.provider, self.model or None
        if response is not None:
            error.__dict__.update(response=response, request=response.request, status_code=response.status_code)
            error.status = response.status_code
            error.request_id = self.sdk.request_id(response.headers)
            error.retry_after = retry_after(response.headers)
            error.address = _address(response.request)
        hide_secrets_in_fields(error.__dict__)
        return error


# --- bodies -----------------------------------------------------------------------------------------------------------


def _body_of(response: Any) -> JsonObject | None:
    """The body as a JSON object; `None` if it is not one, or was not read."""
    if _is_unread(response):
        return None
    try:
        body = loads(response.content)
    except ValueError:
        return None
    if isinstance(body, list) and body:
        body = body[0]  # Google's OpenAI-compatible API wraps the object in a list
    return body if isinstance(body, dict) else None


def _is_unread(response: Any) -> bool:
    return bool(response.is_closed and not response.is_stream_consumed)


def _error_of(body: JsonObject) -> JsonObject:
    """The error object of an error body. Other servers put its keys at the top, or the message under `detail`."""
    error = errors.error_in(body) or body
    if error.get("message"):
        return error
    message = error.get("detail") or error.get("error_description") or error.get("Message")
    return {**error, "message": str(message)[:500]} if message else error


@dataclass(frozen=True, slots=True)
class Details:
    """What an error object says. `names`: its codes and types, the most specific one first."""

    code: str | None
    message: str
    names: tuple[str, ...] = ()
    status: int | None = None
    retry_after: float | None = None


def details_of(error: JsonObject) -> Details:
    """The details of an error object. Proxies give an HTTP status as the code: then the error's type is the code."""
    code, message = errors.describe(error)
    status = None
    if code is not None and code.isdecimal() and 400 <= int(code) < 600:
        status, kind = int(code), error.get("type") or error.get("status")
        code = str(kind) if kind else None
    inner = [error.get(key) for key in ("details", "innererror", "metadata")]
    within = [item.get(key) for item in inner if isinstance(item, dict) for key in ("error_code", "code", "error_type")]
    beside = [code, *(error.get(key) for key in ("type", "status", "error_type", "__type"))]
    names = tuple(name for name in (*within, *beside) if isinstance(name, str))
    return Details(code, _with_upstream(message, error), names, status, _number(error.get("retry_after")))


def _with_upstream(message: str, error: JsonObject) -> str:
    """The message and, where a router hides it (OpenRouter's `metadata.raw`), that of the server behind it."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    return f"{message}: {raw[:MAX_UPSTREAM]}" if isinstance(raw, str) and raw not in message else message


MAX_UPSTREAM = 500
"""Characters that a message shows of an error of the server behind a router."""


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e9 else None


def _amazon_name(response: Any) -> str | None:
    """The name of Amazon's exception: `ThrottlingException:http://…`."""
    name = response.headers.get("x-amzn-errortype")
    return name.partition(":")[0] if name else None


def not_found(provider: str, request: Any, code: str | None) -> str:
    """What was asked for, and what is probably wrong."""
    path = request.url.path
    if "/v1/v1/" in path:
        remedy = "base_url ends in /v1, and the path begins with it: leave it out of base_url"
    elif code in MISSING_MODEL or (code or "").endswith("not_found_error"):
        remedy = "Check the model's name and whether this key may use it, then base_url"
    elif provider == "openai" and "/v1/" not in path:
        remedy = "Check base_url: that of most servers ends in /v1"
    else:
        remedy = "Check base_url, and that the server has this API and this model"
    return f"The call went to {_address(request)}. {remedy}"


MISSING_MODEL = frozenset({"model_not_found", "DeploymentNotFound", "ModelNotFound"})


def _no_object(response: Any) -> str:
    data = b"" if _is_unread(response) else response.content
    return f"the answer is not a JSON object ({media_type(response)}): {excerpt(data)}"


def _id_in(body: JsonObject | None) -> str | None:
    request_id = (body or {}).get("request_id")
    return request_id if isinstance(request_id, str) else None


def excerpt(data: bytes) -> str:
    """The first characters of a body, without markup: enough to recognise a proxy's page."""
    text = data[:4000].decode("utf-8", errors="replace")
    if "<" in text:
        text = re.sub(r"(?is)<(script|style)\b.*?(</\1>|$)|<!--.*?(-->|$)|<[^>]*(>|$)", " ", text)
    text = " ".join(text.split())
    if not text:
        return "nothing" if not data else "no text"
    return repr(text[:EXCERPT] + "…" if len(text) > EXCERPT else text)


# --- the network ------------------------------------------------------------------------------------------------------

TIMEOUTS: Mapping[str, str] = {
    "ConnectTimeout": "connect",
    "ReadTimeout": "read",
    "WriteTimeout": "write",
    "PoolTimeout": "pool",
}
"""Kind of timeout by the name of its exception: both HTTP clients that an SDK accepts use these names."""

BAD_HEADER = (
    "{}: a header's name or value is not one that HTTP can carry. Look for a line break or another control character "
    "in the API key and in default_headers."
)

HEADERS_TOO_LARGE = ("Receive buffer too long", "Too many headers", "Got more than")
"""How httpx2 and aiohttp refuse a reply with more headers than they take."""
LARGE_HEADERS = "{}: the headers of the reply from {} are larger than a client takes (100 kB). Check base_url."

NOT_REPEATED: Mapping[str, tuple[type[UnifiedError], str]] = {
    "TooManyRedirects": (errors.ConfigurationError, "redirects in a circle. Check base_url."),
    "DecodingError": (errors.ReplyError, "sent an answer that is not compressed as its header says."),
}
"""By exception of the HTTP client, what is wrong with an answer that came: the request is not sent again."""

NO_MEMORY = (
    "{}: the process has not enough memory to read the reply. Raise its limit, or lower max_reply_bytes and "
    "max_event_bytes to end such replies earlier."
)


def http_errors() -> tuple[type[Exception], ...]:
    """The base classes of HTTP errors: of httpx2, and of the older httpx, which the caller's client may use."""
    loaded = [sys.modules[name] for name in ("httpx2", "httpx") if name in sys.modules]
    return tuple(kind for module in loaded for kind in (module.RequestError, module.StreamError))


def _is_of_network(exc: BaseException) -> bool:
    """Whether an exception is of a library below the HTTP client, of which that lets some through."""
    return type(exc).__module__.partition(".")[0] in NETWORK_LIBRARIES


NETWORK_LIBRARIES = frozenset({"aiohttp", "httpcore2", "httpcore", "h11", "h2", "anyio", "ssl"})


def _with_cause(error: UnifiedError, cause: BaseException | None) -> UnifiedError:
    """The error with the HTTP client's as its cause. The SDK's own is left out: `error` is one of its class."""
    error.__cause__ = cause
    return error


def _is_broken_aiohttp(cause: BaseException) -> bool:
    """Whether aiohttp lost its connection: the SDKs' adapter reports that as a timeout while connecting."""
    inner = cause.__cause__
    return inner is not None and type(inner).__module__.startswith("aiohttp.") and not isinstance(inner, TimeoutError)


def _timeout_message(cause: BaseException, request: Any) -> str:
    kind = TIMEOUTS.get(type(cause).__name__, "read")
    seconds = request.extensions.get("timeout", {}).get(kind) if request is not None else None
    within = f" within {seconds:g} s" if isinstance(seconds, int | float) else ""
    return f"nothing came{within} ({kind} timeout) from {_address(request)}"


def _failed_message(cause: BaseException, request: Any) -> str:
    reason = " ".join(str(cause).split())[:200]
    return f"the connection to {_address(request)} failed ({type(cause).__name__}{': ' if reason else ''}{reason})"


def _address(request: Any) -> str:
    """Scheme, host, port and path. The query and the user info may hold secrets."""
    if request is None:
        return "the server"
    url = request.url
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{url.host}{port}{url.path}"


def _request_of(exc: Any) -> Any:
    try:
        return exc.request
    except (AttributeError, RuntimeError):
        return None


# --- headers ----------------------------------------------------------------------------------------------------------


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait before the next try, from `retry-after-ms` or `retry-after` (seconds or an HTTP date)."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    try:
        at = email.utils.parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return max(0.0, (at - dt.datetime.now(dt.UTC)).total_seconds())


def media_type(response: Any) -> str:
    """The response's media type in lower case, without parameters."""
    return (response.headers.get("content-type") or "no content type").partition(";")[0].strip().lower()
