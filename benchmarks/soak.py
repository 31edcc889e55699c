"""Many conversations at once, with tools, on both providers, while a part of the requests fails: `make soak`.

A process of its own plays both providers and spoils 5 % of the requests: errors, cut and stalled streams, bad JSON. 64
conversations ask it, async and from threads, whole and streamed; some leave their stream before its end.

Every call has to end in the right answer or in the right error. At the end three things are compared: the requests that
the server counted with those of the calls and their retries, the tokens that a callback added up with those of the
answers, and memory and descriptors with those after the first tenth. Exits with 1 where something is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import multiprocessing as mp
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, UnifiedError
from langchain_unified.errors import (
    ConnectionFailedError,
    IncompleteStreamError,
    OverloadedError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    ServerError,
)
from langchain_unified.testing import emulator

FAULTS = (
    "rate_limit", "server_error", "overloaded", "overloaded_mid_stream", "cut", "clean_end_without_final",
    "stall; seconds=6", "pings_only; seconds=6", "drip; delay=0.01", "html", "malformed_json", "refuse_connection",
)  # fmt: skip
EXPECTED = (
    RateLimitError, ServerError, OverloadedError, ConnectionFailedError, IncompleteStreamError, RequestTimeoutError,
    ReplyError,
)  # fmt: skip
"""What a call may end in after its retries: the faults above, as error classes."""

TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "Look up a key.",
        "parameters": {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"]},
    },
}
SLACK_MB = 30
"""How much more memory than after the first tenth may be in use at the end."""


# --- the server -------------------------------------------------------------------------------------------------------


def serve(pipe: Connection, rate: float, seed: int) -> None:
    """Play the providers until the pipe says so. Answers its address first, and the number of requests at the end."""
    logging.disable(logging.CRITICAL)
    count = 0
    with emulator(faults={"rate": rate, "kinds": FAULTS, "seed": seed}) as server:
        pipe.send(server.url)
        while not pipe.poll(0.2):
            count += _forget(server.requests)
        pipe.recv()
        pipe.send(count + _forget(server.requests))


def _forget(requests: list[Any]) -> int:
    """The number of recorded requests, which are then dropped: they hold whole bodies."""
    number = len(requests)
    del requests[:number]
    return number


@contextmanager
def server_process(rate: float, seed: int) -> Iterator[tuple[str, Connection]]:
    """The server's address and the pipe to it."""
    ours, theirs = mp.get_context("spawn").Pipe()
    process = mp.get_context("spawn").Process(target=serve, args=(theirs, rate, seed), daemon=True)
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        process.terminate()
        process.join()


# --- what is counted --------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What all conversations together did and saw."""

    calls: int = 0
    retries: int = 0
    left: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    tokens: int = 0
    usage: UsageMetadataCallbackHandler = field(default_factory=UsageMetadataCallbackHandler)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def called(self) -> None:
        """A call begins."""
        with self.lock:
            self.calls += 1

    def answered(self, how: str, message: AIMessage) -> None:
        """A call ended in an answer. An answer without usage is wrong: a caller would lose its cost."""
        usage = message.usage_metadata
        with self.lock:
            self.answers[how] += 1
            if usage is None or not usage["output_tokens"]:
                self.wrong.append(f"{how}: an answer without usage: {message!r}"[:300])
            else:
                self.tokens += usage["total_tokens"]

    def failed(self, how: str, error: BaseException) -> None:
        """A call ended in an error, which has to be one of those that the faults make."""
        with self.lock:
            self.errors[type(error).__name__] += 1
            if not isinstance(error, UnifiedError) or not isinstance(error, EXPECTED):
                self.wrong.append(f"{how}: {type(error).__name__}: {error}"[:300])

    def leave(self) -> None:
        """A stream was left before its end."""
        with self.lock:
            self.left += 1

    def mistake(self, text: str) -> None:
        """An answer is not the right one."""
        with self.lock:
            self.wrong.append(text[:300])


class RetryCounter(logging.Handler):
    """Counts the retries that the transport logs."""

    def __init__(self, tally: Tally) -> None:
        super().__init__(logging.INFO)
        self.tally = tally

    def emit(self, record: logging.LogRecord) -> None:
        with self.tally.lock:
            self.tally.retries += 1


# --- conversations ----------------------------------------------------------------------------------------------------


def models(url: str) -> list[Any]:
    """The same settings on both providers and all three APIs, with tools."""
    common: dict[str, Any] = {"api_key": "any", "timeout": 3, "max_retries": 2, "stream_chunk_timeout": 3}
    openai = {**common, "base_url": f"{url}/v1"}
    made: list[Any] = [
        ChatAnthropic(model="claude-sonnet-5", base_url=url, **common),
        ChatOpenAI(model="gpt-4.1", **openai),
        ChatOpenAI(model="gpt-5.6", use_responses_api=True, **openai),
        ChatUnified(model="anthropic/claude-opus-5", base_url=url, **common),
    ]
    return [model.bind_tools([TOOL]) for model in made]


class Conversation:
    """One conversation of two calls: a question that gets a tool call, and the answer that quotes the tool's result."""

    def __init__(self, model: Any, tally: Tally, rng: random.Random) -> None:
        self.model, self.tally, self.rng = model, tally, rng
        self.config: RunnableConfig = {"callbacks": [tally.usage]}
        self.key = f"key{rng.randrange(10**9)}"
        self.messages: list[BaseMessage] = [HumanMessage(f"Use lookup for {self.key}.")]

    def take(self, how: str, message: AIMessage) -> bool:
        """Add an answer, and what follows it. Returns whether the conversation goes on."""
        self.tally.answered(how, message)
        self.messages.append(message)
        if message.tool_calls:
            results = [ToolMessage(f"value-of-{self.key}", tool_call_id=call["id"]) for call in message.tool_calls]
            self.messages += results
            return len(self.messages) < 8
        if len(self.messages) < 4:
            self.tally.mistake(f"{how}: no tool call for {self.key}: {message.content!r}")
        elif f"value-of-{self.key}" not in str(message.content):
            self.tally.mistake(f"{how}: the answer is not that of {self.key}: {message.content!r}")
        return False

    def leaves(self) -> bool:
        """Whether to leave the stream after the next chunk."""
        return self.rng.random() < 0.01

    def sync(self) -> None:
        goes_on = True
        while goes_on:
            goes_on = self._sync_call("stream" if self.rng.random() < 0.5 else "invoke")

    def _sync_call(self, how: str) -> bool:
        self.tally.called()
        try:
            if how == "invoke":
                return self.take(how, self.model.invoke(self.messages, self.config))
            whole: AIMessageChunk | None = None
            for chunk in self.model.stream(self.messages, self.config):
                whole = chunk if whole is None else whole + chunk
                if self.leaves():
                    self.tally.leave()
                    return False
            assert whole is not None
            return self.take(how, whole)
        except Exception as error:  # noqa: BLE001 - every error is counted
            self.tally.failed(how, error)
            return False

    async def asynchronous(self) -> None:
        goes_on = True
        while goes_on:
            goes_on = await self._async_call("astream" if self.rng.random() < 0.5 else "ainvoke")

    async def _async_call(self, how: str) -> bool:
        self.tally.called()
        try:
            if how == "ainvoke":
                return self.take(how, await self.model.ainvoke(self.messages, self.config))
            whole: AIMessageChunk | None = None
            async for chunk in self.model.astream(self.messages, self.config):
                whole = chunk if whole is None else whole + chunk
                if self.leaves():
                    self.tally.leave()
                    return False
            assert whole is not None
            return self.take(how, whole)
        except Exception as error:  # noqa: BLE001 - every error is counted
            self.tally.failed(how, error)
            return False


# --- the run ----------------------------------------------------------------------------------------------------------


def resources() -> tuple[float, int]:
    """Resident memory in MB, and open descriptors."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(os.listdir("/proc/self/fd"))


def run(url: str, seconds: float, conversations: int, seed: int, tally: Tally) -> list[tuple[float, int]]:
    """Talk for `seconds`. Returns the resources after the first tenth and at the end."""
    ends, seen = time.monotonic() + seconds, []
    all_models, rng = models(url), random.Random(seed)
    threads = conversations // 4

    def in_thread(number: int) -> None:
        own = random.Random(seed * 1000 + number)
        while time.monotonic() < ends:
            Conversation(own.choice(all_models), tally, own).sync()

    async def in_task(number: int) -> None:
        own = random.Random(seed * 2000 + number)
        while time.monotonic() < ends:
            await Conversation(own.choice(all_models), tally, own).asynchronous()

    async def all_tasks() -> None:
        async def first_tenth() -> None:
            await asyncio.sleep(seconds / 10)
            seen.append(resources())

        await asyncio.gather(first_tenth(), *(in_task(number) for number in range(conversations - threads)))
        seen.append(resources())

    rng.shuffle(all_models)
    with ThreadPoolExecutor(threads + 1) as pool:
        jobs = [pool.submit(in_thread, number) for number in range(threads)]
        asyncio.run(all_tasks())
        for job in jobs:
            job.result()
    return seen


def main() -> int:
    """Run, print the figures, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--conversations", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.05, help="the part of the requests that fails")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = Tally()
    log = logging.getLogger("langchain_unified.transport")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(RetryCounter(tally))
    with server_process(options.rate, options.seed) as (url, pipe):
        seen = run(url, options.seconds, options.conversations, options.seed, tally)
        time.sleep(1)  # the server sees the last streams that were left
        pipe.send("stop")
        requests = pipe.recv()
    return report(tally, requests, seen, options.conversations)


def report(tally: Tally, requests: int, seen: list[tuple[float, int]], conversations: int) -> int:
    """Print the figures; 1 if one of them is not right."""
    (early_mb, early_fds), (late_mb, late_fds) = seen[0], seen[-1]
    print(f"calls            {tally.calls:>9,}")
    print(f"  answers        {sum(tally.answers.values()):>9,}  {dict(sorted(tally.answers.items()))}")
    print(f"  errors         {sum(tally.errors.values()):>9,}  {dict(sorted(tally.errors.items()))}")
    print(f"  streams left   {tally.left:>9,}")
    print(f"retries          {tally.retries:>9,}")
    print(f"requests         {requests:>9,}  (calls and retries: {tally.calls + tally.retries:,})")
    seen_tokens = sum(usage["total_tokens"] for usage in tally.usage.usage_metadata.values())
    print(f"tokens           {tally.tokens:>9,}  (by the callback: {seen_tokens:,})")
    print(f"memory           {early_mb:>9.1f} MB after a tenth, {late_mb:.1f} MB at the end")
    print(f"descriptors      {early_fds:>9,} after a tenth, {late_fds:,} at the end")
    problems = [f"wrong: {text}" for text in tally.wrong[:10]]
    if len(tally.wrong) > 10:
        problems.append(f"… and {len(tally.wrong) - 10} more")
    ended = sum(tally.answers.values()) + sum(tally.errors.values()) + tally.left
    if ended != tally.calls:
        problems.append(f"{tally.calls - ended} calls did not end")
    if requests != tally.calls + tally.retries:
        problems.append(f"the server got {requests} requests, the calls made {tally.calls + tally.retries}")
    if seen_tokens != tally.tokens:
        problems.append("the callback and the answers differ in their tokens")
    if late_mb > early_mb + SLACK_MB:
        problems.append("memory grew")
    if late_fds > early_fds + conversations:
        problems.append("descriptors grew by more than a connection for each conversation")
    print("\n".join(problems) if problems else "all is right")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
