"""Bodies of any size, read piece by piece: each piece goes to a function, and none is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from langchain_unified.errors import UnifiedError
from langchain_unified.transport._deadline import in_time
from langchain_unified.transport._errors import ErrorMapper, http_errors, media_type
from langchain_unified.transport._limits import ENDS, WHOLE
from langchain_unified.transport._retries import Attempts, asleep, attempts_of, log_retry
from langchain_unified.transport.client import Transport
from langchain_unified.transport.config import HttpCall

Write = Callable[[bytes], object]


def download(transport: Transport, call: HttpCall, write: Write, restart: Callable[[], object]) -> None:
    """Give the body of the answer to `write`, in pieces. `restart` is called before each request: write anew then.

    A request that fails, also within its body, is repeated, up to `max_retries` times.
    """
    mapper, attempts = ErrorMapper(transport._sdk, call.model), attempts_of(call, transport.config)
    while True:
        restart()
        try:
            _read(transport, call, mapper, attempts, write)
        except UnifiedError as error:
            if not attempts.may_repeat(error):
                raise
            log_retry(error, attempts)
        else:
            return
        time.sleep(attempts.wait)


def _read(transport: Transport, call: HttpCall, mapper: ErrorMapper, attempts: Attempts, write: Write) -> None:
    ends, whole = ENDS.set(attempts.ends), WHOLE.set(True)
    try:
        response = transport._post(call, mapper, attempts, stream=True)
        try:
            if _is_page(response):
                raise mapper.not_json(response, response.read())
            for piece in response.iter_bytes():
                write(piece)
        except http_errors() as exc:
            raise mapper.in_time(mapper.network(exc), attempts) from exc
        finally:
            response.close()
    finally:
        ENDS.reset(ends)
        WHOLE.reset(whole)


async def adownload(transport: Transport, call: HttpCall, write: Write, restart: Callable[[], object]) -> None:
    """Async twin of `download`."""
    mapper, attempts = ErrorMapper(transport._sdk, call.model), attempts_of(call, transport.config)
    while True:
        restart()
        try:
            await in_time(_aread(transport, call, mapper, attempts, write), attempts, mapper)
        except UnifiedError as error:
            if not attempts.may_repeat(error):
                raise
            log_retry(error, attempts)
        else:
            return
        await asleep(attempts.wait)


async def _aread(transport: Transport, call: HttpCall, mapper: ErrorMapper, attempts: Attempts, write: Write) -> None:
    whole = WHOLE.set(True)
    try:
        response = await transport._apost(call, mapper, attempts, stream=True)
        try:
            if _is_page(response):
                raise mapper.not_json(response, await response.aread())
            async for piece in response.aiter_bytes():
                write(piece)
        except http_errors() as exc:
            raise mapper.in_time(mapper.network(exc), attempts) from exc
        finally:
            await response.aclose()
    finally:
        WHOLE.reset(whole)


def _is_page(response: Any) -> bool:
    """Whether a proxy answered, and not the API."""
    return media_type(response) == "text/html"
