"""A process that sends calls at once through the facade: `python -m tests.gateway.load_worker`, settings on stdin.

It prints a line before and after each settlement. What a killed process printed tells what it may have spent.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from decimal import Decimal
from typing import Any

from langchain_unified.gateway.errors import BudgetSpentError, TooManyRequestsError
from langchain_unified.gateway.keys import Caller, Keys, KeySettings, open_keys

AMOUNT = Decimal("0.001")
COST = Decimal("0.000700000001")
ATTEMPTS = 5


async def one_call(keys: Keys, caller: Caller, pause: float) -> None:
    for _ in range(ATTEMPTS):
        try:
            held = await keys.reserve(caller, "m", AMOUNT, 10)
        except BudgetSpentError:
            break
        except TooManyRequestsError:  # others hold the rest; a killed process holds its part for long
            await asyncio.sleep(0.3)
            continue
        await asyncio.sleep(pause * random.random())
        print("settling", flush=True)
        await keys.settle(held, COST, 12)
        print("settled", flush=True)
        return
    print("refused", flush=True)


async def main(settings: dict[str, Any]) -> None:
    keys = await open_keys(
        KeySettings(settings["master_key"], settings["database_url"], call_timeout=settings["call_timeout"])
    )
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)  # all workers begin at once
    caller = await keys.authenticate(settings["key"])
    await asyncio.gather(*(one_call(keys, caller, settings["pause"]) for _ in range(settings["calls"])))
    await keys.close()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.stdin.readline())))
