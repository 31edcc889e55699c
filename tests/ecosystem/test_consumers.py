"""Frameworks, evaluations and tracers of LangChain's models: what each checks and reads, with the real package."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.testing import emulator

MAKE = "make test-ecosystem"
LONG = "Answer shortly. " * 1_500

MODELS = {
    "messages": lambda e: ChatAnthropic(model="claude-sonnet-4-6", base_url=e.anthropic_url, api_key="x"),
    "chat": lambda e: ChatOpenAI(model="gpt-5.4", base_url=e.openai_url, api_key="x"),
    "unified messages": lambda e: ChatUnified(
        "anthropic/claude-sonnet-4-6", base_url=e.anthropic_url, api_key="x", prompt_cache="auto"
    ),
    "unified responses": lambda e: ChatUnified("openai/gpt-5.4", base_url=e.openai_url, api_key="x"),
}


def weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


# --- deepagents: isinstance with the class of langchain-anthropic, if that is loaded; the profile by provider:model -

DEEPAGENT = """
    import sys, json
    {before}
    from deepagents import create_deep_agent
    from langchain_unified import ChatAnthropic, ChatUnified
    from langchain_unified.testing import emulator
    with emulator() as e:
        model = {model}
        agent = create_deep_agent(model=model, tools=[], system_prompt="Be brief. " * 1000)
        first = agent.invoke({{"messages": [("user", "Hello.")]}})
        second = agent.invoke({{"messages": [*first["messages"], ("user", "And now?")]}})
        answer = second["messages"][-1]
        print(json.dumps({{
            "read": answer.usage_metadata["input_token_details"]["cache_read"],
            "adjustments": [item["what"] for item in answer.response_metadata.get("adjustments", [])],
            "loaded": "langchain_anthropic" in sys.modules,
            "system": len(str(e.requests[0].body["system"])),
        }}))
"""
OURS = 'ChatAnthropic(model="claude-sonnet-4-6", base_url=e.anthropic_url, api_key="x")'
UNIFIED = 'ChatUnified("anthropic/claude-sonnet-4-6", base_url=e.anthropic_url, api_key="x")'


def deepagent(model, before=""):
    code = textwrap.dedent(DEEPAGENT).format(model=model, before=before)
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=240)
    return json.loads(found.stdout.splitlines()[-1])


@pytest.mark.parametrize("model", [OURS, UNIFIED], ids=["ChatAnthropic", "ChatUnified"])
def test_deepagents_caches_prompts_with_and_without_the_partner_package(model):
    pytest.importorskip("deepagents", reason=MAKE)
    marked = deepagent(model, "import langchain_anthropic")
    by_policy = deepagent(model)
    assert marked["read"] > 5_000
    assert by_policy["read"] > 5_000
    assert (marked["adjustments"], by_policy["adjustments"]) == ([], ["prompt caching"])
    assert by_policy["loaded"] is False


def test_deepagents_finds_the_harness_profile_of_chat_unified():
    pytest.importorskip("deepagents", reason=MAKE)
    assert deepagent(UNIFIED)["system"] == deepagent(OURS)["system"]


# --- trustcall, langmem, supervisor: tools, structured output, the model's name -------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_trustcall_extracts(name):
    trustcall = pytest.importorskip("trustcall", reason=MAKE)
    from pydantic import BaseModel

    class City(BaseModel):
        """A city."""

        name: str

    with emulator(script=[{"tool_calls": [{"name": "City", "args": {"name": "Rome"}}]}]) as emulated:
        extractor = trustcall.create_extractor(MODELS[name](emulated), tools=[City], tool_choice="City")
        found = extractor.invoke({"messages": [("user", "Rome is a city.")]})
    assert found["responses"][0].name == "Rome"


@pytest.mark.parametrize("name", MODELS)
def test_langmem_keeps_a_memory(name):
    langmem = pytest.importorskip("langmem", reason=MAKE)
    script = [{"tool_calls": [{"name": "Memory", "args": {"content": "Ada likes tea."}}]}]
    with emulator(script=script) as emulated:
        manager = langmem.create_memory_manager(MODELS[name](emulated), enable_inserts=True)
        (memory,) = manager.invoke({"messages": [{"role": "user", "content": "Ada likes tea."}]})
    assert memory.content.content == "Ada likes tea."


@pytest.mark.parametrize("name", MODELS)
def test_a_supervisor_is_built_and_runs(name):
    supervisor = pytest.importorskip("langgraph_supervisor", reason=MAKE)
    from langchain.agents import create_agent

    with emulator(script=["Done."]) as emulated:
        model = MODELS[name](emulated)
        worker = create_agent(model, [weather], name="worker")
        graph = supervisor.create_supervisor([worker], model=model).compile()
        assert graph.invoke({"messages": [("user", "Hi.")]})["messages"][-1].text == "Done."


# --- ragas: generation_info, llm_output -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_ragas_knows_when_an_answer_is_complete_and_what_it_used(name):
    try:
        from ragas.cost import get_token_usage_for_anthropic, get_token_usage_for_openai
        from ragas.llms import LangchainLLMWrapper
    except ImportError as exc:  # ragas 0.4 imports a module that today's langchain-community does not have
        pytest.skip(f"ragas is not installed ({MAKE}), or does not load beside today's LangChain: {exc}")
    with emulator() as emulated:
        model = MODELS[name](emulated)
        result = model.generate([[HumanMessage("Hi.")]])
    read = get_token_usage_for_anthropic if "messages" in name else get_token_usage_for_openai
    usage = result.generations[0][0].message.usage_metadata
    assert read(result).output_tokens == usage["output_tokens"]
    assert LangchainLLMWrapper(model).is_finished(result)


# --- tracers at LangChain's level -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_langfuse_counts_cached_tokens(name):
    handler = pytest.importorskip("langfuse.langchain.CallbackHandler", reason=MAKE)

    class Keep(BaseCallbackHandler):
        def on_llm_end(self, response, **kwargs):
            self.response = response

    keep = Keep()
    with emulator() as emulated:
        model = MODELS[name](emulated)
        for _ in range(2):
            message = model.invoke([("system", LONG), ("user", "Hi.")], {"callbacks": [keep]})
    found = handler._parse_usage(keep.response)
    cached = message.usage_metadata["input_token_details"].get("cache_read", 0)
    counted = found.get("cache_read_input_tokens", found.get("input_cache_read", 0))
    assert counted == cached
    assert name == "messages" or cached > 1_000
    everything = sum(value for key, value in found.items() if key in INPUT_KEYS)
    assert everything == message.usage_metadata["input_tokens"]


INPUT_KEYS = frozenset({
    "input", "input_cache_read", "input_cache_creation", "input_audio", "cache_read_input_tokens",
    "cache_creation_input_tokens",
})  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
def test_openinference_at_langchains_level_sees_provider_model_and_usage(name, streamed):
    instrumentation = pytest.importorskip("openinference.instrumentation.langchain", reason=MAKE)
    from tests.ecosystem.collected import EXPORTER, PROVIDER

    EXPORTER.clear()
    instrumentor = instrumentation.LangChainInstrumentor()
    instrumentor.instrument(tracer_provider=PROVIDER)
    try:
        with emulator() as emulated:
            model = MODELS[name](emulated)
            for _ in range(2):
                asked = [("system", LONG), ("user", "Hi.")]
                _ = list(model.stream(asked)) if streamed else model.invoke(asked)
    finally:
        instrumentor.uninstrument()
    found = EXPORTER.get_finished_spans()[-1].attributes
    claude = "messages" in name
    assert found["llm.provider"] == ("anthropic" if claude else "openai")
    assert found["llm.model_name"] == ("claude-sonnet-4-6" if claude else "gpt-5.4")
    assert found["llm.token_count.prompt"] > 3_000
    assert name == "messages" or found["llm.token_count.prompt_details.cache_read"] > 1_000


@pytest.mark.parametrize("name", MODELS)
def test_opentelemetry_at_langchains_level_names_the_provider(name):
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.langchain", reason=MAKE)
    from tests.ecosystem.collected import EXPORTER, PROVIDER

    EXPORTER.clear()
    instrumentor = instrumentation.LangchainInstrumentor()
    instrumentor.instrument(tracer_provider=PROVIDER)
    try:
        with emulator() as emulated:
            MODELS[name](emulated).invoke("Hi.")
    finally:
        instrumentor.uninstrument()
    found = EXPORTER.get_finished_spans()[-1].attributes
    assert found["gen_ai.provider.name"] == ("anthropic" if "messages" in name else "openai")
    assert found["gen_ai.usage.output_tokens"] > 0


# --- dspy -----------------------------------------------------------------------------------------------------------


def test_dspy_has_no_adapter_for_langchains_models():
    """dspy calls models by LiteLLM; its LangChain bridge is for tools. Point it at `langchain-unified serve`."""
    dspy = pytest.importorskip("dspy", reason=MAKE)
    assert hasattr(dspy, "LM")
