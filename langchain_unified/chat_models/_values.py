"""Values of the constructor that pydantic cannot check by their type, and what is said about wrong ones.

No message shows a value that may hold a secret, and nothing here imports an SDK or its HTTP client.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

# --- timeouts ---------------------------------------------------------------------------------------------------------

TIMEOUT = "seconds, (connect, read) in seconds, or an SDK's Timeout"


def timeout(value: Any) -> Any:
    """A timeout: a number, two to four of them (connect, read, write, pool), or an object with these four."""
    if value is None or all(hasattr(value, name) for name in ("connect", "read", "write", "pool")):
        return value
    if isinstance(value, str):
        value = _number(value)
    if isinstance(value, list | tuple) and 2 <= len(value) <= 4:
        parts = [None if part is None else _number(part) for part in value]
        if all(part is None or part > 0 for part in parts):
            return tuple(parts)
    elif isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value):
        return value
    raise ValueError(f"it takes {TIMEOUT}, not {value!r}")


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number) or isinstance(value, bool):
        raise ValueError(f"it takes {TIMEOUT}, not {value!r}")
    return number


# --- clients ----------------------------------------------------------------------------------------------------------


def http_client(value: Any) -> Any:
    """An HTTP client for sync calls."""
    return _of_httpx2(value, "Client", "http_async_client")


def http_async_client(value: Any) -> Any:
    """An HTTP client for async calls."""
    return _of_httpx2(value, "AsyncClient", "http_client")


def _of_httpx2(value: Any, name: str, other: str) -> Any:
    if value is None:
        return None
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(value).__mro__}
    if ("httpx2", name) in kinds:
        return value
    if kinds & {("httpx2", "Client"), ("httpx2", "AsyncClient")}:
        raise ValueError(f"it takes an httpx2.{name}: pass this one as {other}")
    hint = ": the SDKs send with httpx2, whose clients take the same arguments" if ("httpx", name) in kinds else ""
    raise ValueError(f"it takes an httpx2.{name}, not {_kind(value)}{hint}")


def sdk_client(value: Any) -> Any:
    """An SDK client for sync calls."""
    return _of_sdk(value, asynchronous=False)


def async_sdk_client(value: Any) -> Any:
    """An SDK client for async calls."""
    return _of_sdk(value, asynchronous=True)


def _of_sdk(value: Any, *, asynchronous: bool) -> Any:
    if value is None:
        return None
    if not callable(getattr(value, "post", None)):
        raise ValueError(f"it takes a client of the provider's SDK, not {_kind(value)}")  # noqa: TRY004 - for pydantic
    is_async = inspect.iscoroutinefunction(getattr(type(value), "post", None))
    if is_async and not asynchronous:
        raise ValueError(f"it is for sync calls: pass the {type(value).__name__} as async_client")
    if asynchronous and not is_async and type(value).__module__.partition(".")[0] in ("anthropic", "openai"):
        raise ValueError(f"it is for async calls: pass the {type(value).__name__} as client")
    return value


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


# --- headers ----------------------------------------------------------------------------------------------------------


def headers(value: Any) -> Any:
    """Headers that HTTP can carry. Values are never shown."""
    for name, text in value.items() if isinstance(value, Mapping) else ():
        if not isinstance(name, str) or not name or not name.isascii() or not name.isprintable() or " " in name:
            raise ValueError("it holds a name that no header can have. Names have no spaces and control characters")
        if isinstance(text, str) and any(char in text for char in "\r\n\0"):
            raise ValueError(f"it holds a line break or another control character in the value of {name!r}")
    return value


# --- messages ---------------------------------------------------------------------------------------------------------

EXPECTED: Mapping[str, str] = {
    "api_key": "a string, or a function that returns one",
    "stop": "a string or a list of strings",
    "dialect": 'the name of a server such as "ollama", a Dialect, or a dict of one for each provider',
    "base_url": "a string, or a dict of one for each provider",
    "cache": "True, False, or a cache of LangChain's",
    "callbacks": "a list of callback handlers, or a callback manager",
    "client_cert": "the path of a file, or (certificate, key) as two paths",
    "system": "a string or a list of text blocks",
    "container": "an id or a dict",
    "context_management": "a dict or a list of dicts",
}
"""By field, what it takes, where pydantic would list every type by itself."""


def validation_message(name: str, exc: ValidationError, given: Mapping[str, Any], missing: Mapping[str, str]) -> str:
    """Why a model cannot be built, by field.

    `given`: the values by the names of the fields. `missing`: what to say of a field that has no value.
    """
    found: dict[str, list[Any]] = {}
    for error in exc.errors(include_input=False):
        found.setdefault(str(error["loc"][0]) if error["loc"] else "", []).append(error)
    lines = [
        missing[field] if errors[0]["type"] == "missing" and field in missing else _line(field, errors, given)
        for field, errors in found.items()
    ]
    return f"{name} cannot be built: " + "; ".join(lines)


def _line(field: str, errors: list[Any], given: Mapping[str, Any]) -> str:
    known = "api_key" if field.endswith("api_key") else field
    if known in EXPECTED and any(len(error["loc"]) > 1 for error in errors):
        value = given.get(field)
        got = f", not {_kind(value)}" if not isinstance(value, Iterable) else ""
        return f"{field}: it takes {EXPECTED[known]}{got}"
    texts = dict.fromkeys(f"{_place(error)}: {_text(error)}" for error in errors)
    return "; ".join(texts)


def _place(error: Any) -> str:
    """The field and the keys in it, without pydantic's names of the types in a union."""
    return ".".join(str(part) for part in error["loc"] if not ("[" in str(part) or "-" in str(part)))


def _text(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ")
