"""The event loop of an async call: LangChain's own code needs asyncio's."""

from __future__ import annotations

import asyncio
import sys

from langchain_unified.errors import ConfigurationError

MESSAGE = (
    "LangChain's async methods need an event loop of asyncio, and this is trio's. Call "
    "`await trio.to_thread.run_sync(model.invoke, messages)` instead, or run the call in trio-asyncio."
)


def check_loop() -> None:
    """Raise `ConfigurationError` in a run of trio: core would fail in it with another library's error."""
    trio = sys.modules.get("trio")
    in_trio_run = getattr(getattr(trio, "lowlevel", None), "in_trio_run", None)  # a folder may have the name as well
    if in_trio_run is None or not in_trio_run():
        return
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(MESSAGE) from None
