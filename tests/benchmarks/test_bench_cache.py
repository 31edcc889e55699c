"""The benchmark of prompt caching: its figures on short conversations, and its lower bound against every placement."""

from __future__ import annotations

import copy
import functools
import itertools
import random
import string
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import bench_cache
from benchmarks.cache_calls import ANTHROPIC, AUTOMATIC, BREAKPOINTS, BodyReader, CacheRules, InputTokens, total
from benchmarks.cache_conversations import SMALL, agent
from benchmarks.cache_optimum import optimum
from benchmarks.cache_recount import recount
from benchmarks.cache_runs import APIS, MIDDLEWARE, run
from benchmarks.cache_table import Cell, Row, measure
from langchain_unified.profiles import profile_for
from langchain_unified.testing.emulation.cache import Clock, EmulatedCache
from langchain_unified.testing.emulation.endpoints import SEGMENTS

Body = dict[str, Any]
Place = tuple[str, str]

CLAUDE, GPT = "anthropic.messages", "openai.responses"
MODELS = {CLAUDE: "claude-sonnet-5", GPT: "gpt-5.6"}
MARKS = {CLAUDE: "cache_control", GPT: "prompt_cache_breakpoint"}


# --- tiny prompts, sent to the emulator's cache itself ----------------------------------------------------------------


def prompt(endpoint: str, sizes: dict[str, int], marks: dict[int, Body] | None = None, **more: Any) -> Body:
    """One user message with a block for each letter: `sizes` in tokens, `marks` by the block's place."""
    kind = "text" if endpoint == CLAUDE else "input_text"
    blocks: list[Body] = [{"type": kind, "text": letter * 4 * size} for letter, size in sizes.items()]
    for place, mark in (marks or {}).items():
        blocks[place][MARKS[endpoint]] = mark
    key = "messages" if endpoint == CLAUDE else "input"
    return {"model": MODELS[endpoint], key: [{"role": "user", "content": blocks}], **more}


class Cache:
    """The emulator's cache at one endpoint, at the time of a call."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.clock = Clock(0.0)
        self.cache = EmulatedCache(self.clock)
        self.profile = profile_for("anthropic" if endpoint == CLAUDE else "openai", MODELS[endpoint])

    def ask(self, body: Body, at: float) -> InputTokens:
        self.clock.now = at
        hit = self.cache.look_up(self.endpoint, body, self.profile, SEGMENTS[self.endpoint](body, self.profile))
        self.cache.commit(hit)
        tokens = hit.tokens
        return InputTokens(tokens.uncached, tokens.cache_read, tokens.cache_write_short, tokens.cache_write_long)

    def copy(self) -> Cache:
        other = Cache(self.endpoint)
        other.cache = EmulatedCache(other.clock, copy.deepcopy(self.cache._entries))
        return other


def placements(endpoint: str, sizes: dict[str, int]) -> Iterator[Body]:
    """A prompt with every legal set of marks: at most four, the longer lifetimes first."""
    for count in range(min(4, len(sizes)) + 1):
        for places in itertools.combinations(range(len(sizes)), count):
            if endpoint == GPT:
                marks = {place: {"mode": "explicit"} for place in places}
                yield prompt(endpoint, sizes, marks)
                yield prompt(endpoint, sizes, marks, prompt_cache_options={"mode": "explicit"})
                continue
            for hours in range(count + 1):
                ttls = ["1h"] * hours + ["5m"] * (count - hours)
                marks = {place: {"type": "ephemeral", "ttl": ttl} for place, ttl in zip(places, ttls, strict=True)}
                yield prompt(endpoint, sizes, marks)


def least(
    calls: list[tuple[float, dict[str, int]]], endpoint: str, rules: CacheRules, cache: Cache | None = None
) -> float:
    """The least that the calls can cost, by trying every placement in every call."""
    if not calls:
        return 0.0
    (at, sizes), rest = calls[0], calls[1:]
    found = []
    for body in placements(endpoint, sizes):
        tried = cache.copy() if cache else Cache(endpoint)
        found.append(rules.cost(tried.ask(body, at)) + least(rest, endpoint, rules, tried))
    return min(found)


def bound(calls: list[tuple[float, dict[str, int]]], endpoint: str, rules: CacheRules) -> float:
    reader = BodyReader(endpoint)
    return rules.cost(total(optimum([reader.read(prompt(endpoint, sizes), at) for at, sizes in calls], rules)))


A, B, C = {"a": 1100}, {"a": 1100, "b": 300}, {"a": 1100, "b": 300, "c": 200}

EXACT = {
    "a conversation that grows": ([(0, A), (60, B), (120, C)], 1.25 * 1100 + 0.1 * 2200 + 1.25 * 300 + 30 + 200),
    "a prefix under three questions": (
        [(0, {"a": 2000, "x": 50}), (60, {"a": 2000, "y": 50}), (120, {"a": 2000, "z": 50})],
        1.25 * 2000 + 2 * 200 + 150,
    ),
    "nothing comes again": ([(0, {"x": 2000}), (60, {"y": 2000}), (120, {"z": 2000})], 6000.0),
    "below the minimum": ([(0, {"a": 1023}), (60, {"a": 1023})], 2046.0),
    "a short prefix counts with what follows it": ([(0, {"a": 600, "b": 600}), (60, {"a": 600, "c": 600})], 2400.0),
    "two hours between": ([(0, A), (7200, A)], 2200.0),
}


@pytest.mark.parametrize("endpoint,rules", [(CLAUDE, ANTHROPIC), (GPT, BREAKPOINTS)])
@pytest.mark.parametrize("case", EXACT)
def test_the_bound_is_what_the_best_of_all_placements_costs(case, endpoint, rules):
    calls, cost = EXACT[case]
    assert bound(calls, endpoint, rules) == pytest.approx(cost)
    assert least(calls, endpoint, rules) == pytest.approx(cost)


LIFETIMES = {
    "one pause of 8 minutes is not worth an hour": ([(0, A), (480, A)], ANTHROPIC, 2 * 1100),
    "two are": ([(0, A), (480, A), (960, A)], ANTHROPIC, 2.2 * 1100),
    "read again and again": ([(0, A), (290, A), (580, A)], ANTHROPIC, 1.45 * 1100),
    "half an hour is one minute too long": ([(0, A), (1800, A)], BREAKPOINTS, 2200.0),
    "half an hour": ([(0, A), (1799, A)], BREAKPOINTS, 1.35 * 1100),
}


@pytest.mark.parametrize("case", LIFETIMES)
def test_the_bound_chooses_lifetimes(case):
    calls, rules, cost = LIFETIMES[case]
    endpoint = CLAUDE if rules is ANTHROPIC else GPT
    assert bound(calls, endpoint, rules) == pytest.approx(cost)
    assert least(calls, endpoint, rules) == pytest.approx(cost)


def test_what_a_longer_prefix_costs_that_keeps_a_shorter_one_is_not_in_the_bound():
    """The 300 tokens must be written for an hour, at twice their price, so that the 1,100 before them live on."""
    calls = [(0.0, A), (60.0, B), (540.0, B)]
    assert least(calls, CLAUDE, ANTHROPIC) == pytest.approx(1.45 * 1100 + 2.1 * 300)
    assert bound(calls, CLAUDE, ANTHROPIC) == pytest.approx(1.45 * 1100 + 2.0 * 300)


def made_up(seed: int) -> list[tuple[float, dict[str, int]]]:
    """Three prompts of three blocks at most, that share a beginning or not, with short and long pauses."""
    dice = random.Random(seed)
    sizes = {letter: dice.choice([30, 400, 1100]) for letter in "abcdef"}
    at, calls = 0.0, []
    for _ in range(3):
        letters = "abc"[: dice.randint(0, 3)] + "def"[dice.randint(0, 2)]
        calls.append((at, {letter: sizes[letter] for letter in letters[:3]}))
        at += dice.choice([60, 240, 400, 2000, 4000])
    return calls


@pytest.mark.parametrize("endpoint,rules", [(CLAUDE, ANTHROPIC), (GPT, BREAKPOINTS)])
@pytest.mark.parametrize("seed", range(5))
def test_no_placement_costs_less_than_the_bound(seed, endpoint, rules):
    calls = made_up(seed)
    assert bound(calls, endpoint, rules) <= least(calls, endpoint, rules) + 1e-6


@pytest.mark.parametrize("endpoint,rules", [(CLAUDE, ANTHROPIC), (GPT, BREAKPOINTS)])
def test_the_recount_agrees_with_the_emulator_on_any_marks(endpoint, rules):
    for seed in range(60):
        cache, reader = Cache(endpoint), BodyReader(endpoint)
        sent = list(any_calls(endpoint, random.Random(seed)))
        said = [cache.ask(body, at) for at, body in sent]
        assert recount([reader.read(body, at) for at, body in sent], rules) == said


def any_calls(endpoint: str, dice: random.Random) -> Iterator[tuple[float, Body]]:
    """Six growing or shrinking prompts of up to 26 blocks, with marks anywhere."""
    at = 0.0
    for _ in range(6):
        letters = string.ascii_lowercase[: dice.randint(2, 26)]
        places = sorted(dice.sample(range(len(letters)), dice.randint(0, min(4, len(letters)))))
        sizes = {letter: 40 + 37 * ord(letter) % 900 for letter in letters}
        yield at, MARKED[endpoint](sizes, places, dice)
        at += dice.choice([30, 280, 301, 1900])


def claude_marks(sizes: dict[str, int], places: list[int], dice: random.Random) -> Body:
    hours = dice.randint(0, len(places))
    ttls = ["1h"] * hours + ["5m"] * (len(places) - hours)
    marks = {place: {"type": "ephemeral", "ttl": ttl} for place, ttl in zip(places, ttls, strict=True)}
    return prompt(CLAUDE, sizes, marks)


def gpt_marks(sizes: dict[str, int], places: list[int], dice: random.Random) -> Body:
    options = {"mode": dice.choice(["implicit", "explicit"])}
    return prompt(GPT, sizes, {place: {"mode": "explicit"} for place in places}, prompt_cache_options=options)


MARKED = {CLAUDE: claude_marks, GPT: gpt_marks}


def test_the_prices_are_the_published_ones():
    data = pytest.importorskip("genai_prices.data")
    models = {model.id: model for provider in data.providers for model in provider.models}
    for name, rules in {"claude-sonnet-5": ANTHROPIC, "gpt-5.6-sol": BREAKPOINTS, "gpt-4.1": AUTOMATIC}.items():
        prices = models[name].prices
        prices = prices[-1].prices if isinstance(prices, list) else prices
        fresh, read, short = (base(prices, kind) for kind in ("input_mtok", "cache_read_mtok", "cache_write_mtok"))
        assert (read / fresh, (short or fresh) / fresh) == pytest.approx((rules.read_price, rules.write_price))


def base(prices: Any, kind: str) -> float | None:
    """A price for short prompts; `None` where there is none."""
    price = getattr(prices, kind)
    return None if price is None else float(getattr(price, "base", price))


# --- short conversations, really held ---------------------------------------------------------------------------------

BY_NAME = {api.name: api for api in APIS}
ROWS = [(api.name, name) for api in APIS for name in SMALL if name not in api.without]


@functools.cache
def row(api: str, name: str) -> Row:
    """A short conversation under every policy of an API that is installed."""
    return measure(SMALL[name](), BY_NAME[api])


def cells(api: str, name: str) -> dict[str, Cell]:
    return dict(row(api, name).cells)


def cases(names: tuple[str, ...], apis: tuple[str, ...] = tuple(BY_NAME)) -> list[Place]:
    """API and conversation."""
    return [at for at in ROWS if at[0] in apis and at[1] in names]


RESPONSES, CHAT, OLDER = "OpenAI Responses", "OpenAI Chat", "OpenAI before gpt-5.6"


@pytest.mark.parametrize("api,name", cases(("a", "b", "b2", "c", "d1", "d2", "e2", "f1", "f2", "g")))
def test_auto_costs_at_most_a_tenth_more_than_the_optimum_with_the_default_ttl(api, name):
    found = row(api, name)
    assert found.cells["auto"].cost <= 1.10 * found.default_optimum


@pytest.mark.parametrize("api,name", cases(tuple(SMALL), (OLDER,)))
def test_auto_changes_nothing_where_the_model_caches_by_itself(api, name):
    found = cells(api, name)
    assert found["auto"].cost == found["automatic (default)"].cost


@pytest.mark.parametrize("api", [api.name for api in APIS if api.name != OLDER])
def test_a_prompt_that_is_not_repeated_pays_the_write_premium(api):
    share = cells(api, "e1")["auto"].share
    assert share == pytest.approx(1 + 0.25 * 2500 / 2560)


@pytest.mark.parametrize("api", ["Anthropic", RESPONSES])
def test_a_first_call_with_tools_writes_all_of_its_prompt(api):
    """Results of tools follow. Without tools, the question would be left uncached."""
    chosen = BY_NAME[api]
    auto = next(policy for policy in chosen.policies if policy.name == "auto")
    found = run(agent(1), auto, chosen.endpoint)
    static = sum(block.tokens for block in found.calls[0].blocks if block.segment.section in ("tools", "system"))
    assert found.tokens == (InputTokens(written=static + 150),)


@pytest.mark.parametrize("api", BY_NAME)
def test_below_the_minimum_nothing_is_paid(api):
    assert {cell.share for cell in cells(api, "e2").values()} == {1.0}


def test_auto_reads_the_tools_where_the_system_prompt_changes():
    found = cells("Anthropic", "e3")
    assert found["auto"].share < 1.0


# --- what the others cost ---------------------------------------------------------------------------------------------


def test_25_parallel_calls_are_two_positions_for_the_look_back():
    """The mark at the end alone finds what the last call wrote. (github.com/anthropics/skills, prompt-caching.md)"""
    assert cells("Anthropic", "c")["top-level automatic"].times < 1.06


@pytest.mark.parametrize("name", ["d1", "d2"])
def test_the_mark_at_the_end_alone_writes_every_question(name):
    assert cells("Anthropic", name)["top-level automatic"].share == 1.25


@pytest.mark.parametrize("api,name", cases(tuple(name for name in SMALL if name != "e2"), (RESPONSES, CHAT)))
def test_the_default_of_gpt_5_6_writes_every_prompt_anew(api, name):
    assert cells(api, name)["implicit (default)"].share == 1.25


def test_langchains_middleware_writes_each_question_over_one_block():
    pytest.importorskip("langchain.agents", reason="langchain is not installed")
    found = {name: cells("Anthropic", name)[MIDDLEWARE] for name in ("a", "c", "d2")}
    assert found["a"].times < 1.02
    assert found["c"].times < 1.06
    assert found["d2"].share == 1.25


# --- the program ------------------------------------------------------------------------------------------------------


def test_it_prints_a_table_and_writes_nothing(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(bench_cache, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(bench_cache, "CONVERSATIONS", {"e2": SMALL["e2"]})
    bench_cache.main(["e2"])
    printed = capsys.readouterr().out
    assert "3 calls of 660 tokens, below the minimum" in printed
    assert "auto costs more than 1.1 times the optimum in 0 of 1 conversations." in printed
    assert list(tmp_path.iterdir()) == []


def test_it_writes_the_page_when_asked(monkeypatch, tmp_path):
    monkeypatch.setattr(bench_cache, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(bench_cache, "CONVERSATIONS", {"e1": SMALL["e1"]})
    bench_cache.main(["--write"])
    written = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "## Anthropic (claude-sonnet-5)" in written
    assert "- **e1** 3 single calls, each with its own system prompt" in written
    assert "| e1 | 3 | 7,680 | 1.000 | 1.000 (1.00) | 1.000 (1.00) | 1.244 (1.24) |" in written
    assert "auto costs more than no caching in e1." in written


def test_an_unknown_conversation_is_named():
    with pytest.raises(SystemExit, match=r"Unknown conversation z\. Known are a, "):
        bench_cache.main(["z"])
