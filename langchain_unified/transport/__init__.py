"""Sending calls: SDK clients, keys, connection pools, timeouts, retries, and the providers' errors as ours.

Only this package imports `anthropic`, `openai` and `httpx2`, each at the first call that needs it.
"""

from __future__ import annotations

from langchain_unified.transport._streams import AsyncEventStream, EventStream
from langchain_unified.transport.client import Transport
from langchain_unified.transport.config import Answer, ApiKey, HttpCall, Timeout, TransportConfig, Upload

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
