"""Where a call goes and with whose key: SDK clients, pools, retries, timeouts, and errors as ours.

The only place of the package that imports `anthropic`, `openai` and `httpx2`: each at the first call that needs it.
"""

from __future__ import annotations

from langchain_unified.transport._streams import AsyncEventStream, EventStream
from langchain_unified.transport.config import Answer, ApiKey, Call, Timeout, Transport, TransportConfig, transport

__all__ = [
    "Answer",
    "ApiKey",
    "AsyncEventStream",
    "Call",
    "EventStream",
    "Timeout",
    "Transport",
    "TransportConfig",
    "transport",
]
