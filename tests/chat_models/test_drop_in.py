"""An existing program changes one import: the partner classes' arguments and attributes are here."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import langchain_anthropic
import langchain_openai
import pytest
from langchain_core.runnables import ConfigurableField
from pydantic import SecretStr

import langchain_unified
from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, ConfigurationError, UnknownModelError
from langchain_unified.chat_models._fields import REFUSED

PAIRS = [
    pytest.param(langchain_anthropic.ChatAnthropic, ChatAnthropic, id="ChatAnthropic"),
    pytest.param(langchain_openai.ChatOpenAI, ChatOpenAI, id="ChatOpenAI"),
]

VALUES: dict[str, Any] = {
    "int": 1,
    "float": 0.5,
    "bool": True,
    "str": "high",
    "list[str]": ["x"],
    "dict": {"a": 1},
}


def names(cls: Any) -> set[str]:
    return {name for field, info in cls.model_fields.items() for name in (field, info.alias) if name}


@pytest.mark.parametrize("partner, ours", PAIRS)
def test_every_constructor_argument_is_accepted_or_refused_with_a_reason(partner: Any, ours: Any) -> None:
    missing = names(partner) - names(ours) - set(REFUSED)
    assert missing == set()


@pytest.mark.parametrize("partner, ours", PAIRS)
def test_every_public_attribute_is_there(partner: Any, ours: Any) -> None:
    model = ours(model="claude-sonnet-4-5" if ours is ChatAnthropic else "gpt-4o", api_key="k")
    for name in set(partner.model_fields) - set(REFUSED):
        getattr(model, name)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_argument_says_what_to_do(name: str) -> None:
    with pytest.raises(ConfigurationError, match="not taken by ChatOpenAI"):
        ChatOpenAI(model="gpt-4o", **{name: "x"})


ALIASES = [
    (ChatAnthropic, {"model_name": "claude-x"}, "model", "claude-x"),
    (ChatAnthropic, {"model": "claude-x", "max_tokens_to_sample": 5}, "max_tokens", 5),
    (ChatAnthropic, {"model": "claude-x", "timeout": 3.0}, "default_request_timeout", 3.0),
    (ChatAnthropic, {"model": "claude-x", "stop": ["a"]}, "stop_sequences", ["a"]),
    (ChatAnthropic, {"model": "claude-x", "base_url": "http://h"}, "anthropic_api_url", "http://h"),
    (ChatAnthropic, {"model": "claude-x", "api_key": "k"}, "anthropic_api_key", SecretStr("k")),
    (ChatAnthropic, {"model": "claude-x", "effort": "low"}, "reasoning_effort", "low"),
    (ChatOpenAI, {"model": "gpt-x"}, "model_name", "gpt-x"),
    (ChatOpenAI, {"max_completion_tokens": 5}, "max_tokens", 5),
    (ChatOpenAI, {"timeout": (1.0, 2.0)}, "request_timeout", (1.0, 2.0)),
    (ChatOpenAI, {"stop_sequences": ["a"]}, "stop", ["a"]),
    (ChatOpenAI, {"organization": "o"}, "openai_organization", "o"),
    (ChatOpenAI, {"base_url": "http://h"}, "openai_api_base", "http://h"),
    (ChatOpenAI, {"api_key": "k"}, "openai_api_key", SecretStr("k")),
    (ChatUnified, {"model": "o3", "max_completion_tokens": 5}, "max_tokens", 5),
    (ChatUnified, {"model": "o3", "stop_sequences": ["a"]}, "stop", ["a"]),
]


@pytest.mark.parametrize("cls, given, field, value", ALIASES)
def test_aliases_mean_the_same(cls: Any, given: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(cls(**given), field) == value


ADDRESS = "https://v.example/v1"
ENVIRONMENT = [
    (ChatAnthropic, "ANTHROPIC_API_KEY", "anthropic_api_key", SecretStr("v")),
    (ChatAnthropic, "ANTHROPIC_API_URL", "anthropic_api_url", ADDRESS),
    (ChatAnthropic, "ANTHROPIC_BASE_URL", "anthropic_api_url", ADDRESS),
    (ChatAnthropic, "ANTHROPIC_API_BASE", "anthropic_api_url", ADDRESS),
    (ChatAnthropic, "ANTHROPIC_PROXY", "anthropic_proxy", "v"),
    (ChatOpenAI, "OPENAI_API_KEY", "openai_api_key", SecretStr("v")),
    (ChatOpenAI, "OPENAI_API_BASE", "openai_api_base", ADDRESS),
    (ChatOpenAI, "OPENAI_BASE_URL", "openai_api_base", ADDRESS),
    (ChatOpenAI, "OPENAI_ORG_ID", "openai_organization", "v"),
    (ChatOpenAI, "OPENAI_ORGANIZATION", "openai_organization", "v"),
    (ChatOpenAI, "OPENAI_PROXY", "openai_proxy", "v"),
]


@pytest.mark.parametrize("cls, variable, field, value", ENVIRONMENT)
def test_environment_variables(
    cls: Any, variable: str, field: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, ADDRESS if value == ADDRESS else "v")
    assert getattr(cls(model="gpt-4o"), field) == value


def test_the_gateway_of_langsmith(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_GATEWAY", "https://gateway.example/")
    monkeypatch.setenv("LANGSMITH_GATEWAY_API_KEY", "gateway-key")
    monkeypatch.setenv("OPENAI_API_KEY", "provider-key")
    behind = ChatOpenAI(model="gpt-4o")
    assert behind.openai_api_base == "https://gateway.example/openai/v1"
    assert behind._connection("openai").api_key == SecretStr("gateway-key")
    elsewhere = ChatOpenAI(model="gpt-4o", base_url="https://other.example/v1")
    assert elsewhere._connection("openai").api_key == SecretStr("provider-key")


def test_configurable_fields_keep_their_names() -> None:
    """Core rebuilds the model from all of its fields, defaults included; streaming must survive that."""
    chain = ChatOpenAI(model="gpt-4o", api_key="k").configurable_fields(
        model_name=ConfigurableField(id="model"), temperature=ConfigurableField(id="t")
    )
    model, _ = chain.prepare({"configurable": {"model": "gpt-4.1", "t": 0.1}})  # type: ignore[attr-defined]
    assert (model.model_name, model.temperature) == ("gpt-4.1", 0.1)
    assert not model._streaming_disabled(stream=True)


@pytest.mark.parametrize("name", ["gemini-pro", "anthropic", "mistral/large", "claude", ""])
def test_an_unknown_form_lists_the_accepted_ones(name: str) -> None:
    with pytest.raises(UnknownModelError, match="anthropic/"):
        ChatUnified(name)


def test_nothing_heavy_is_imported_before_the_first_call() -> None:
    code = (
        "import sys, langchain_unified as u;"
        "u.ChatAnthropic(model='claude-sonnet-4-5'); u.ChatOpenAI(model='gpt-4o'); u.ChatUnified('anthropic/claude-x');"
        "print([m for m in ('anthropic', 'openai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_resolves() -> None:
    for name in langchain_unified.__all__:
        assert getattr(langchain_unified, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'ChatGemini'"):
        _ = langchain_unified.ChatGemini
