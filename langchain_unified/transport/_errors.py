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
from langchain_unified.transport._json import loads
from langchain_unified.transport.config import Sdk

# lru_cache keeps no signature.
_joined = cast(Callable[[type[UnifiedError], type[Exception]], type[UnifiedError]], errors.joined)

EXCERPT = 80
"""Characters of an unexpected body that a message shows."""

KEY_HEADERS = ("authorization", "x-api-key", "api-key", "proxy-authorization", "x-amz-security-token")
NO_KEY = ("could not resolve authentication method", "missing credentials")
"""How both SDKs begin the message that they found no key. It comes as a TypeError or as their base class."""


@dataclass(frozen=True, slots=True)
class ErrorMapper:
    """Makes the errors of one call to `model`."""

    sdk: Sdk
    model: str

    # --- exceptions ---------------------------------------------------------------------------------------------------

    def translate(self, exc: Exception) -> UnifiedError | None:
        """Our error for an exception of the SDK or of its HTTP client; `None` for any other exception."""
        sdk = self.sdk
        if isinstance(exc, sdk.status_error):
            return self._status(exc)
        if isinstance(exc, (*http_errors(), sdk.connection_error)):
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
        if isinstance(exc, sdk.timeout_error) or type(cause).__name__ in TIMEOUTS:
            message = _timeout_message(cause, request)
            error = self._no_response(errors.RequestTimeoutError, sdk.timeout_error, message, request)
        else:
            message = _failed_message(cause, request)
            error = self._no_response(errors.ConnectionFailedError, sdk.connection_error, message, request)
        return _with_cause(error, cause)

    def _no_response(self, ours: type[UnifiedError], theirs: type[Any], message: str, request: Any) -> UnifiedError:
        text = _without_keys(f"{self.sdk.provider}: {message}", request)
        return self._build(ours, text, theirs, vars(theirs(request=request)) | {"message": text})

    def _status(self, exc: Any) -> UnifiedError:
        response = exc.response
        body = _body_of(response)
        if body is None:
            code, message = None, _no_object(response)
        else:
            code, message, _ = _error_details(_error_of(body))
        ours = errors.classify(response.status_code, code, message)
        error = self._build(ours, self._message(response, code, message, body), type(exc), vars(exc), response)
        error.code = code
        error.request_id = error.request_id or _id_in(body)
        return error

    # --- replies ------------------------------------------------------------------------------------------------------

    def in_reply(self, response: Any, payload: JsonObject, error: JsonObject) -> UnifiedError:
        """The error for `error`, sent with status 200 in a reply or in an event of a stream."""
        code, message, status = _error_details(error)
        # The reply's status is 200. If the code is unknown, the error's type decides.
        kind = code if code in errors.BY_CODE else str(error.get("type"))
        ours = errors.classify(status, kind, message)
        text = self._message(response, code, message)
        theirs = self.sdk.error_in_reply(text, response, payload, error)
        made = self._build(ours, text, type(theirs), vars(theirs), response)
        made.code = code
        return made

    def not_json(self, response: Any, data: bytes) -> UnifiedError:
        """The error for a body, or the data of an event, that is not a JSON object."""
        what = f"the answer is not a JSON object ({media_type(response)}): {excerpt(data)}"
        return self._reply(response, f"{what}. Check base_url: something else may answer there.")

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
        return _without_keys(f"{head}: {message}{tail}", response.request)

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
    return body if isinstance(body, dict) else None


def _is_unread(response: Any) -> bool:
    return bool(response.is_closed and not response.is_stream_consumed)


def _error_of(body: JsonObject) -> JsonObject:
    """The error object of an error body. Other servers put its keys at the top, or the message under `detail`."""
    error = errors.error_in(body) or body
    if error.get("message"):
        return error
    message = error.get("detail") or error.get("error_description")
    return {**error, "message": str(message)[:500]} if message else error


def _error_details(error: JsonObject) -> tuple[str | None, str, int | None]:
    """`(code, message, status)`. Proxies give an HTTP status as the code: then the error's type is the code."""
    code, message = errors.describe(error)
    if code is None or not code.isdecimal():
        return code, message, None
    kind = error.get("type") or error.get("status")
    return (str(kind) if kind else None), message, int(code) if 400 <= int(code) < 600 else None


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


def http_errors() -> tuple[type[Exception], ...]:
    """The base classes of HTTP errors: of httpx2, and of the older httpx, which the caller's client may use."""
    loaded = [sys.modules[name] for name in ("httpx2", "httpx") if name in sys.modules]
    return tuple(kind for module in loaded for kind in (module.RequestError, module.StreamError))


def _with_cause(error: UnifiedError, cause: BaseException | None) -> UnifiedError:
    """The error with the HTTP client's as its cause. The SDK's own is left out: `error` is one of its class."""
    error.__cause__ = cause
    return error


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


def _without_keys(text: str, request: Any) -> str:
    """The text without the keys that the request carried: a server may have quoted one."""
    for name in KEY_HEADERS if request is not None else ():
        secret = request.headers.get(name, "").rpartition(" ")[2]
        if len(secret) >= 8:
            text = text.replace(secret, "***")
    return text
