"""The key of OpenAI's prompt cache that a policy derives."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_unified import PromptCache, cached
from tests.caching.helpers import CLAUDE, FUNCTION, GPT, OLD, TALK, build, text


def key_of(messages: list[BaseMessage], **keywords: Any) -> str:
    model = keywords.pop("model", GPT)
    given = {"prompt_cache": "auto", **keywords}
    key: str = build(model, on_unsupported="ignore").check(messages, **given).body["prompt_cache_key"]
    return key


def test_the_key_depends_only_on_model_tools_and_system_prompt() -> None:
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


def test_the_key_does_not_contain_the_users_text() -> None:
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
