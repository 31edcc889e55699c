"""`PromptCache(gate=True)`: of parallel calls with one prefix the first goes alone until its answer begins."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from benchmarks.cache_gate import measure_gate
from langchain_unified import ChatAnthropic, ChatOpenAI, PromptCache, ServerError
from langchain_unified.testing import Fault, emulator

RULES = SystemMessage("Answer briefly. Name your sources. " * 400)
PROMPTS = [[RULES, HumanMessage(f"Question {at}?")] for at in range(8)]


def model(server: Any, provider: str, **policy: Any) -> Any:
    cache = PromptCache(**{"gate": True, **policy})
    if provider == "anthropic":
        return ChatAnthropic(model="claude-sonnet-5", api_key="any", base_url=server.anthropic_url, prompt_cache=cache)
    return ChatOpenAI(
        model="gpt-5.6", api_key="any", base_url=server.openai_url, use_responses_api=True, prompt_cache=cache
    )


def written(answers: list[Any]) -> int:
    """How many of the calls wrote to the cache."""
    return sum(bool(answer.response_metadata["prompt_cache"]["written"]) for answer in answers)


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_batch_writes_its_prefix_once(provider: str) -> None:
    with emulator(lambda request: "Yes.") as server:
        answers = model(server, provider).batch(PROMPTS)
        assert written(answers) == 1
        assert written(asyncio.run(model(server, provider).abatch(PROMPTS))) == 0  # another model, a warm cache


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_cold_async_batch_writes_its_prefix_once(provider: str) -> None:
    with emulator(lambda request: "Yes.") as server:
        assert written(asyncio.run(model(server, provider).abatch(PROMPTS))) == 1


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
@pytest.mark.parametrize("way", ["batch", "abatch"])
def test_what_the_gate_saves_on_a_cold_cache(provider: Any, way: str) -> None:
    """What a call writes can be read once its answer begins. (Anthropic's guide to prompt caching)

    All 8 calls are sent while no answer begins: each writes the prefix. `make bench-cache` does it with 500.
    """
    free, gated = (measure_gate(provider, way, gate=gate, count=8, seconds=3 - 2.5 * gate) for gate in (False, True))
    assert free.uncached == gated.uncached
    assert gated.wrote == 1
    assert free.wrote > 4
    assert free.cost > 2.5 * gated.cost


def test_an_answer_of_the_emulator_begins_after_its_latency() -> None:
    """Nothing is in the cache before: a second call that comes in between writes, too."""

    async def two(chat: Any) -> list[Any]:
        first = asyncio.create_task(chat.ainvoke(PROMPTS[0]))
        await asyncio.sleep(0.3)
        return [await chat.ainvoke(PROMPTS[1]), await first, await chat.ainvoke(PROMPTS[2])]

    with emulator(lambda request: "Yes.", latency=2.0) as server:
        answers = asyncio.run(two(model(server, "anthropic", gate=False)))
    assert [bool(each.response_metadata["prompt_cache"]["written"]) for each in answers] == [True, True, False]


def test_parallel_streams_write_their_prefix_once() -> None:
    async def one(chat: Any, prompt: Any) -> Any:
        chunks = [chunk async for chunk in chat.astream(prompt)]
        return next(chunk for chunk in reversed(chunks) if "prompt_cache" in chunk.response_metadata)

    async def all_of(chat: Any) -> list[Any]:
        return list(await asyncio.gather(*(one(chat, prompt) for prompt in PROMPTS)))

    with emulator(lambda request: "Yes.") as server:
        assert written(asyncio.run(all_of(model(server, "anthropic")))) == 1
    with emulator(lambda request: "Yes.") as server, ThreadPoolExecutor(8) as pool:
        chat = model(server, "openai")
        last = list(pool.map(lambda prompt: list(chat.stream(prompt)), PROMPTS))
        ends = [next(c for c in reversed(found) if "prompt_cache" in c.response_metadata) for found in last]
        assert written(ends) == 1


def test_after_a_failure_the_next_one_goes_alone() -> None:
    answers: list[Any] = [Fault.server_error(), *["Yes."] * 7]
    with emulator(answers) as server:
        chat = model(server, "anthropic").model_copy(update={"max_retries": 0})
        found = chat.batch(PROMPTS, return_exceptions=True)
    failed = [each for each in found if isinstance(each, Exception)]
    assert all(isinstance(each, ServerError) for each in failed)
    assert written([each for each in found if not isinstance(each, Exception)]) == 1


def test_a_short_prefix_has_no_gate_and_off_has_none() -> None:
    from langchain_unified.chat_models import _plan

    with emulator() as server:
        chat = model(server, "anthropic")
        short = _plan.make(chat, [SystemMessage("Be brief."), HumanMessage("Q?")], {}, stream=False)
        assert short.gate is None
        assert _plan.make(chat, PROMPTS[0], {}, stream=False).gate is not None
        assert _plan.make(chat, PROMPTS[0], {"prompt_cache": "off"}, stream=False).gate is None
        assert _plan.make(chat, PROMPTS[0], {"prompt_cache": "auto"}, stream=False).gate is None
        chat.check(PROMPTS[0])
        assert chat._current().gate._leading == {}


def test_a_call_that_is_cancelled_lets_the_others_go() -> None:
    async def run(chat: Any) -> list[Any]:
        first = asyncio.create_task(chat.ainvoke(PROMPTS[0]))
        others = [asyncio.create_task(chat.ainvoke(prompt)) for prompt in PROMPTS[1:4]]
        await asyncio.sleep(0)
        first.cancel()
        return list(await asyncio.gather(*others))

    with emulator(lambda request: "Yes.") as server:
        assert written(asyncio.run(run(model(server, "anthropic")))) <= 1
