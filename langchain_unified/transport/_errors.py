"""What an SDK raises, and what a reply says, as one of our errors that is the SDK's as well."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx2

from langchain_unified import errors
from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.transport._json import loads
from langchain_unified.transport._sdk import Sdk

# lru_cache keeps no signature.
_joined = cast(Callable[[type[UnifiedError], type[Exception]], type[UnifiedError]], errors.joined)

EXCERPT = 80
"""Characters of an unexpected body that a message shows."""

KEY_HEADERS = ("authorization", "x-api-key", "api-key", "proxy-authorization", "x-amz-security-token")
NO_KEY = ("could not resolve authentication method", "missing credentials")
"""How both SDKs begin to say that they found no key; it is a bare TypeError or their base class."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Makes the errors of one call."""

    sdk: Sdk
    model: str

    def translate(self, exc: Exception) -> UnifiedError | None:
        """Our error for what came out of an SDK or its HTTP client; `None` for what is neither's."""
        sdk = self.sdk
        if isinstance(exc, sdk.status_error):
            return self._status(exc)
        if isinstance(exc, (*_http_errors(), sdk.connection_error)):
            return self.network(exc)
        if isinstance(exc, (TypeError, sdk.base_error)) and any(text in str(exc).lower() for text in NO_KEY):
            return self.no_key()
        if isinstance(exc, sdk.credentials_error):
            message = f"{sdk.provider}: {exc} Or set {sdk.key_variable}, or pass api_key= to the model."
            return self._made(errors.MissingKeyError, message, type(exc), vars(exc))
        if isinstance(exc, sdk.base_error):
            return self._made(errors.ConfigurationError, f"{sdk.provider}: {exc}", type(exc), vars(exc))
        return None

    def no_key(self) -> UnifiedError:
        """No key was found anywhere."""
        sdk = self.sdk
        message = f"{sdk.provider}: no API key. Set {sdk.key_variable}, or pass api_key= to the model."
        return self._made(errors.MissingKeyError, message)

    def in_reply(self, response: Any, payload: JsonObject, error: JsonObject) -> UnifiedError:
        """For an error that came with status 200: in a whole reply or an event."""
        code, message, status = _told(error)
        # The status says nothing here: a code that is not known by name leaves the decision to the type.
        kind = code if code in errors.BY_CODE else str(error.get("type"))
        ours = errors.classify(status, kind, message)
        text = self._text(response, code, message)
        theirs = self.sdk.in_reply(text, response, payload, error)
        made = self._made(ours, text, type(theirs), vars(theirs), response)
        made.code = code
        return made

    def not_json(self, response: Any, data: bytes) -> UnifiedError:
        """For a body, or an event's data, that is not a JSON object."""
        what = f"the answer is not a JSON object ({media_type(response)}): {excerpt(data)}"
        return self._reply(response, f"{what}. Check base_url: something else may answer there.")

    def not_streamed(self, response: Any, data: bytes) -> UnifiedError:
        """For a whole answer where a stream was asked for: the error in it, if there is one."""
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
        """For a stream that stayed open without content."""
        message = f"{self.sdk.provider}: no content came for {seconds:g} s, though the stream stayed open"
        theirs = self.sdk.timeout_error(request=response.request)
        return self._made(errors.RequestTimeoutError, message, type(theirs), vars(theirs), response)

    def _reply(self, response: Any, what: str) -> UnifiedError:
        request_id = self.sdk.request_id(response.headers)
        text = f"{self.sdk.provider} {response.status_code}: {what}{_suffix(request_id)}"
        message = _redacted(text, response.request)
        theirs = self.sdk.validation_error(response=response, body=None, message=message)
        return self._made(errors.ReplyError, message, type(theirs), vars(theirs), response)

    def _status(self, exc: Any) -> UnifiedError:
        response = exc.response
        body = _body_of(response)
        if body is None:
            code, message = None, _no_object(response)
        else:
            code, message, _ = _told(_error_of(body))
        ours = errors.classify(response.status_code, code, message)
        made = self._made(ours, self._text(response, code, message, body), type(exc), vars(exc), response)
        made.code = code
        made.request_id = made.request_id or _id_in(body)
        return made

    def _text(self, response: Any, code: str | None, message: str, body: JsonObject | None = None) -> str:
        head = f"{self.sdk.provider} {response.status_code}" + (f" {code}" if code else "")
        request_id = self.sdk.request_id(response.headers) or _id_in(body)
        return _redacted(f"{head}: {message}{_suffix(request_id)}", response.request)

    def network(self, exc: Exception) -> UnifiedError:
        """For what came of the connection, as the SDK or its HTTP client raised it."""
        sdk = self.sdk
        cause = (exc.__cause__ or exc) if isinstance(exc, sdk.connection_error) else exc
        request = _request_of(exc)
        if isinstance(cause, httpx2.LocalProtocolError):
            # Its text quotes the header, which may be the key.
            return _caused(self._made(errors.ConfigurationError, _BAD_HEADER.format(sdk.provider)), None)
        if isinstance(exc, sdk.timeout_error) or type(cause).__name__ in WAITS:
            lost = self._lost(errors.RequestTimeoutError, sdk.timeout_error, _timed_out(cause, request), request)
            return _caused(lost, cause)
        lost = self._lost(errors.ConnectionFailedError, sdk.connection_error, _broken(cause, request), request)
        return _caused(lost, cause)

    def _lost(self, ours: type[UnifiedError], theirs: type[Any], message: str, request: Any) -> UnifiedError:
        text = _redacted(f"{self.sdk.provider}: {message}", request)
        return self._made(ours, text, theirs, vars(theirs(request=request)) | {"message": text})

    def _made(
        self,
        ours: type[UnifiedError],
        message: str,
        theirs: type[Exception] | None = None,
        fields: Mapping[str, Any] | None = None,
        response: Any = None,
    ) -> UnifiedError:
        """An instance of both classes, with the SDK's fields and ours, made without either constructor."""
        kind = _joined(ours, theirs) if theirs else ours
        made = kind.__new__(kind, message)
        made.__dict__.update(fields or {})
        made.provider, made.model = self.sdk.provider, self.model or None
        if response is not None:
            made.__dict__.update(response=response, request=response.request, status_code=response.status_code)
            made.status = response.status_code
            made.request_id = self.sdk.request_id(response.headers)
            made.retry_after = retry_after(response.headers)
        return made


_BAD_HEADER = (
    "{}: a header's name or value is not one that HTTP can carry. Look for a line end or another control character in "
    "the API key and in default_headers."
)


# --- what a body says -------------------------------------------------------------------------------------------------


def _body_of(response: Any) -> JsonObject | None:
    """The body as a JSON object; `None` where it is not one or was not read."""
    if _unread(response):
        return None
    try:
        body = loads(response.content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _unread(response: Any) -> bool:
    return bool(response.is_closed and not response.is_stream_consumed)


def _error_of(body: JsonObject) -> JsonObject:
    """The error object of an error body. Servers that only resemble a provider put it at the top, or say `detail`."""
    found = errors.error_in(body) or body
    if found.get("message"):
        return found
    message = found.get("detail") or found.get("error_description")
    return {**found, "message": str(message)[:500]} if message else found


def _told(error: JsonObject) -> tuple[str | None, str, int | None]:
    """`(code, message, status)`. Proxies give a status as the code: then the type is the code."""
    code, message = errors.describe(error)
    if code is None or not code.isdecimal():
        return code, message, None
    kind = error.get("type") or error.get("status")
    return (str(kind) if kind else None), message, int(code) if 400 <= int(code) < 600 else None


def _no_object(response: Any) -> str:
    data = b"" if _unread(response) else response.content
    return f"the answer is not a JSON object ({media_type(response)}): {excerpt(data)}"


def _id_in(body: JsonObject | None) -> str | None:
    found = (body or {}).get("request_id")
    return found if isinstance(found, str) else None


def excerpt(data: bytes) -> str:
    """The first words of a body, without markup: enough to recognise a proxy's page."""
    text = data[:4000].decode("utf-8", errors="replace")
    if "<" in text:
        text = re.sub(r"(?is)<(script|style)\b.*?(</\1>|$)|<!--.*?(-->|$)|<[^>]*(>|$)", " ", text)
    text = " ".join(text.split())
    if not text:
        return "nothing" if not data else "no text"
    return repr(text[:EXCERPT] + "…" if len(text) > EXCERPT else text)


# --- what the network says --------------------------------------------------------------------------------------------

WAITS: Mapping[str, str] = {
    "ConnectTimeout": "connect",
    "ReadTimeout": "read",
    "WriteTimeout": "write",
    "PoolTimeout": "pool",
}
"""What was waited for, by the name of the class: both HTTP clients that an SDK takes name them so."""


def _http_errors() -> tuple[type[Exception], ...]:
    """The bases of what an HTTP client raises. The older httpx counts where the caller brought a client of it."""
    old = sys.modules.get("httpx")
    return (httpx2.RequestError, httpx2.StreamError, *((old.RequestError, old.StreamError) if old else ()))


def _caused(error: UnifiedError, cause: BaseException | None) -> UnifiedError:
    """The error with the network's own as its cause. The SDK's in between says nothing more, and it is in the class."""
    error.__cause__ = cause
    return error


def _timed_out(cause: BaseException, request: Any) -> str:
    wait = WAITS.get(type(cause).__name__, "read")
    seconds = request.extensions.get("timeout", {}).get(wait) if request is not None else None
    within = f" within {seconds:g} s" if isinstance(seconds, int | float) else ""
    return f"nothing came{within} ({wait} timeout) from {_where(request)}"


def _broken(cause: BaseException, request: Any) -> str:
    told = " ".join(str(cause).split())[:200]
    return f"the connection to {_where(request)} failed ({type(cause).__name__}{': ' if told else ''}{told})"


def _where(request: Any) -> str:
    """Scheme, host, port and path: a query or user info may hold secrets."""
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
    """Seconds that the provider asks to wait, from `retry-after-ms` or `retry-after` (seconds or an HTTP date)."""
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


def _suffix(request_id: str | None) -> str:
    return f" (request id {request_id})" if request_id else ""


def _redacted(text: str, request: Any) -> str:
    """The text without the keys that the request carried, should a server have echoed one."""
    for name in KEY_HEADERS if request is not None else ():
        secret = request.headers.get(name, "").rpartition(" ")[2]
        if len(secret) >= 8:
            text = text.replace(secret, "***")
    return text
