"""HTTP clients that the caller gave: they keep the limits of our calls, and of no others.

Size limits and refused redirects are a hook for responses, put before the caller's own. A deadline limits each read of
a connection. Where that was open before, or is of another kind, the deadline is checked at each piece of a body.
Importing this module imports httpx2.
"""

from __future__ import annotations

from typing import Any

import httpx2

from langchain_unified.transport._redirects import acheck_response, check_response
from langchain_unified.transport._reuse import guard


def prepare(http: Any, *, has_deadline: bool) -> None:
    """Let the client keep the limits of the calls for which `NETWORK` is set. Another kind of object stays as it is."""
    if not isinstance(http, httpx2.Client | httpx2.AsyncClient):
        return
    hook: Any = check_response if isinstance(http, httpx2.Client) else acheck_response
    hooks = http.event_hooks
    if hook not in hooks["response"]:
        http.event_hooks = {**hooks, "response": [hook, *hooks["response"]]}
    guard(http)
    if has_deadline and isinstance(http, httpx2.Client):
        from langchain_unified.transport._watched import watch  # imports httpcore2

        watch(http)
