"""Several requests of one call, side by side, where an API gives one answer per request and `n` asks for more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from langchain_core.runnables.config import ContextThreadPoolExecutor

from langchain_unified.transport import Answer

if TYPE_CHECKING:
    from langchain_unified.chat_models._plan import Plan

MOST_AT_ONCE = 8
"""How many requests of one call run at once."""


def send(plan: Plan) -> list[Answer]:
    """The answers in the order of their requests. Raises the error of the first that failed."""
    if plan.requests == 1:
        return [plan.transport.send(plan.call)]
    with ContextThreadPoolExecutor(max_workers=min(plan.requests, MOST_AT_ONCE)) as executor:
        return list(executor.map(plan.transport.send, [plan.call] * plan.requests))


async def asend(plan: Plan) -> list[Answer]:
    """The async twin of `send`. The first error ends the requests that are still under way."""
    if plan.requests == 1:
        return [await plan.transport.asend(plan.call)]
    places = asyncio.Semaphore(MOST_AT_ONCE)

    async def one() -> Answer:
        async with places:
            return await plan.transport.asend(plan.call)

    tasks = [asyncio.ensure_future(one()) for _ in range(plan.requests)]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
