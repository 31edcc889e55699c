"""A fingerprint says by name what has changed, is the same in another process, and holds no key and no prompt."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_unified import ChatAnthropic, ChatUnified
from langchain_unified.rows import Fingerprint, fingerprint

KEY = "sk-ant-api03-secretsecretsecret"


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return city


class City(BaseModel):
    """A city."""

    name: str


class Town(BaseModel):
    """A city."""

    town: str


def model(name: str = "anthropic/claude-haiku-4-5", **fields: Any) -> ChatUnified:
    return ChatUnified(name, api_key=KEY, **fields)


def prompt(text: str = "Where is {city}?") -> ChatPromptTemplate:
    return ChatPromptTemplate.from_messages([("system", "A secret prompt."), ("human", text)])


CHANGES: dict[str, tuple[Runnable[Any, Any], Runnable[Any, Any], list[str]]] = {
    "a model": (
        model(), model("openai/gpt-5-mini"),
        ["the model is 'gpt-5-mini', it was 'claude-haiku-4-5'"],
    ),
    "a parameter": (model(temperature=0.1), model(temperature=0.2), ["the parameter 'temperature' has changed"]),
    "a new parameter": (model(), model(max_tokens=9), ["the parameter 'max_tokens' is new"]),
    "a bound parameter": (
        model().bind(seed=1), model().bind(seed=2), ["the parameter 'seed' has changed"],
    ),
    "a system prompt": (model(system="a"), model(system="b"), ["the parameter 'system' has changed"]),
    "a tool": (model().bind_tools([weather]), model(), ["the tool 'weather' is gone"]),
    "a schema": (
        model().with_structured_output(City), model().with_structured_output(Town),
        ["the parameter 'response_format' has changed"],
    ),
    "a template": (prompt() | model(), prompt("{city}?") | model(), ["the template 'prompt 1' has changed"]),
    "a fallback": (
        model().with_fallbacks([model("openai/gpt-5-mini")]), model().with_fallbacks([model("openai/gpt-6-luna")]),
        ["the model 2 is 'gpt-6-luna', it was 'gpt-5-mini'"],
    ),
    "an agent's model": (
        create_agent(model(), [weather], system_prompt="A secret prompt."),
        create_agent(model("anthropic/claude-sonnet-5"), [weather], system_prompt="A secret prompt."),
        ["the model is 'claude-sonnet-5', it was 'claude-haiku-4-5'"],
    ),
    "a step": (
        model() | RunnableLambda(lambda message: message.text), model() | RunnableLambda(lambda message: message.id),
        ["the code '<lambda>' has changed"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_is_named(name: str) -> None:
    before, after, expected = CHANGES[name]
    old = Fingerprint.from_json(json.loads(json.dumps(fingerprint(before).to_json())))
    assert fingerprint(before).differences(old) == []
    found = fingerprint(after).differences(old)
    assert found == expected
    assert fingerprint(after).digest != old.digest


@pytest.mark.parametrize("name", CHANGES)
def test_no_key_and_no_prompt(name: str) -> None:
    text = json.dumps(fingerprint(CHANGES[name][0], template="A secret prompt.").to_json())
    assert KEY not in text
    assert "secret prompt" not in text


def test_the_version_and_the_template_of_the_input() -> None:
    old = fingerprint(model(), template="prompt", version="1")
    new = fingerprint(model(), template="question", version="2")
    assert new.differences(old) == ["the template 'input' has changed", "the version is '2', it was '1'"]


def test_what_does_not_change_an_answer() -> None:
    one = ChatAnthropic("claude-haiku-4-5", api_key=KEY)
    other = ChatAnthropic(
        "claude-haiku-4-5", api_key="sk-ant-other-key-of-mine", base_url="http://127.0.0.1:9", timeout=3, max_retries=9
    )
    assert fingerprint(one).digest == fingerprint(other).digest


CODE = """
from tests.rows.test_fingerprint import CHANGES
from langchain_unified.rows import fingerprint
print({name: fingerprint(each[0]).digest for name, each in CHANGES.items()})
"""


def test_another_process_finds_the_same() -> None:
    printed = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str({name: fingerprint(each[0]).digest for name, each in CHANGES.items()})
