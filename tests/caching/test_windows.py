"""What a model remembers of its calls: windows over the last messages, and single calls that nobody continues."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_unified import PromptCache
from langchain_unified.caching.pauses import PauseLog
from langchain_unified.caching.placement import place_breakpoints
from langchain_unified.wires import WIRES
from tests.caching.helpers import CLAUDE, GPT, build


def long_chat(turns: int) -> list[Any]:
    """A chat whose questions are all different, with a system prompt that is long enough for a cache."""
    found: list[Any] = [SystemMessage("Rules. " * 1500)]
    for turn in range(turns):
        found += [HumanMessage(f"Question {turn}?"), AIMessage(f"Answer {turn}.")]
    return [*found, HumanMessage(f"Question {turns}?")]


def sent_marks(model: Any, log: PauseLog, messages: list[Any], policy: PromptCache | None = None) -> list[str]:
    """The places of the marks of a call that is made."""
    report = model.check(messages)
    found, rules = report.request, WIRES[report.wire].marks
    _, marks, _ = place_breakpoints(found, rules, policy or PromptCache(), log.pauses(found))
    assert any("lost the first messages" in item["why"] for item in marks.dropped) == log.pauses(found).is_window
    log.called(found, long=False, marked=bool(marks.sent))
    return [mark.place for mark in marks.sent]


@pytest.mark.parametrize("name", [CLAUDE, GPT])
def test_the_end_of_a_window_is_not_marked_from_the_third_call_on(name: str) -> None:
    model, log = build(name), PauseLog(lambda: 0.0)
    whole = long_chat(9)

    def window(turn: int) -> list[Any]:
        return [whole[0], *whole[1 : 2 * turn + 2][-5:]]

    sent = [sent_marks(model, log, window(turn)) for turn in range(6)]
    # The first messages are lost in the calls 4, 5 and 6.
    assert [len(places) > 1 for places in sent] == [False, True, True, True, False, False]
    assert all(places[0].startswith("message 0 (system)") for places in sent)
    assert len(sent_marks(model, log, [*window(5), AIMessage("A."), HumanMessage("Next?")])) > 1


def test_a_summary_once_is_no_window() -> None:
    model, log = build(CLAUDE), PauseLog(lambda: 0.0)
    for turn in range(4):
        sent_marks(model, log, long_chat(turn))
    short = [*long_chat(0)[:1], HumanMessage("A summary."), *long_chat(4)[-3:]]
    assert len(sent_marks(model, log, short)) > 1
    assert len(sent_marks(model, log, [*short, AIMessage("A."), HumanMessage("Next?")])) > 1


def test_the_same_short_words_in_many_chats_are_no_window() -> None:
    model, log = build(CLAUDE), PauseLog(lambda: 0.0)
    chats = [[*long_chat(0)[:1], HumanMessage(f"I am {at}.")] for at in range(3)]
    for _ in range(4):
        for messages in chats:
            sent_marks(model, log, messages)
            messages += [AIMessage("Go on?"), HumanMessage("Yes.")]
    assert all(len(sent_marks(model, log, messages)) > 1 for messages in chats)


def modes(model: Any, log: PauseLog, messages: list[Any]) -> str:
    found = model.check(messages).request
    placed, marks, _ = place_breakpoints(found, WIRES["openai_responses"].marks, PromptCache(), log.pauses(found))
    log.called(found, long=False, marked=bool(marks.sent))
    return (placed.params.get("prompt_cache_options") or {}).get("mode", "implicit")


def test_single_calls_without_a_mark_are_written_twice_at_most() -> None:
    """An unmarked call stays in the default mode, which writes the whole prompt at 1.25 of the input price."""
    model, log = build(GPT), PauseLog(lambda: 0.0)
    single = [[HumanMessage(f"{at}. " + "Sum up. " * 1000)] for at in range(5)]
    assert [modes(model, log, messages) for messages in single[:4]] == ["implicit"] * 2 + ["explicit"] * 2
    followed = [*single[3], AIMessage("A."), HumanMessage("And?")]
    assert modes(model, log, followed) == "explicit"
    assert modes(model, log, single[4]) == "implicit"


def test_short_calls_are_not_counted() -> None:
    model, log = build(GPT), PauseLog(lambda: 0.0)
    assert {modes(model, log, [HumanMessage(f"{at}?")]) for at in range(5)} == {"implicit"}
