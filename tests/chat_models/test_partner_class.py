"""`isinstance` with the partner packages' classes, and that nothing else changes by it."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import langchain_anthropic
import langchain_openai
import pytest
from langchain_anthropic.middleware import AnthropicPromptCachingMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumpd, load
from langchain_core.runnables import ConfigurableField
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import BaseModel, ConfigDict

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.testing import emulator

KEY = {"api_key": "sk-partner-class"}
MODELS = {
    "anthropic": lambda: ChatAnthropic(model="claude-sonnet-4-6", **KEY),
    "openai": lambda: ChatOpenAI(model="gpt-5.4", **KEY),
    "unified anthropic": lambda: ChatUnified("anthropic/claude-sonnet-4-6", **KEY),
    "unified openai": lambda: ChatUnified("openai:gpt-5.4", **KEY),
}


@pytest.fixture(params=MODELS)
def named(request):
    return request.param, MODELS[request.param]()


def test_a_model_is_an_instance_of_its_providers_class_and_not_of_the_other(named):
    name, model = named
    claude = "anthropic" in name
    assert isinstance(model, langchain_anthropic.ChatAnthropic) is claude
    assert isinstance(model, langchain_openai.ChatOpenAI) is not claude
    assert isinstance(model, BaseChatOpenAI) is not claude
    assert not isinstance(model, langchain_openai.AzureChatOpenAI)
    assert isinstance(model, BaseChatModel)
    assert isinstance(model, type(model))


def test_type_name_fields_and_secrets_stay_ours(named):
    _, model = named
    own = type(model)
    assert own in (ChatAnthropic, ChatOpenAI, ChatUnified)
    assert model.__class__.__name__ == own.__name__
    assert model.__class__.__module__ == own.__module__
    assert model.__class__.model_fields == own.model_fields
    assert model.get_name() == own.__name__
    assert repr(model).startswith(own.__name__ + "(")
    assert "langchain_unified" in dumpd(model)["id"][0]
    assert "sk-partner-class" not in str(dumpd(model))


def test_copies_and_pickles_have_our_class(named):
    _, model = named
    own = type(model)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        found = pickle.loads(pickle.dumps(model, protocol))
        assert type(found) is own
        assert found.model_name == model.model_name
    for found in (copy.copy(model), copy.deepcopy(model), model.model_copy(update={"temperature": 0.5})):
        assert type(found) is own
    assert copy.copy(model) == model
    assert pickle.loads(pickle.dumps(model.__class__)) is own
    assert type(model.__class__(model=model.model_name, **KEY)) in (own, ChatUnified)


def test_fields_are_assigned_and_configured_as_before(named):
    _, model = named
    model.temperature = 0.25
    assert model.temperature == 0.25
    with pytest.raises(ValueError, match="no field"):
        model.nonsense = 1
    configurable = model.configurable_fields(temperature=ConfigurableField(id="heat"))
    found, _ = configurable._prepare({"configurable": {"heat": 0.75}})
    assert type(found) is type(model)
    assert found.temperature == 0.75


def test_a_pydantic_field_of_the_partners_type_takes_our_model():
    class Holder(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        model: langchain_anthropic.ChatAnthropic

    model = MODELS["unified anthropic"]()
    assert Holder(model=model).model is model


def test_the_model_of_now_decides():
    model = MODELS["unified anthropic"]()
    model.model = "openai/gpt-5.4"
    assert isinstance(model, langchain_openai.ChatOpenAI)
    assert not isinstance(model, langchain_anthropic.ChatAnthropic)


def test_a_written_model_is_read_again():
    model = ChatUnified("anthropic/claude-sonnet-4-6", temperature=0.5, **KEY)
    found = load(
        dumpd(model),
        secrets_map={"LANGCHAIN_UNIFIED_API_KEY": "sk-again"},
        valid_namespaces=["langchain_unified"],
        allowed_objects=[ChatUnified],
    )
    assert type(found) is ChatUnified
    assert (found.temperature, found.model_name) == (0.5, "claude-sonnet-4-6")
    assert "max_tokens" not in found.model_fields_set  # the limit that was shown is not one that was given


def test_the_partner_package_is_never_imported_for_it():
    code = (
        "import sys; from langchain_unified import ChatUnified; from langchain_core.load import dumpd\n"
        "model = ChatUnified('anthropic/claude-sonnet-4-6', api_key='x'); dumpd(model); repr(model)\n"
        "assert model.__class__ is ChatUnified\n"
        "assert not {'langchain_anthropic', 'langchain_openai', 'anthropic', 'openai'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("kind", ["anthropic", "unified anthropic"])
def test_langchains_caching_middleware_marks_our_prompts(kind):
    from langchain.agents import create_agent

    def weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    with emulator() as emulated:
        settings = {"base_url": emulated.anthropic_url, "api_key": "sk-x"}
        if kind == "anthropic":
            model = ChatAnthropic(model="claude-sonnet-4-6", **settings)
        else:
            model = ChatUnified("anthropic/claude-sonnet-4-6", **settings)
        middleware = [AnthropicPromptCachingMiddleware(unsupported_model_behavior="raise")]
        agent = create_agent(model, [weather], system_prompt="Answer shortly. " * 1_000, middleware=middleware)
        first = agent.invoke({"messages": [("user", "Hello.")]})
        second = agent.invoke({"messages": [*first["messages"], ("user", "And now?")]})
    assert emulated.requests[0].body["system"][-1]["cache_control"] == {"type": "ephemeral", "ttl": "5m"}
    assert second["messages"][-1].response_metadata["prompt_cache"]["read"] > 1_000
