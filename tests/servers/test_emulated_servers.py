"""The emulator as each server: what it refuses and how it answers, and agents that run on it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from langchain_unified import ChatAnthropic, ChatOpenAI, ConfigurationError, InvalidRequestError
from langchain_unified.servers import known_servers
from langchain_unified.testing import emulator
from langchain_unified.testing.emulation.endpoints import CHAT
from langchain_unified.testing.emulation.rules import refusals
from langchain_unified.testing.emulation.rules.rule import EmulatedCall
from langchain_unified.testing.emulation.rules.servers import SERVER_RULES
from langchain_unified.testing.emulation.servers import SERVERS

pytestmark = pytest.mark.breaks_field_rules  # they are those of the providers
MODELS = {"azure": "gpt-5.4-mini", "deepseek": "deepseek-v4-flash", "gemini": "gemini-3-flash",
          "openrouter": "google/gemini-3-pro"}  # fmt: skip
"""A model that reasons, where the server's rules depend on it."""

ASKED_TO_REASON = {"llama.cpp", "openrouter", "vllm"}


QUESTIONS = ("use get_weather for Paris", "use get_weather for Rome", "thanks")


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sun in {city}"


def model_of(name: str, base_url: str, **fields: Any) -> ChatOpenAI:
    effort = {"reasoning_effort": "low"} if name in ASKED_TO_REASON else {}
    return ChatOpenAI(
        MODELS.get(name, "qwen3:8b"), base_url=base_url, api_key="k", max_retries=0, max_tokens=500, **effort, **fields
    )


def test_each_server_is_known_by_its_name():
    assert set(SERVERS) <= set(known_servers())
    assert set(SERVER_RULES) <= set(SERVERS)
    with pytest.raises(ConfigurationError, match="plays no server 'nobody'"):
        emulator(server="nobody")


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", SERVERS)
def test_an_agent_of_three_turns(name, streaming):
    with emulator(server=name) as server:
        agent = create_agent(model_of(name, server.openai_url, streaming=streaming), [get_weather])
        state: Any = {"messages": []}
        for question in QUESTIONS:
            state = agent.invoke({"messages": [*state["messages"], ("user", question)]})
        statuses = {request.status for request in server.requests}
    assert statuses == {200}
    calls = [call["args"] for message in state["messages"] if isinstance(message, AIMessage)
             for call in message.tool_calls]  # fmt: skip
    assert calls == [{"city": "Paris"}, {"city": "Rome"}]
    assert state["messages"][-1].text
    if not (streaming and name == "mistral"):  # it is not asked for the usage of a stream
        assert all(message.usage_metadata for message in state["messages"] if isinstance(message, AIMessage))


@pytest.mark.parametrize("name", SERVERS)
async def test_an_agent_of_three_turns_async(name):
    async with emulator(server=name) as server:
        agent = create_agent(model_of(name, server.openai_url), [get_weather])
        state: Any = {"messages": []}
        for question in QUESTIONS:
            state = await agent.ainvoke({"messages": [*state["messages"], ("user", question)]})
    assert state["messages"][-1].text


@pytest.mark.parametrize("name", ["ollama", "lmstudio", "vllm", "litellm", "openrouter", "deepseek"])
def test_an_agent_through_the_messages_api(name):
    with emulator(server=name) as server:
        model = ChatAnthropic("qwen3-coder", base_url=server.anthropic_url, api_key="k", max_retries=0)
        agent = create_agent(model, [get_weather])
        state: Any = {"messages": []}
        for question in QUESTIONS:
            state = agent.invoke({"messages": [*state["messages"], ("user", question)]})
        assert model.get_num_tokens("four words are here") > 0
    assert state["messages"][-1].text


# --- rules ------------------------------------------------------------------------------------------------------------

USER = {"role": "user", "content": "q"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
SIGNED = {**CALL, "extra_content": {"google": {"thought_signature": "s"}}}
MARKED = {"role": "user", "content": [{"type": "text", "text": "q", "cache_control": {"type": "ephemeral"}}]}
FORCED = {"type": "function", "function": {"name": "f"}}

CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("deepseek", "deepseek.json_schema", {"response_format": {"type": "json_schema"}},
     {"response_format": {"type": "json_object"}}),
    ("deepseek", "deepseek.tool_choice", {"tool_choice": FORCED}, {"tool_choice": "auto"}),
    ("deepseek", "deepseek.tool_choice", {"tool_choice": "required"},
     {"tool_choice": "required", "thinking": {"type": "disabled"}}),
    ("deepseek", "deepseek.reasoning", {"messages": [USER, CALLED]},
     {"messages": [USER, {**CALLED, "reasoning_content": "hm"}]}),
    ("deepseek", "deepseek.content",
     {"messages": [{"role": "assistant", "tool_calls": [CALL], "reasoning_content": "hm"}]},
     {"messages": [{"role": "assistant", "content": "a"}]}),
    ("groq", "groq.names", {"messages": [{**USER, "name": "ada"}]}, {"messages": [USER]}),
    ("groq", "groq.reasoning", {"messages": [{"role": "assistant", "content": "a", "reasoning_content": "hm"}]}, {}),
    ("groq", "groq.marks", {"messages": [MARKED]}, {"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
    ("groq", "groq.cache key", {"prompt_cache_key": "k"}, {}),
    ("groq", "groq.logprobs", {"logprobs": True}, {}),
    ("groq", "groq.top_logprobs", {"top_logprobs": 1}, {}),
    ("groq", "groq.logit_bias", {"logit_bias": {"1": 1}}, {}),
    ("groq", "groq.n", {"n": 2}, {"n": 1}),
    ("lmstudio", "lmstudio.tool_choice", {"tool_choice": FORCED}, {"tool_choice": "required"}),
    ("lmstudio", "lmstudio.json_object", {"response_format": {"type": "json_object"}},
     {"response_format": {"type": "json_schema"}}),
    ("mistral", "mistral.max_completion_tokens", {"max_completion_tokens": 1}, {"max_tokens": 1}),
    ("mistral", "mistral.call ids", {"messages": [CALLED]},
     {"messages": [{**CALLED, "tool_calls": [{**CALL, "id": "a1B2c3D4e"}]}]}),
    ("mistral", "mistral.call ids", {"messages": [{"role": "tool", "tool_call_id": "call_1"}]}, {}),
    ("mistral", "mistral.store", {"store": False}, {}),
    ("mistral", "mistral.reasoning_content", {"messages": [{"role": "assistant", "reasoning_content": "hm"}]}, {}),
    ("databricks", "databricks.stream_options", {"stream_options": {}}, {"stream": True}),
    ("databricks", "databricks.content", {"messages": [{**CALLED, "content": ""}]}, {"messages": [CALLED]}),
    ("gemini", "gemini.signature", {"messages": [USER, CALLED]},
     {"messages": [USER, {**CALLED, "tool_calls": [SIGNED]}]}),
    ("gemini", "gemini.cache key", {"prompt_cache_key": "k"}, {}),
    ("openrouter", "openrouter.reasoning_details", {"model": "google/gemini-3-pro", "messages": [USER, CALLED]},
     {"model": "qwen/qwen3", "messages": [USER, CALLED]}),
]  # fmt: skip


IDS = [f"{case[1]} {index}" for index, case in enumerate(CASES)]


@pytest.mark.parametrize("server, rule, broken, kept", CASES, ids=IDS)
def test_each_rule(server, rule, broken, kept):
    def names(more: dict[str, Any]) -> list[str]:
        call = EmulatedCall(CHAT, {"model": "m", "messages": [USER], **more})
        return [refusal.rule.name for refusal in refusals(call, SERVERS[server].rules)]

    assert rule in names(broken)
    assert names(kept) == []


def test_every_rule_has_a_case_and_a_source():
    own = {rule.name for name, rules in SERVER_RULES.items() if name != "azure" for rule in rules}
    assert own == {rule for _, rule, _, _ in CASES}
    assert all(rule.source for server in SERVERS.values() for rule in server.rules)


# --- answers ----------------------------------------------------------------------------------------------------------


def reply_of(name: str, **body: Any) -> Any:
    with emulator(server=name) as server:
        asked = {"model": MODELS.get(name, "m"), "messages": [{"role": "user", "content": "Hi"}], **body}
        return httpx2.post(f"{server.openai_url}/chat/completions", json=asked, headers={"authorization": "Bearer k"})


@pytest.mark.parametrize(
    "name, key", [("deepseek", "reasoning_content"), ("vllm", "reasoning"), ("openrouter", "reasoning_details")]
)
def test_reasoning_stands_in_the_servers_field(name, key):
    message = reply_of(name, reasoning_effort="low").json()["choices"][0]["message"]
    assert message[key]
    assert "annotations" not in message
    with emulator(server=name) as server:
        said = model_of(name, server.openai_url, reasoning_effort="low").invoke("Hi") if name == "deepseek" else (
            model_of(name, server.openai_url).invoke("Hi"))  # fmt: skip
    assert said.text == "You said: Hi"


def test_errors_have_the_servers_shape():
    assert reply_of("lmstudio", tool_choice={}).json()["error"].startswith("Invalid tool_choice")
    refused = reply_of("mistral", store=False)
    assert (refused.status_code, refused.json()["message"]["detail"][0]["loc"]) == (422, ["body", "store"])
    assert reply_of("gemini", prompt_cache_key="k").json()[0]["error"]["status"] == "INVALID_ARGUMENT"
    with emulator(server="lmstudio") as server, pytest.raises(InvalidRequestError, match="Invalid tool_choice"):
        model_of("lmstudio", server.openai_url, dialect="generic").invoke(
            "q", tools=[get_weather], tool_choice="get_weather"
        )


def test_a_stream_of_azure_has_chunks_without_choices():
    text = reply_of("azure", stream=True).text
    assert '"prompt_filter_results"' in text
    with emulator(server="azure") as server:
        chunks = list(model_of("azure", server.openai_url).stream("Hi"))
    assert "".join(chunk.text for chunk in chunks) == "You said: Hi"


def test_usage_in_the_choice_is_counted():
    with emulator(server="moonshot") as server:
        whole = None
        for chunk in model_of("moonshot", server.openai_url).stream("Hi"):
            whole = chunk if whole is None else whole + chunk
    assert whole is not None
    assert whole.usage_metadata


def test_an_answer_without_an_endpoint_for_counting_is_an_estimate():
    for name in ("ollama", "litellm"):
        with emulator(server=name) as server:
            assert ChatAnthropic("m", base_url=server.anthropic_url, api_key="k").get_num_tokens("four words") > 0
            asked = [request.endpoint for request in server.requests]
        assert asked == (["anthropic.count_tokens"] if name == "litellm" else [])
