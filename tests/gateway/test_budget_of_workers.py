"""`langchain-unified serve --workers`: one key at its limit, many calls at once, a worker killed in between."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from langchain_unified.gateway.keys import KeySettings, open_keys
from langchain_unified.testing import emulator
from tests.gateway.conftest import DATABASES
from tests.support import gateways

pytestmark = [
    pytest.mark.gateway_load,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and forked workers"),
]

MASTER = "sk-master-of-the-tests"
IN, OUT = Decimal("0.000001"), Decimal("0.00001")

CONFIG = """
model_list:
- model_name: gpt
  litellm_params: {{model: openai/gpt-5.6, api_base: "{upstream}", api_key: sk-upstream}}
  model_info: {{input_cost_per_token: 0.000001, output_cost_per_token: 0.00001}}
router_settings: {{num_retries: 0}}
general_settings: {{master_key: {master}, database_url: "{database}"}}
"""
MAX_TOKENS = 20


def workers_of(port: int) -> list[int]:
    """The processes that serve a port: children of the supervisor."""
    found = subprocess.run(["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in found.splitlines()[1:]]
    parent = next(int(row[0]) for row in rows if f"--port {port}" in row[2] and "serve" in row[2])
    return [int(row[0]) for row in rows if int(row[1]) == parent and "resource_tracker" not in row[2]]


async def call(http: aiohttp.ClientSession, url: str, key: str, answers: dict[str, list]) -> None:
    body = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}], "max_completion_tokens": MAX_TOKENS}
    for _ in range(6):
        try:
            async with http.post(
                f"{url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}
            ) as answer:
                found = await answer.json()
        except aiohttp.ClientError:
            answers["broken"].append(None)  # of the killed worker
            return
        # Other calls hold the rest of the budget; or the database does not keep up with a machine that is too slow.
        if answer.status in (429, 503) and "retry-after" in answer.headers:
            await asyncio.sleep(0.3)
            continue
        kind = {200: "answered", 429: "refused"}.get(answer.status, "wrong")
        answers[kind].append(found)
        return
    answers["refused"].append(None)


async def prove(url: str, database: str, *, calls: int, sent: Callable[[], int], kill_after: int) -> None:
    headers = {"authorization": f"Bearer {MASTER}"}
    keys = await open_keys(KeySettings(MASTER, database))
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=calls, force_close=True), timeout=aiohttp.ClientTimeout(300)
    ) as http:
        one = await _cost_of_one_call(http, url)
        limit = one * calls * 6 / 10
        async with http.post(f"{url}/key/generate", json={"max_budget": float(limit)}, headers=headers) as answer:
            made = await answer.json()
        answers: dict[str, list] = {kind: [] for kind in ("answered", "refused", "broken", "wrong")}
        pending = [asyncio.create_task(call(http, url, made["key"], answers)) for _ in range(calls)]
        victim = workers_of(int(url.rpartition(":")[2]))[0]
        while not all(task.done() for task in pending):
            if len(answers["answered"]) >= kill_after and victim:
                os.kill(victim, signal.SIGKILL)
                victim = 0
            record = (await keys.info(made["key_id"])).record
            assert record.spend + record.reserved <= record.max_budget
            await asyncio.sleep(0.01)
    await keys.close()
    keys = await open_keys(KeySettings(MASTER, database), clock=lambda: time.time() + 700)
    info = await keys.info(made["key_id"])
    await keys.close()
    assert answers["wrong"] == []
    assert victim == 0
    requests = info.spend_by_model[0].requests
    assert len(answers["answered"]) <= requests <= len(answers["answered"]) + len(answers["broken"])
    assert requests <= sent()
    assert info.record.spend == one * requests <= limit
    assert (info.record.reserved, info.record.in_flight) == (0, 0)
    assert answers["refused"]


async def _cost_of_one_call(http: aiohttp.ClientSession, url: str) -> Decimal:
    answers: dict[str, list] = {kind: [] for kind in ("answered", "refused", "broken", "wrong")}
    await call(http, url, MASTER, answers)
    assert answers["wrong"] == []
    usage = answers["answered"][0]["usage"]
    return IN * usage["prompt_tokens"] + OUT * usage["completion_tokens"]


async def serve_and_prove(tmp_path: Path, database: str, *, workers: int, calls: int, kill_after: int) -> None:
    words = " ".join(["word"] * 30)  # the emulator cuts it at `max_tokens`: a call costs what was estimated, at most
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(emulator(lambda request: words))
        text = CONFIG.format(upstream=server.openai_url, master=MASTER, database=database)
        url = stack.enter_context(gateways.serving(text, tmp_path, "--workers", str(workers)))
        await prove(url, database, calls=calls, sent=lambda: len(server.requests), kill_after=kill_after)
    assert "sk-" not in (tmp_path / "gateway.log").read_text()


@pytest.mark.parametrize("kind", DATABASES)
async def test_four_workers_and_a_thousand_calls(
    tmp_path: Path, kind: str, new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "START_SECONDS", 240)  # five processes import at once
    await serve_and_prove(tmp_path, new_database(kind), workers=4, calls=1000, kill_after=50)
