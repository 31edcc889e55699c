"""The rules of `prompt_cache="auto"` beyond the first four marks: each alone, by the marks in exact bodies, and off."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified import ChatUnified, PromptCache
from langchain_unified.caching.pauses import PauseLog, Pauses, hour_pays
from langchain_unified.profiles import profile_for
from langchain_unified.request import Request, Turn
from tests.caching.helpers import CLAUDE, FUNCTION, GPT, build, places


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


TWO_BLOCKS = SystemMessage([text("Rules."), text("The user is Ada.")])
ASK = HumanMessage("Q?")


def marked(model: str, messages: list[BaseMessage], policy: Any = "auto", **fields: Any) -> list[str]:
    return places(build(model).check(messages, prompt_cache=policy, **fields).body)


def chat(answers: int, **metadata: Any) -> list[BaseMessage]:
    """A system prompt, then so many questions and answers, and a last question."""
    found: list[BaseMessage] = [SystemMessage("Rules.")]
    for at in range(answers):
        found += [HumanMessage(f"Q{at}?"), AIMessage(f"A{at}.", response_metadata=metadata)]
    return [*found, HumanMessage(f"Q{answers}?")]


def loop(calls: int) -> list[BaseMessage]:
    """An agent after so many calls of a tool."""
    found: list[BaseMessage] = [SystemMessage("Rules."), HumanMessage("Go.")]
    for at in range(calls):
        call = {"name": "f", "args": {"n": at}, "id": f"call_{at}"}
        found += [AIMessage(f"I call {at}.", tool_calls=[call]), ToolMessage(f"R{at}", tool_call_id=f"call_{at}")]
    return found


def why(model: str, messages: list[BaseMessage], policy: Any = "auto", **fields: Any) -> list[str | None]:
    """What the report would say of the marks of a call."""
    from langchain_unified.caching.placement import place_breakpoints
    from langchain_unified.caching.policy import policy_of
    from langchain_unified.wires import WIRES

    report = build(model).check(messages, **fields)
    assert report.request is not None
    assert report.wire is not None
    _, marks, _ = place_breakpoints(report.request, WIRES[report.wire].marks, policy_of(policy))  # type: ignore[index]
    return [mark.why for mark in marks.sent]


# --- first_system_block -----------------------------------------------------------------------------------------------


def test_of_several_system_blocks_the_first_is_marked_too() -> None:
    messages = [TWO_BLOCKS, ASK]
    assert marked(CLAUDE, messages) == ["system.0", "system.1"]
    assert marked(GPT, messages) == ["input.0.0", "input.0.1"]
    off = PromptCache(first_system_block=False)
    assert marked(CLAUDE, messages, off) == ["system.1"]
    assert marked(GPT, messages, off) == ["input.0.1"]
    assert why(CLAUDE, messages) == ["the first of several system blocks", None]
    apart = [SystemMessage("Rules."), SystemMessage("The user is Ada."), ASK]
    assert marked(GPT, apart) == ["input.0.0", "input.1.0"]


def key(messages: list[BaseMessage], policy: Any = "auto", **fields: Any) -> str:
    return str(build(GPT).check(messages, prompt_cache=policy, **fields).body["prompt_cache_key"])


def test_the_derived_key_is_of_the_tools_and_the_first_system_block() -> None:
    other = [SystemMessage([text("Rules."), text("The user is Bob.")]), ASK]
    assert key([TWO_BLOCKS, ASK]) == key(other) == key([SystemMessage([text("Rules.")]), ASK])
    assert key([TWO_BLOCKS, ASK]) != key([SystemMessage([text("Other rules.")]), ASK])
    assert key([TWO_BLOCKS, ASK]) != key([TWO_BLOCKS, ASK], tools=[FUNCTION])
    each = PromptCache(first_system_block=False)
    assert key([TWO_BLOCKS, ASK], each) != key(other, each)


def test_partitions_split_the_key_by_conversation() -> None:
    policy = PromptCache(partitions=4)
    threads = [[TWO_BLOCKS, HumanMessage(f"Question {at}?")] for at in range(40)]
    found = {key(thread, policy) for thread in threads}
    assert found == {f"{key(threads[0])}-{at}" for at in range(4)}
    more = [*threads[7], AIMessage("Yes."), HumanMessage("And?")]
    assert key(more, policy) == key(threads[7], policy)


# --- first_call_with_tools, earlier_turns -----------------------------------------------------------------------------


def test_a_first_call_with_tools_marks_its_end() -> None:
    messages = chat(0)
    assert marked(CLAUDE, messages) == ["system.0"]
    assert marked(CLAUDE, messages, tools=[FUNCTION]) == ["tools.0", "system.0", "messages.0.0"]
    assert marked(GPT, messages, tools=[FUNCTION]) == ["input.0.0", "input.1.0"]
    off = PromptCache(first_call_with_tools=False)
    assert marked(CLAUDE, messages, off, tools=[FUNCTION]) == ["tools.0", "system.0"]
    assert why(GPT, messages, tools=[FUNCTION])[-1] == "a first call with tools: their results follow"


@pytest.mark.parametrize("responses", [True, False])
def test_openai_looks_up_every_earlier_end_of_a_turn(responses: bool) -> None:
    """It writes the latest four and considers the latest 80. (SDK: docstring of `PromptCacheOptions`)"""
    name = "input" if responses else "messages"
    model = build(GPT, use_responses_api=responses, reasoning_effort="none")
    ends = places(model.check(chat(6), prompt_cache="auto").body)
    assert ends == [f"{name}.{at}.0" for at in (0, 1, 3, 5, 7, 9, 11, 13)]
    few = places(model.check(chat(6), prompt_cache=PromptCache(earlier_turns=False)).body)
    assert few == [f"{name}.{at}.0" for at in (0, 11, 13)]
    assert len(places(model.check(chat(200), prompt_cache="auto").body)) == 78
    assert places(model.check(chat(200), prompt_cache="auto").body)[0] == f"{name}.0.0"


def test_a_server_that_passes_marks_on_to_claude_gets_four() -> None:
    """maximhq/bifrost#6692: a fifth is refused."""
    model = ChatUnified("openai/anthropic/claude-sonnet-4.5", api_key="any", base_url="https://openrouter.ai/api/v1")
    assert len(places(model.check(chat(9), prompt_cache="auto").body)) <= 4


def test_many_earlier_ends_are_one_line_of_the_report() -> None:
    assert why(GPT, chat(4)).count("the end of an earlier turn") == 4
    assert why(GPT, chat(60)).count("the end of an earlier turn") == 1


# --- anchor -----------------------------------------------------------------------------------------------------------


def test_an_anchor_stays_for_six_turns_and_is_four_turns_back() -> None:
    for calls in range(7, 30):
        found = marked(CLAUDE, loop(calls), tools=[FUNCTION])
        at = (calls - 4) // 6 * 6  # the number of the call at whose end it stands
        assert f"messages.{2 * at}.0" in found
        assert 4 <= calls - at <= 9
        assert len(found) == 4
        assert "system.0" in found
        assert f"messages.{2 * calls}.0" in found
        off = marked(CLAUDE, loop(calls), PromptCache(anchor=False), tools=[FUNCTION])
        assert f"messages.{2 * at}.0" not in off or at == 0
    assert "it stays for some turns, for when later ones change" in why(CLAUDE, loop(9), tools=[FUNCTION])
    assert marked(CLAUDE, loop(6), tools=[FUNCTION]) == ["tools.0", "system.0", "messages.10.0", "messages.12.0"]


def test_a_question_at_the_end_keeps_the_end_of_the_last_call() -> None:
    """What the last call ended with may be gone: a reminder, documents for that question alone."""
    found = marked(CLAUDE, chat(9))
    assert found == ["system.0", "messages.0.0", "messages.16.0", "messages.18.0"]


# --- own_answers ------------------------------------------------------------------------------------------------------

OWN = {"model_provider": "anthropic", "model_name": "claude-opus-5"}
OTHER = {"model_provider": "openai", "model_name": "gpt-5.6"}


def test_the_last_call_is_the_last_one_of_this_model() -> None:
    mixed = [*chat(2, **OWN)[:-1], *chat(12, **OTHER)[1:]]
    found = marked(CLAUDE, mixed)
    assert "messages.2.0" in found  # the end of its own last call, too far back for the look-back
    assert "messages.2.0" not in marked(CLAUDE, mixed, PromptCache(own_answers=False))
    assert "the end of the last call that this model answered" in why(CLAUDE, mixed)


@pytest.mark.parametrize(
    "name, own",
    [
        ("claude-opus-5", True),
        ("claude-opus-5-20260724", True),
        ("anthropic/claude-opus-5", True),
        (None, True),
        ("claude-opus-5-5", False),
        ("claude-sonnet-5", False),
    ],
)
def test_a_dated_name_is_the_same_model(name: str | None, own: bool) -> None:
    mixed = [*chat(2, **OTHER)[:-1], HumanMessage("Q?"), AIMessage("A.", response_metadata={"model_name": name})]
    mixed += chat(1, **OTHER)[1:]
    policy = PromptCache(anchor=False)
    assert ("messages.4.0" in marked("anthropic/claude-opus-5", mixed, policy)) == own


# --- pauses -----------------------------------------------------------------------------------------------------------


def request(words: int, model: str = "claude-sonnet-5") -> Request:
    turns = (
        Turn("system", ({"type": "text", "text": "x" * 12000},)),
        Turn("user", ({"type": "text", "text": "y" * 4},)),
        Turn("assistant", ({"type": "text", "text": "z" * 40},)),
        Turn("user", ({"type": "text", "text": "w" * 4 * words},)),
    )
    return Request(model, turns, profile=profile_for("anthropic", model))


def test_an_hour_pays_where_the_share_of_pauses_outweighs_what_is_written() -> None:
    """q x (1.25 - read) x prefix > 0.75 x new: 0.3 x 1.15 x 3,611 > 0.75 x 610 (and not for 2,000 new tokens)."""
    some = Pauses(gaps=10, paused=3)
    assert hour_pays(some, request(600), (1, 0))
    assert not hour_pays(some, request(6000), (1, 0))
    assert not hour_pays(Pauses(gaps=10), request(10), (1, 0))
    assert not hour_pays(Pauses(gaps=40, paused=1), request(100), (1, 0))
    assert hour_pays(Pauses(gaps=1, paused=1, expired=True), request(100), (1, 0))
    assert not hour_pays(Pauses(gaps=10, paused=2, expired=True), request(100), (1, 0))


def test_a_cheaper_read_makes_an_hour_pay_sooner() -> None:
    """Reading costs 0.025 of the input price on Fable 5.1, 0.05 on Opus 5.5. (Anthropic's pricing page)"""
    prices = {name: profile_for("anthropic", name).cache_read_price for name in ("claude-sonnet-5", "claude-opus-5-5")}
    assert prices == {"claude-sonnet-5": 0.1, "claude-opus-5-5": 0.05}
    assert {profile_for("anthropic", f"claude-{name}-5-1").cache_read_price for name in ("fable", "mythos")} == {0.025}
    few = Pauses(gaps=100, paused=10)
    between = next(words for words in range(100, 2000) if not hour_pays(few, request(words), (1, 0)))
    assert hour_pays(few, request(between, "claude-fable-5-1"), (1, 0))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def conversation(turns: int) -> Request:
    found = build("anthropic/claude-sonnet-5").check(chat(turns)).request
    assert found is not None
    return found


def test_the_log_counts_the_gaps_before_continued_calls() -> None:
    clock = Clock()
    log = PauseLog(clock)
    for turn, seconds in enumerate((0, 60, 400, 4000, 299)):
        clock.now += seconds
        assert log.pauses(conversation(turn)).gaps == max(0, turn)
        log.called(conversation(turn), long=False)
    assert log.pauses(conversation(0)) == Pauses(gaps=4, paused=1)
    clock.now += 350
    assert log.pauses(conversation(5)) == Pauses(gaps=5, paused=2, expired=True)
    log.called(conversation(5), long=True)
    clock.now += 350
    assert log.pauses(conversation(6)) == Pauses(gaps=6, paused=3, expired=False)


def test_a_dry_run_counts_nothing_and_nothing_of_it_is_pickled() -> None:
    model = build("anthropic/claude-sonnet-5", prompt_cache="auto")
    log = model._current().pauses
    clock = log.clock = Clock()
    for turn in range(5):
        model.check(chat(turn))
        clock.now += 600
    assert log.pauses(conversation(0)) == Pauses()
    log.called(conversation(0), long=False)
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert copied._current().pauses.pauses(conversation(1)) == Pauses()
    assert log.pauses(conversation(1)).gaps == 1


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields", [{"anchor": 1}, {"pauses": None}, {"gate": "yes"}, {"partitions": 0}, {"partitions": True}]
)
def test_values_that_no_switch_has(fields: dict[str, Any]) -> None:
    from langchain_unified import ConfigurationError

    with pytest.raises(ConfigurationError, match=next(iter(fields))):
        PromptCache(**fields)


def test_what_the_default_mode_costs_stands_in_the_check() -> None:
    """From gpt-5.6 on a written token costs 1.25 of the input price. (OpenAI's guide to prompt caching)"""

    def cost(model: str, **fields: Any) -> str | None:
        return build(model).check(chat(0), **fields).cache_cost

    assert "1.25 of the input price" in str(cost(GPT))
    assert "prompt cache: by its default" in str(build(GPT).check(chat(0)))
    assert cost(GPT, prompt_cache="auto") is cost(GPT, prompt_cache="off") is None
    assert cost(CLAUDE) is cost("openai/gpt-4o") is cost("openai/gpt-5.1") is None
    assert cost(GPT, prompt_cache_options={"mode": "explicit"}) is None
