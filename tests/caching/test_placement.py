"""Cache marks of one call, by a dry run: which go out, for how long, and what is reported of the others."""

from __future__ import annotations

import itertools
import subprocess
import sys
import warnings
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified import DeprecatedModelWarning, PromptCache, UnsupportedParameterError, cached
from tests.caching.helpers import CLAUDE, EPHEMERAL, FUNCTION, GPT, OLD, TALK, build, places, text, whats
from tests.support.histories import problems

# --- how many ---------------------------------------------------------------------------------------------------------

FIVE = [
    SystemMessage([text("S.")]),
    HumanMessage([text("A."), text("B.")]),
    AIMessage("X."),
    HumanMessage([text("C.")]),
]


def test_four_marks_at_most_over_tools_system_and_messages() -> None:
    report = build(CLAUDE).check(FIVE, tools=[cached(FUNCTION)])
    assert places(report.body) == ["system.0", "messages.0.0", "messages.0.1", "messages.2.0"]
    assert whats(report) == ["the prompt-cache marks beyond 4"]
    assert problems("anthropic_messages", report.body) == []


@pytest.mark.parametrize("mode, kept", [(None, ["1.1", "3.0"]), ("explicit", ["1.0", "1.1", "3.0"])])
@pytest.mark.parametrize("responses", [True, False])
def test_openai_writes_one_less_beside_the_implicit_one(mode: str | None, kept: list[str], responses: bool) -> None:
    options = {"prompt_cache_options": {"mode": mode}} if mode else {}
    longest = [SystemMessage([text("S.", "12h")]), *FIVE[1:]]
    report = build(GPT, use_responses_api=responses).check(longest, **options)
    section = "input" if responses else "messages"
    assert places(report.body) == [f"{section}.0.0 12h", *(f"{section}.{place}" for place in kept)]
    assert whats(report) == (["the prompt-cache marks beyond 3"] if mode is None else [])


def test_the_callers_marks_come_before_the_policys() -> None:
    report = build(CLAUDE).check(FIVE, prompt_cache=PromptCache(ttl="1h"), tools=[FUNCTION])
    # The policy's marks on the system prompt and on the ends of both calls are the caller's own: only for longer.
    assert places(report.body) == ["system.0 1h", "messages.0.0 1h", "messages.0.1 1h", "messages.2.0 1h"]
    own = [HumanMessage([text(word) for word in "ABCD"]), AIMessage("X."), HumanMessage("E.")]
    report = build(CLAUDE).check([SystemMessage("S."), *own], prompt_cache="auto")
    assert places(report.body) == [f"messages.0.{at}" for at in range(4)]
    assert report.adjustments == ()


def test_the_longest_ttl_is_sent_then_the_latest_mark() -> None:
    asked = HumanMessage([text("A.", "1h"), *(text(word) for word in "BCDEF")])
    kept = ["messages.0.0 1h", "messages.0.3", "messages.0.4", "messages.0.5"]
    assert places(build(CLAUDE).check([asked]).body) == kept


def test_the_default_and_five_minutes_are_the_same_length() -> None:
    asked = HumanMessage([text("A.", "5m"), *(text(word) for word in "BCDE")])
    assert places(build(CLAUDE).check([asked]).body) == [f"messages.0.{at}" for at in (1, 2, 3, 4)]


def test_marks_that_meet_are_one_for_the_longest() -> None:
    asked = HumanMessage([text("A.", "1h"), text(" ", "5m"), text(" ")])
    assert places(build(CLAUDE).check([asked]).body) == ["messages.0.0 1h"]
    # Of the lifetimes that there are: 24h is none of a breakpoint's.
    talk = [HumanMessage([text("A.", "12h")]), cached(AIMessage("B."), "24h"), HumanMessage("C.")]
    assert places(build(GPT).check(talk).body) == ["input.0.0 12h"]


# --- the mark of the whole call ---------------------------------------------------------------------------------------


def test_the_top_level_mark_is_one_of_the_four() -> None:
    report = build(CLAUDE).check([*FIVE, AIMessage("Y."), HumanMessage("D.")], cache_control=EPHEMERAL)
    assert report.body["cache_control"] == EPHEMERAL
    assert places(report.body) == ["top", "messages.0.0", "messages.0.1", "messages.2.0"]
    assert whats(report) == ["the prompt-cache marks beyond 4"]
    assert problems("anthropic_messages", report.body) == []


@pytest.mark.parametrize("top, block, sent", [("1h", None, "1h"), (None, "1h", "1h"), (None, None, None)])
def test_it_takes_the_place_of_a_mark_on_the_last_block(top: str | None, block: str | None, sent: str | None) -> None:
    """The API refuses another lifetime there."""
    given = {**EPHEMERAL, **({"ttl": top} if top else {})}
    body = build(CLAUDE).check([HumanMessage([text("A.", block)])], cache_control=given).body
    assert places(body) == [f"top {sent}" if sent else "top"]
    assert body["messages"][0]["content"] == [{"type": "text", "text": "A."}]


def test_marks_before_it_live_as_long() -> None:
    report = build(CLAUDE).check(
        [SystemMessage([text("S.")]), HumanMessage("A.")], cache_control={**EPHEMERAL, "ttl": "1h"}
    )
    assert places(report.body) == ["top 1h", "system.0 1h"]
    assert whats(report) == ["prompt-cache marks for less than 1h"]


@pytest.mark.parametrize("responses", [True, False])
def test_on_openai_it_is_a_mark_on_the_last_part(responses: bool) -> None:
    body = build(GPT, use_responses_api=responses).check([HumanMessage("A.")], cache_control=EPHEMERAL).body
    assert "cache_control" not in body
    assert len(places(body)) == 1


def test_one_in_extra_body_is_counted_too() -> None:
    report = build(CLAUDE).check(FIVE, extra_body={"cache_control": EPHEMERAL})
    assert places(report.body) == ["top", "messages.0.0", "messages.0.1", "messages.2.0"]


@pytest.mark.parametrize("model", [CLAUDE, GPT])
def test_marks_in_the_system_parameter_count(model: str) -> None:
    system = [text(word) for word in "ABCDE"]
    report = build(model).check([HumanMessage("Q?")], system=system)
    section = "system." if model == CLAUDE else "input.0."
    kept = (1, 2, 3, 4) if model == CLAUDE else (2, 3, 4)
    assert places(report.body) == [f"{section}{at}" for at in kept]
    assert len(whats(report)) == 1


@pytest.mark.parametrize("model", [CLAUDE, GPT])
def test_marks_in_raw_blocks_count(model: str) -> None:
    kind = "text" if model == CLAUDE else "input_text"
    raw = [{"type": "non_standard", "value": {**text(word), "type": kind}} for word in "ABCDE"]
    report = build(model).check([HumanMessage([*raw, "Q?"])])
    section, room = ("messages", 4) if model == CLAUDE else ("input", 3)
    assert places(report.body) == [f"{section}.0.{at}" for at in range(5 - room, 5)]
    assert whats(report) == [f"the prompt-cache marks beyond {room}"]


# --- for how long -----------------------------------------------------------------------------------------------------


def test_a_longer_ttl_comes_first_over_the_whole_request() -> None:
    messages = [SystemMessage([text("S.")]), HumanMessage([text("A.", "5m"), text("B.", "1h"), text("C.")])]
    report = build(CLAUDE).check(messages, tools=[cached(FUNCTION)])
    assert places(report.body) == ["system.0 1h", "messages.0.0 1h", "messages.0.1 1h", "messages.0.2"]
    assert sorted(whats(report)) == ["prompt-cache marks for less than 1h", "the prompt-cache marks beyond 4"]
    report = build(CLAUDE).check([HumanMessage([text("A.", "1h")])], tools=[cached(FUNCTION)])
    assert places(report.body) == ["tools.0 1h", "messages.0.0 1h"]


def test_a_later_system_message_stands_first_where_it_is_folded() -> None:
    """Older models take system messages only at the start: the order of lifetimes is that of the body."""

    def talk(first: str, later: str) -> list[BaseMessage]:
        asked, system = HumanMessage([text("A.", first)]), SystemMessage([text("S.", later)])
        return [asked, AIMessage("X."), system, HumanMessage("B.")]

    folded = build("anthropic/claude-sonnet-4-5").check(talk("1h", "5m")).body
    assert places(folded) == ["system.0 1h", "messages.0.0 1h"]
    assert places(build(CLAUDE).check(talk("1h", "5m")).body) == ["messages.0.0 1h", "messages.2.0 5m"]
    report = build("anthropic/claude-sonnet-4-5").check(talk("5m", "1h"))
    assert places(report.body) == ["system.0 1h", "messages.0.0 5m"]
    assert "prompt-cache" not in str(report.adjustments)


LIVES = [
    (CLAUDE, "5m", "5m", None), (CLAUDE, "1h", "1h", None), (CLAUDE, "30m", None, "5m or 1h"),
    (CLAUDE, "12h", "1h", "for 1h at most"), (CLAUDE, "24h", "1h", "for 1h at most"),
    (GPT, "5m", None, None), (GPT, "30m", "30m", None), (GPT, "12h", "12h", None), (GPT, "1h", None, "30m"),
    (GPT, "24h", None, "30m"),
]  # fmt: skip


@pytest.mark.parametrize("model, ttl, sent, why", LIVES)
def test_a_ttl_that_the_api_lacks_is_replaced(model: str, ttl: str, sent: str | None, why: str | None) -> None:
    report = build(model).check([HumanMessage([text("A.", ttl), text("B.", ttl), "Q?"])])
    (first, second) = places(report.body)
    assert [first.partition(" ")[2], second.partition(" ")[2]] == [sent or "", sent or ""]
    assert [item["what"] for item in report.adjustments] == ([f"prompt-cache ttl {ttl!r}"] if why else [])
    assert why is None or why in report.adjustments[0]["why"]


# --- where the call before this one ended -----------------------------------------------------------------------------


def long_turn(blocks: int, model: str, *, calls: int = 0) -> list[BaseMessage]:
    """A conversation marked at its end, so many blocks after the end of the call before."""
    extra = [text(f"Part {number}.", mark=False) for number in range(blocks - 2 - calls)]
    said = [{"name": "f", "args": {}, "id": f"call_{number}"} for number in range(calls // 2)]
    results = [ToolMessage(["One.", "Two."], tool_call_id=call["id"]) for call in said]
    return [HumanMessage("Q?"), AIMessage("A.", tool_calls=said), *results, HumanMessage([*extra, text("End.")])]


@pytest.mark.parametrize("calls", [0, 16])
@pytest.mark.parametrize("blocks, marked", [(19, False), (20, True), (40, True)])
def test_a_mark_in_between_where_the_look_back_does_not_reach(blocks: int, marked: bool, calls: int) -> None:
    """Anthropic looks at 20 blocks, the marked one counted; a tool's result is one block, whatever it holds."""
    found = places(build(CLAUDE).check(long_turn(blocks, CLAUDE, calls=calls)).body)
    assert found[:-1] == (["messages.0.0"] if marked else [])


def test_no_mark_in_between_where_there_is_one_already_or_no_room() -> None:
    messages = long_turn(40, CLAUDE)
    first = HumanMessage([text("Q?")])
    assert len(places(build(CLAUDE).check([first, *messages[1:]]).body)) == 2
    full = [SystemMessage([text(word) for word in "ABC"]), *messages]
    report = build(CLAUDE).check(full)
    assert places(report.body)[:-1] == ["system.0", "system.1", "system.2"]
    assert report.adjustments == ()


def test_openai_reads_only_at_breakpoints() -> None:
    """So that what the call before wrote is found, its end is marked however near it is."""
    body = build(GPT).check([HumanMessage("Q?"), AIMessage("A."), cached(HumanMessage("R?"))]).body
    assert places(body) == ["input.0.0", "input.2.0"]
    static = [cached(SystemMessage("S.")), HumanMessage("Q?"), AIMessage("A."), HumanMessage("R?")]
    assert places(build(GPT).check(static).body) == ["input.0.0"]


# --- what is said of it -----------------------------------------------------------------------------------------------


def grown(turns: int) -> list[BaseMessage]:
    pairs = [[HumanMessage([text(f"Q{at}?")]), AIMessage(f"A{at}.")] for at in range(turns)]
    return [*itertools.chain.from_iterable(pairs), HumanMessage([text("End?")])]


@pytest.mark.parametrize("model", [CLAUDE, GPT, OLD])
def test_a_conversation_that_grows_warns_once(model: str) -> None:
    """Every turn is marked, as some programs do: from the fifth on each call leaves one more out."""
    chat = build(model)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for turns in range(3, 9):
            plan(chat, grown(turns))
    assert len([warning for warning in caught if "prompt-cache" in str(warning.message)]) == 1


def plan(model: Any, messages: list[BaseMessage], **keywords: Any) -> dict[str, Any]:
    """The body that a call would send, with the warnings and errors of a call."""
    from langchain_unified.chat_models import _plan

    body: dict[str, Any] = _plan.make(model, messages, keywords, stream=False).call.body
    return body


@pytest.mark.parametrize("model", [CLAUDE, GPT, OLD])
def test_on_unsupported(model: str) -> None:
    with pytest.raises(UnsupportedParameterError, match="prompt-cache marks"):
        plan(build(model, on_unsupported="raise"), grown(5))
    with pytest.warns(UserWarning, match="prompt-cache marks"):
        plan(build(model), grown(5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecatedModelWarning)
        plan(build(model, on_unsupported="ignore"), grown(5))
        plan(build(model, on_unsupported="raise", prompt_cache="auto"), TALK)
    assert "prompt-cache marks" in whats(build(model, on_unsupported="ignore").check(grown(5)))[0]


# --- the same bytes in any process ------------------------------------------------------------------------------------

PRINT = """
import json
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_unified import ChatUnified, PromptCache, cached

def f(order: int, city: str, day: str = "today") -> str:
    "F."

CALL = {"name": "f", "args": {"order": 1, "city": "Rome", "day": "now"}, "id": "call_1"}
TALK = [cached(SystemMessage("S."), "1h"), cached(HumanMessage(["A.", "B."])), cached(AIMessage("", tool_calls=[CALL])),
        cached(ToolMessage("42", tool_call_id="call_1")), HumanMessage([cached("C.", "12h"), "D?"])]
for name, more in (("anthropic/claude-opus-5", {}), ("openai/gpt-5.6", {"use_responses_api": True}),
                   ("openai/gpt-5.6", {"use_responses_api": False}), ("openai/gpt-4o", {})):
    model = ChatUnified(name, api_key="any", on_unsupported="ignore", **more)
    for policy in (None, "auto", PromptCache(ttl="12h", tail="always")):
        report = model.check(TALK, tools=[cached(f)], prompt_cache=policy)
        print(json.dumps(report.body), json.dumps(report.adjustments))
"""


def test_two_processes_with_other_hash_seeds_send_the_same_bytes() -> None:
    command = [sys.executable, "-c", PRINT]
    runs = [
        subprocess.run(
            command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, timeout=60, check=True
        ).stdout
        for seed in ("0", "1")
    ]
    assert runs[0] == runs[1]
    lines = runs[0].splitlines()
    assert len(lines) == 12
    assert sum("prefix-" in line for line in lines) == 6
