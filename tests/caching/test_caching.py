"""Prompt-cache marks of one call, by a dry run: which go out, for how long, and what is said of the rest."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.tools import tool

from langchain_unified import (
    ChatAnthropic,
    ChatOpenAI,
    ChatUnified,
    ConfigurationError,
    PromptCache,
    UnsupportedParameterError,
    cached,
)
from langchain_unified.caching.placement import PlacedMarks, SentMark
from langchain_unified.caching.report import report
from langchain_unified.request import Request, ToolSpec, Turn
from tests.support.histories import problems

CLAUDE, GPT, OLD = "anthropic/claude-opus-5", "openai/gpt-5.6", "openai/gpt-4o"
EPHEMERAL = {"type": "ephemeral"}


def build(model: str, **fields: Any) -> ChatUnified:
    return ChatUnified(model, api_key="any", **fields)


def text(words: str, ttl: str | None = None, *, mark: bool = True) -> dict[str, Any]:
    block = {"type": "text", "text": words}
    return cached(block, ttl) if mark else block


def places(body: dict[str, Any]) -> list[str]:
    """Where marks stand in a body, in its order, each with its lifetime if it names one: `messages.0.1 1h`."""
    found = ["top"] * ("cache_control" in body)
    for section in ("tools", "system", "messages", "input"):
        items = body.get(section)
        for at, item in enumerate(items if isinstance(items, list) else ()):
            found += _marks(item, f"{section}.{at}")
    if found[:1] == ["top"]:
        found[0] += "".join(f" {ttl}" for ttl in [body["cache_control"].get("ttl")] if ttl)
    return found


def _marks(item: dict[str, Any], path: str) -> Iterator[str]:
    for key in ("cache_control", "prompt_cache_breakpoint"):
        if key in item:
            yield f"{path} {item[key].get('ttl', '')}".strip()
    content = item.get("content", item.get("output"))
    for at, part in enumerate(content if isinstance(content, list) else ()):
        yield from _marks(part, f"{path}.{at}")


def whats(report: Any) -> list[str]:
    return [item["what"] for item in report.adjustments]


# --- how many ---------------------------------------------------------------------------------------------------------

FUNCTION = {"name": "f", "description": "F.", "input_schema": {"type": "object", "properties": {}}}
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


def test_the_longest_lived_is_kept_then_the_latest() -> None:
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


def test_the_mark_of_the_whole_call_is_one_of_the_four() -> None:
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
def test_on_openai_it_is_a_mark_on_the_last_words(responses: bool) -> None:
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


def test_a_longer_life_comes_first_over_the_whole_request() -> None:
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
def test_a_lifetime_is_a_wish(model: str, ttl: str, sent: str | None, why: str | None) -> None:
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
        plan(build(model, on_unsupported="ignore"), grown(5))
        plan(build(model, on_unsupported="raise", prompt_cache="auto"), TALK)
    assert "prompt-cache marks" in whats(build(model, on_unsupported="ignore").check(grown(5)))[0]


# --- settings ---------------------------------------------------------------------------------------------------------

TALK = [SystemMessage("S."), HumanMessage("Q?"), AIMessage("A."), HumanMessage("R?")]
AUTO: list[tuple[str, Any, list[BaseMessage], list[str]]] = [
    ("one call", "auto", TALK[:2], ["0"]),
    ("a talk", "auto", TALK, ["0", "1", "3"]),
    ("always", PromptCache(tail="always"), TALK[:2], ["0", "1"]),
    ("never", PromptCache(tail="never"), TALK, ["0"]),
    ("nothing", None, TALK, []),
    ("off", "off", [cached(message) for message in TALK], []),
    ("switched off", PromptCache(enabled=False), [cached(message) for message in TALK], []),
]


@pytest.mark.parametrize("policy, messages, marked", [case[1:] for case in AUTO], ids=[case[0] for case in AUTO])
def test_what_the_policy_marks(policy: Any, messages: list[BaseMessage], marked: list[str]) -> None:
    gpt = build(GPT).check(messages, prompt_cache=policy).body
    assert places(gpt) == [f"input.{at}.0" for at in marked]
    claude = build(CLAUDE).check(messages, prompt_cache=policy).body
    # The system prompt stands apart there.
    assert places(claude) == ["system.0" if at == "0" else f"messages.{int(at) - 1}.0" for at in marked]
    assert gpt.get("prompt_cache_options") == ({"mode": "explicit"} if marked else None)
    assert ("prompt_cache_key" in gpt) == (policy not in (None, "off", PromptCache(enabled=False)))


def test_without_a_system_prompt_the_last_loaded_tool_is_marked() -> None:
    tools = [FUNCTION, {**FUNCTION, "name": "g"}, {**FUNCTION, "name": "h", "defer_loading": True}]
    assert places(build(CLAUDE).check([HumanMessage("Q?")], tools=tools, prompt_cache="auto").body) == ["tools.1"]
    assert places(build(GPT).check([HumanMessage("Q?")], tools=tools, prompt_cache="auto").body) == []


def test_what_stands_before_the_first_question_is_marked() -> None:
    note = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Notes."}}
    asked = HumanMessage([note, "What is in it?"])
    talk = [asked, AIMessage("Notes."), HumanMessage("And?")]
    for messages, marked in (([asked], ["0.0"]), (talk, ["0.0", "0.1", "2.0"])):
        assert places(build(CLAUDE).check(messages, prompt_cache="auto").body) == [f"messages.{at}" for at in marked]
        assert places(build(GPT).check(messages, prompt_cache="auto").body) == [f"input.{at}" for at in marked]


def test_off_sends_what_would_go_out_without_marks() -> None:
    tools = [cached(FUNCTION)]
    for model in (CLAUDE, GPT, OLD):
        off = build(model).check([cached(message) for message in TALK], tools=tools, prompt_cache="off")
        assert off.body == build(model).check(TALK, tools=[FUNCTION]).body
        assert off.adjustments == ()
    assert "cache_control" not in build(CLAUDE).check(TALK, prompt_cache="off", cache_control=EPHEMERAL).body


@pytest.mark.parametrize("responses", [True, False])
@pytest.mark.parametrize("policy", [None, "auto", "off"])
def test_the_explicit_mode_never_goes_out_without_a_mark(responses: bool, policy: Any) -> None:
    """Without one it would switch caching off."""
    model = build(GPT, use_responses_api=responses)
    report = model.check([HumanMessage("Q?")], prompt_cache_options={"mode": "explicit"}, prompt_cache=policy)
    assert "prompt_cache_options" not in report.body
    assert whats(report) == ["prompt_cache_options.mode 'explicit'"]
    marked = model.check([cached(HumanMessage("Q?"))], prompt_cache_options={"mode": "explicit"}, prompt_cache=policy)
    assert ("prompt_cache_options" in marked.body) == (policy != "off")
    tool_only = model.check([HumanMessage("Q?")], tools=[cached(FUNCTION)], prompt_cache_options={"mode": "explicit"})
    assert "prompt_cache_options" not in tool_only.body


def test_a_mode_of_the_callers_stays() -> None:
    options = {"mode": "implicit", "ttl": "30m"}
    body = build(GPT).check(TALK, prompt_cache="auto", prompt_cache_options=options).body
    assert body["prompt_cache_options"] == options
    assert len(places(body)) == 3


POLICY_TTLS = [
    # model, Responses?, ttl -> the marks' lifetime, the options', the retention, what is noted
    (CLAUDE, False, "5m", "5m", None, None, False), (CLAUDE, False, "1h", "1h", None, None, False),
    (CLAUDE, False, "30m", "", None, None, True), (CLAUDE, False, "12h", "1h", None, None, True),
    (CLAUDE, False, "24h", "1h", None, None, True),
    (GPT, True, "5m", "", None, None, False), (GPT, True, "30m", "30m", "30m", None, False),
    (GPT, True, "12h", "12h", "12h", None, False), (GPT, True, "1h", "", None, None, True),
    (GPT, True, "24h", "", None, None, True),
    (GPT, False, "30m", "30m", "30m", None, False), (GPT, False, "12h", "12h", None, None, False),
    (GPT, False, "24h", "", None, None, True),
    (OLD, False, "24h", None, None, "24h", False), (OLD, False, "5m", None, None, None, True),
    (OLD, False, "12h", None, None, None, True), (OLD, True, "24h", None, None, "24h", False),
    ("openai/gpt-5.5", True, "24h", None, None, "24h", False),
]  # fmt: skip


@pytest.mark.parametrize("case", POLICY_TTLS, ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}")
def test_the_policys_lifetime(case: tuple[str, bool, str, str | None, str | None, str | None, bool]) -> None:
    model, responses, ttl, marks, options, retention, noted = case
    chat = build(model, use_responses_api=responses) if model != CLAUDE else build(model)
    report = chat.check(TALK, prompt_cache=PromptCache(ttl=ttl))
    assert {place.partition(" ")[2] for place in places(report.body)} == (set() if marks is None else {marks})
    assert report.body.get("prompt_cache_options", {}).get("ttl") == options
    assert report.body.get("prompt_cache_retention") == retention
    assert whats(report) == ([f"prompt-cache ttl {ttl!r}"] if noted else [])


def test_a_lifetime_that_an_unknown_server_is_not_told_is_noted() -> None:
    model = build(GPT, base_url="https://vllm.example/v1")
    report = model.check(TALK, prompt_cache=PromptCache(ttl="30m", key="k"))
    assert not any(key.startswith("prompt_cache") for key in report.body)
    assert whats(report) == ["prompt-cache ttl '30m'"]


@pytest.mark.parametrize("responses", [True, False])
@pytest.mark.parametrize(
    "given, kept",
    [
        ({"prompt_cache": PromptCache(ttl="30m")}, False),
        ({"prompt_cache_options": {"ttl": "30m"}}, False),
        ({"prompt_cache": "auto"}, True),
        ({}, True),
    ],
)
def test_retention_and_a_ttl_never_go_out_together(responses: bool, given: dict[str, Any], kept: bool) -> None:
    report = build(GPT, use_responses_api=responses).check(TALK, prompt_cache_retention="24h", **given)
    assert ("prompt_cache_retention" in report.body) == kept
    assert ("prompt_cache_retention" in whats(report)) == (not kept)


@pytest.mark.parametrize("responses", [True, False])
def test_the_ttl_of_a_mark_replaces_the_retention_too(responses: bool) -> None:
    model = build(GPT, use_responses_api=responses)
    body = model.check([HumanMessage([text("A.", "12h"), "Q?"])], prompt_cache_retention="24h").body
    assert "prompt_cache_retention" not in body
    assert json.dumps(body).count("12h") == 1


def test_options_that_a_model_is_not_sent_replace_nothing() -> None:
    report = build(OLD).check(TALK, prompt_cache_retention="24h", prompt_cache_options={"ttl": "30m"})
    assert report.body["prompt_cache_retention"] == "24h"
    assert whats(report) == ["prompt_cache_options"]


BAD = ["always", "AUTO", True, 1, [], {"ttl": "2h"}, {"lifetime": "1h"}, {"tail": "end"}, {"enabled": "no"}]


@pytest.mark.parametrize("value", BAD, ids=repr)
def test_unknown_settings_are_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError):
        build(CLAUDE, prompt_cache=value)
    for model in (CLAUDE, GPT):
        with pytest.raises(ConfigurationError):
            build(model).check(TALK, prompt_cache=value)


@pytest.mark.parametrize(
    "fields", [{"ttl": "2h"}, {"ttl": 5}, {"ttl": ["5m"]}, {"tail": "end"}, {"tail": []}, {"key": 1}, {"enabled": "no"}]
)
def test_a_policy_refuses_what_it_does_not_have(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="PromptCache"):
        PromptCache(**fields)


WAYS = ["field", "call", "bind", "tools", "dict"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "cls, name", [(ChatUnified, CLAUDE), (ChatAnthropic, "claude-opus-5"), (ChatOpenAI, "gpt-5.6")]
)
def test_the_setting_in_every_place(cls: type[Any], name: str, way: str) -> None:
    policy = {"ttl": "12h"} if way == "dict" else PromptCache(ttl="12h")
    built = {"prompt_cache": policy} if way in ("field", "dict") else {}
    model = cls(model=name, api_key="any", on_unsupported="ignore", **built)
    keywords: dict[str, Any] = {"prompt_cache": policy} if way == "call" else {}
    if way == "bind":
        keywords = model.bind(prompt_cache=policy).kwargs
    if way == "tools":
        keywords = model.bind(prompt_cache=policy).bind_tools([FUNCTION]).kwargs
    marked = places(model.check(TALK, **keywords).body)
    with_tool = way == "tools" and cls is not ChatOpenAI
    assert [place.partition(" ")[2] for place in marked] == ["12h" if cls is ChatOpenAI else "1h"] * (3 + with_tool)


def test_a_call_overrides_the_field() -> None:
    model = build(CLAUDE, prompt_cache="auto")
    assert len(places(model.check(TALK).body)) == 3
    assert places(model.check(TALK, prompt_cache="off").body) == []
    assert len(places(model.check(TALK, prompt_cache=PromptCache(tail="never")).body)) == 1


@pytest.mark.parametrize("policy", ["auto", PromptCache(ttl="1h", key="k")])
def test_a_model_with_a_policy_is_copied_pickled_and_written_down(policy: Any) -> None:
    model = build(CLAUDE, prompt_cache=policy)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), model.model_copy()):
        assert other.prompt_cache == policy
        assert len(places(other.check(TALK).body)) == 3
    assert f"prompt_cache={policy!r}" in repr(model)
    assert "1h" in json.dumps(dumpd(model)) or policy == "auto"


# --- the key ----------------------------------------------------------------------------------------------------------


def key_of(messages: list[BaseMessage], **keywords: Any) -> str:
    model = keywords.pop("model", GPT)
    given = {"prompt_cache": "auto", **keywords}
    key: str = build(model, on_unsupported="ignore").check(messages, **given).body["prompt_cache_key"]
    return key


def test_the_key_tells_model_tools_and_system_prompt_apart_and_nothing_else() -> None:
    key = key_of(TALK)
    same = [
        key_of([SystemMessage("S."), HumanMessage("My name is Ada.")]),
        key_of(TALK, user="user-7", temperature=0.1, max_tokens=5, metadata={"a": "b"}),
        key_of([cached(SystemMessage("S.")), HumanMessage("Q?")], prompt_cache=None),
        key_of([SystemMessage([text("S.", "12h")]), HumanMessage("Q?")]),
        key_of(TALK, prompt_cache=PromptCache(tail="always", ttl="30m")),
    ]
    assert set(same) == {key}
    others = [
        key_of([SystemMessage("T."), *TALK[1:]]),
        key_of(TALK, tools=[FUNCTION]),
        key_of(TALK, tools=[{**FUNCTION, "description": "G."}]),
        key_of(TALK, model="openai/gpt-5.6-mini"),
    ]
    assert len({key, *others}) == 5


def test_the_key_is_the_same_through_a_conversation() -> None:
    """With a system prompt, with tools alone, with neither; and when a system message comes later."""
    for start, keywords in (([SystemMessage("S.")], {}), ([], {"tools": [FUNCTION]}), ([], {})):
        messages: list[BaseMessage] = [*start, HumanMessage("Q?")]
        keys = {key_of(messages, **keywords)}
        for turn in range(3):
            messages += [AIMessage(f"A{turn}."), SystemMessage("Be kind."), HumanMessage(f"R{turn}?")]
            keys.add(key_of(messages, **keywords))
        assert len(keys) == 1


def test_nothing_of_what_the_user_says_can_be_read_in_the_key() -> None:
    key = key_of([SystemMessage("Secret words."), HumanMessage("My name is Ada.")])
    assert key.startswith("prefix-")
    assert len(key) == len("prefix-") + 32
    assert set(key.removeprefix("prefix-")) <= set("0123456789abcdef")


def test_a_key_of_the_callers_stays() -> None:
    assert key_of(TALK, prompt_cache_key="mine") == "mine"
    assert key_of(TALK, prompt_cache=PromptCache(key="ours")) == "ours"
    assert key_of(TALK, prompt_cache=PromptCache(key="ours"), prompt_cache_key="mine") == "mine"
    assert "prompt_cache_key" not in build(CLAUDE).check(TALK, prompt_cache=PromptCache(key="ours")).body


@pytest.mark.parametrize("words", ["half a character \ud83d", "2**80"])
def test_any_text_and_any_number_make_a_key(words: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 2**80}}}
    tools = [{"name": "f", "description": words, "input_schema": schema}]
    assert key_of([SystemMessage(words), HumanMessage("Q?")], tools=tools).startswith("prefix-")


def test_models_that_cache_by_themselves_get_no_key_but_the_callers() -> None:
    for policy, key in (("auto", None), (PromptCache(key="ours"), "ours"), (None, None)):
        marked = [cached(message) for message in TALK]
        assert build(OLD).check(marked, prompt_cache=policy).body.get("prompt_cache_key") == key
    assert build(OLD).check(TALK, prompt_cache_key="mine").body["prompt_cache_key"] == "mine"


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
    runs = [
        subprocess.run(
            [sys.executable, "-c", PRINT], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    ]
    assert runs[0] == runs[1]
    lines = runs[0].splitlines()
    assert len(lines) == 12
    assert sum("prefix-" in line for line in lines) == 6


# --- bad input --------------------------------------------------------------------------------------------------------

ODD: list[tuple[Any, bool, str | None]] = [
    # what stands in `cache_control`, whether it marks, what is noted
    (True, True, None), ("ephemeral", True, None), (["x"], True, None), (1, True, None),
    ({"type": "persistent"}, True, None), ({"type": "ephemeral", "ttl": None}, True, None),
    ({"type": "ephemeral", "ttl": ""}, True, None), ({"type": "ephemeral", "ttl": 300}, True, "300"),
    ({"type": "ephemeral", "ttl": "2h"}, True, "2h"), ({"type": "ephemeral", "ttl": ["5m"]}, True, "['5m']"),
    (None, False, None), (False, False, None), ([], False, None), ({}, False, None), ("", False, None),
]  # fmt: skip
PLAIN = text("A.", mark=False)


def asked(block: dict[str, Any]) -> list[BaseMessage]:
    return [HumanMessage([block, "Q?"])]


HOLDERS: dict[str, Callable[[Any], tuple[list[BaseMessage], dict[str, Any]]]] = {
    "block": lambda value: (asked({**PLAIN, "cache_control": value}), {}),
    "extras": lambda value: (asked({**PLAIN, "extras": {"cache_control": value}}), {}),
    "odd extras": lambda value: (asked({**text("A."), "extras": value}), {}),
    "message": lambda value: ([HumanMessage("Q?", additional_kwargs={"cache_control": value})], {}),
    "raw": lambda value: (asked({"type": "non_standard", "value": {**PLAIN, "cache_control": value}}), {}),
    "tool": lambda value: ([HumanMessage("Q?")], {"tools": [{**FUNCTION, "cache_control": value}]}),
    "call": lambda value: ([HumanMessage("Q?")], {"cache_control": value}),
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("value, marks, noted", ODD, ids=[repr(case[0]) for case in ODD])
def test_odd_marks_are_marks_or_none_and_never_sent_as_they_are(
    holder: str, value: Any, marks: bool, noted: str | None
) -> None:
    messages, keywords = HOLDERS[holder](value)
    report = build(CLAUDE).check(messages, **keywords)
    assert problems("anthropic_messages", report.body) == []
    if holder == "odd extras":
        assert places(report.body) == ["messages.0.0"]
        return
    assert len(places(report.body)) == marks
    assert whats(report) == ([f"prompt-cache ttl {noted!r}"] if noted else [])
    for other in (build(GPT, use_responses_api=False), build(OLD)):
        body = other.check(messages, **keywords).body
        assert problems("openai_chat", body) == []
        assert "cache_control" not in json.dumps(body)


@pytest.mark.parametrize("ttl", ["2h", "", 300, ["5m"], "forever"])
def test_cached_refuses_an_unknown_lifetime(ttl: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"cached\(\) has no ttl "):
        cached("A.", ttl)


@pytest.mark.parametrize("thing", [None, 3, [HumanMessage("A.")], ("A.",), b"A."])
def test_cached_refuses_what_cannot_be_marked(thing: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"cached\(\) cannot mark a value of type "):
        cached(thing)


def test_cached_copies() -> None:
    block, message = text("A.", mark=False), HumanMessage("A.", additional_kwargs={"kept": 1})
    function = tool(plain_tool)
    assert cached(block, "1h")["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert cached(message).additional_kwargs == {"kept": 1, "cache_control": EPHEMERAL}
    assert cached(function).extras == {"cache_control": EPHEMERAL}
    assert (block, message.additional_kwargs, function.extras) == (text("A.", mark=False), {"kept": 1}, None)
    assert type(cached(function)) is type(function)


def plain_tool(order: int) -> str:
    """Look it up."""
    return str(order)


@pytest.mark.parametrize(
    "message",
    [ChatMessage("Q?", role="user"), FunctionMessage("42", name="f"), SystemMessage("Q?"), HumanMessage("Q?")],
    ids=lambda message: type(message).__name__,
)
def test_a_message_of_any_class_takes_a_mark(message: BaseMessage) -> None:
    call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "f"}])
    talk = [HumanMessage("Hi."), call, cached(message)] if isinstance(message, FunctionMessage) else [cached(message)]
    assert len(places(build(CLAUDE).check([*talk, HumanMessage("R?")]).body)) == 1


@pytest.mark.parametrize("value", ["explicit", 3, ["explicit"]])
def test_options_that_are_no_object_are_refused(value: Any) -> None:
    for responses in (True, False):
        report = build(GPT, use_responses_api=responses).check(TALK, prompt_cache_options=value)
        assert report.refused is not None
        assert "prompt_cache_options" in report.refused


def test_a_mark_that_has_no_place_is_told() -> None:
    report = build(GPT).check([cached(AIMessage("A.")), HumanMessage("Q?")])
    assert places(report.body) == []
    assert report.adjustments == (
        {
            "what": "the prompt-cache mark on message 0 (assistant), block 0",
            "why": "No block at or before it can carry a mark.",
        },
    )
    first = build(CLAUDE).check([cached(HumanMessage(" ")), HumanMessage("Q?")])
    assert places(first.body) == []
    assert "the prompt-cache mark on message 0 (user)" in whats(first)


# --- the report -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", ["anthropic", "responses", "chat", "older"])
def test_the_report_survives_whatever_a_tool_holds(api: str) -> None:
    """An answer that was paid for is not lost to the report on it."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 2**70, "title": "\ud83d"}}}
    marked = Turn("user", ({"type": "text", "text": "hi", "mark": {}},))
    request = Request("m", (marked,), tools=(ToolSpec("f", parameters=schema),))
    marks = PlacedMarks(True, False, (SentMark("a"),))
    found = report(request, marks, {"input_tokens": 9}, by_itself=api != "anthropic")
    assert found is not None
    assert found["status"] == "miss"


def test_the_report_says_off_and_nothing_without_usage() -> None:
    request, usage = Request("m", ()), {"input_tokens": 5000}
    off = report(request, PlacedMarks(requested=True, off=True), usage, by_itself=True)
    assert off is not None
    assert off["status"] == "off"
    assert report(request, PlacedMarks(requested=True, sent=(SentMark("a"),)), None, by_itself=True) is None


def test_a_policy_is_written_down_and_read_again() -> None:
    model = ChatUnified("openai/gpt-5.6", api_key="any", prompt_cache=PromptCache(ttl="12h", key="k"))
    written = dumpd(model)["kwargs"]["prompt_cache"]
    assert written == {"ttl": "12h", "key": "k", "tail": "follow_up", "enabled": True}
    assert ChatUnified("openai/gpt-5.6", api_key="any", prompt_cache=written).prompt_cache == model.prompt_cache
