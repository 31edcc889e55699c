"""The cache policy of a model: what it marks, its lifetimes, and every place to set it."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, ConfigurationError, PromptCache, cached
from tests.caching.helpers import CLAUDE, EPHEMERAL, FUNCTION, GPT, OLD, TALK, build, places, text, whats

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
    assert gpt.get("prompt_cache_options") == ({"mode": "explicit"} if policy is not None else None)
    assert ("prompt_cache_key" in gpt) == (policy not in (None, "off", PromptCache(enabled=False)))


def test_without_a_system_prompt_the_last_loaded_tool_is_marked() -> None:
    tools = [FUNCTION, {**FUNCTION, "name": "g"}, {**FUNCTION, "name": "h", "defer_loading": True}]
    alone = PromptCache(first_call_with_tools=False)
    assert places(build(CLAUDE).check([HumanMessage("Q?")], tools=tools, prompt_cache=alone).body) == ["tools.1"]
    assert places(build(GPT).check([HumanMessage("Q?")], tools=tools, prompt_cache=alone).body) == []


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
        mode = {"prompt_cache_options": {"mode": "explicit"}} if model == GPT else {}
        assert off.body == {**build(model).check(TALK, tools=[FUNCTION]).body, **mode}
        assert off.adjustments == ()
    assert "cache_control" not in build(CLAUDE).check(TALK, prompt_cache="off", cache_control=EPHEMERAL).body


@pytest.mark.parametrize("responses", [True, False])
@pytest.mark.parametrize("policy", [None, "auto", "off"])
def test_the_callers_explicit_mode_stays(responses: bool, policy: Any) -> None:
    """Without a mark nothing is cached, which is what it is for. (SDK: docstring of `PromptCacheOptions.mode`)"""
    model = build(GPT, use_responses_api=responses)
    explicit = {"prompt_cache_options": {"mode": "explicit"}}
    for messages, tools in (([HumanMessage("Q?")], []), ([cached(HumanMessage("Q?"))], []), (TALK, [cached(FUNCTION)])):
        report = model.check(messages, tools=tools, prompt_cache=policy, **explicit)
        assert report.body["prompt_cache_options"] == {"mode": "explicit"}
        assert "prompt_cache_options.mode 'explicit'" not in whats(report)


@pytest.mark.parametrize("responses", [True, False])
def test_off_switches_the_implicit_breakpoint_off(responses: bool) -> None:
    """gpt-5.6 writes the whole prompt at 1.25 of the input price in its default mode."""
    model = build(GPT, use_responses_api=responses)
    off = model.check([cached(HumanMessage("Q?"))], prompt_cache="off")
    assert (places(off.body), off.body["prompt_cache_options"]) == ([], {"mode": "explicit"})
    other = model.check(TALK, prompt_cache="off", prompt_cache_options={"mode": "implicit", "ttl": "30m"})
    assert other.body["prompt_cache_options"] == {"mode": "explicit", "ttl": "30m"}
    assert whats(other) == ["prompt_cache_options.mode 'implicit'"]
    for elsewhere in (build(OLD), build(GPT, base_url="https://vllm.example/v1")):
        assert "prompt_cache_options" not in elsewhere.check(TALK, prompt_cache="off").body


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
def test_the_policys_ttl(case: tuple[str, bool, str, str | None, str | None, str | None, bool]) -> None:
    model, responses, ttl, marks, options, retention, noted = case
    chat = build(model, use_responses_api=responses) if model != CLAUDE else build(model)
    report = chat.check(TALK, prompt_cache=PromptCache(ttl=ttl))
    assert {place.partition(" ")[2] for place in places(report.body)} == (set() if marks is None else {marks})
    assert report.body.get("prompt_cache_options", {}).get("ttl") == options
    assert report.body.get("prompt_cache_retention") == retention
    assert whats(report) == ([f"prompt-cache ttl {ttl!r}"] if noted else [])


def test_a_ttl_that_an_unknown_server_does_not_get_is_an_adjustment() -> None:
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
        # Models with breakpoints take no retention at all. (openai/codex#39442)
        ({"prompt_cache": "auto"}, False),
        ({}, False),
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
def test_a_model_with_a_policy_is_copied_pickled_and_serialised(policy: Any) -> None:
    model = build(CLAUDE, prompt_cache=policy)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), model.model_copy()):
        assert other.prompt_cache == policy
        assert len(places(other.check(TALK).body)) == 3
    assert f"prompt_cache={policy!r}" in repr(model)
    assert "1h" in json.dumps(dumpd(model)) or policy == "auto"
