"""Sending calls: SDK clients, keys, connection pools, timeouts, retries, and the providers' errors as ours.

Only this package imports `anthropic`, `openai` and `httpx2`, each at the first call that needs it. What sends is itself
imported when its name is used first.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from langchain_unified.transport.config import Answer, ApiKey, HttpCall, Timeout, TransportConfig, Upload

if TYPE_CHECKING:
    from langchain_unified.transport._streams import AsyncEventStream as AsyncEventStream
    from langchain_unified.transport._streams import EventStream as EventStream
    from langchain_unified.transport.client import Transport as Transport

_HOMES = {"AsyncEventStream": "_streams", "EventStream": "_streams", "Transport": "client"}

__all__ = [
    "Answer",
    "ApiKey",
    "AsyncEventStream",
    "EventStream",
    "HttpCall",
    "Timeout",
    "Transport",
    "TransportConfig",
    "Upload",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
