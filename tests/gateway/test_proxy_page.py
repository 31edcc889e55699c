"""What LiteLLM's page on Anthropic shows of its proxy, with the same clients: curl, the OpenAI SDK, LangChain.

The page: https://docs.litellm.ai/docs/providers/anthropic. Its models are retired; these are their successors.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from langchain_anthropic import ChatAnthropic as PartnerAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI as PartnerOpenAI

from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.testing import emulator
from langchain_unified.testing.emulation.server import Emulator
from tests.support.gateways import serving, started

CONFIG = """
model_list:
  - model_name: claude
    litellm_params:
      model: claude-sonnet-4-5
      api_key: "os.environ/ANTHROPIC_API_KEY"
  - model_name: "*"
    litellm_params:
      model: "*"
"""
MODEL = "anthropic/claude-sonnet-4-5"
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Get the current weather in a given location",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["location"],
        },
    },
}
MARK = {"cache_control": {"type": "ephemeral"}}
AGREEMENT = "Here is the full text of a complex legal agreement" * 400
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="
)
PDF = base64.b64encode(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF").decode()


@pytest.fixture(scope="module")
def provider() -> Iterator[Emulator]:
    with emulator() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(provider: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    env = {
        "ANTHROPIC_API_KEY": "sk-ant-any",
        "OPENAI_API_KEY": "sk-any",
        "ANTHROPIC_BASE_URL": provider.anthropic_url,
        "OPENAI_BASE_URL": provider.openai_url,
    }
    with serving(CONFIG, tmp_path_factory.mktemp("gateway"), **env) as url:
        yield url


@pytest.fixture
def client(gateway: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="anything", base_url=gateway, max_retries=0)


def sent(provider: Emulator) -> dict[str, Any]:
    """The last body that the provider got, which it answered."""
    assert provider.requests[-1].status == 200
    return provider.requests[-1].body


# --- curl -------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions"])
@pytest.mark.parametrize("model", ["claude", MODEL])
def test_curl(path: str, model: str, gateway: str) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "what llm are you"}]}
    command = ["curl", "-s", gateway + path, "-H", "Content-Type: application/json", "-d", json.dumps(body)]
    reply = json.loads(subprocess.check_output(command))
    assert reply["object"] == "chat.completion"
    assert "what llm are you" in reply["choices"][0]["message"]["content"]
    assert reply["usage"]["prompt_tokens"] > 0


# --- completion and streams, by every client --------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["claude", MODEL, "openai/gpt-4o"])
def test_the_openai_sdk(model: str, client: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "write a short poem"}]
    whole = client.chat.completions.create(model=model, messages=messages)
    chunks = list(client.chat.completions.create(model=model, messages=messages, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == "stop"  # no usage was asked for


async def test_the_openai_sdk_async(gateway: str) -> None:
    async with openai.AsyncOpenAI(api_key="anything", base_url=gateway) as client:
        stream = await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "write a short poem"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    assert "short poem" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens > 0


@pytest.mark.parametrize("model", [MODEL, "openai/gpt-4o"])
def test_the_responses_of_the_openai_sdk(model: str, client: openai.OpenAI) -> None:
    whole = client.responses.create(model=model, input="write a short poem")
    with client.responses.stream(model=model, input="write a short poem") as stream:
        final = stream.get_final_response()
    assert "short poem" in whole.output_text
    assert final.output_text == whole.output_text


@pytest.mark.parametrize("model", [MODEL, "openai/gpt-5.6"])
def test_the_anthropic_sdk(model: str, gateway: str) -> None:
    client = anthropic.Anthropic(api_key="anything", base_url=gateway, max_retries=0)
    arguments: Any = {
        "model": model,
        "max_tokens": 200,
        "messages": [{"role": "user", "content": "write a short poem"}],
    }
    whole = client.messages.create(**arguments)
    with client.messages.stream(**arguments) as stream:
        text = stream.get_final_text()
    assert "short poem" in text
    assert [block.text for block in whole.content if block.type == "text"] == [text]
    assert client.messages.count_tokens(model=model, messages=arguments["messages"]).input_tokens > 0


LANGCHAIN = {
    "their ChatOpenAI": lambda url, model: PartnerOpenAI(model=model, base_url=url, api_key="any", max_retries=0),
    "their ChatOpenAI on Responses": lambda url, model: PartnerOpenAI(
        model=model, base_url=url, api_key="any", max_retries=0, use_responses_api=True
    ),
    "their ChatAnthropic": lambda url, model: PartnerAnthropic(model=model, base_url=url, api_key="any", max_retries=0),
    "our ChatOpenAI": lambda url, model: ChatOpenAI(model=model, base_url=f"{url}/v1", api_key="any", max_retries=0),
    "our ChatAnthropic": lambda url, model: ChatAnthropic(model=model, base_url=url, api_key="any", max_retries=0),
}


@pytest.mark.parametrize("model", ["claude", "openai/gpt-5.6"])
@pytest.mark.parametrize("name", LANGCHAIN)
async def test_langchain(name: str, model: str, gateway: str) -> None:
    chat: Any = LANGCHAIN[name](gateway, model)
    messages = [SystemMessage("You are a helpful assistant."), HumanMessage("write a short poem")]
    whole = chat.invoke(messages)
    assert "short poem" in whole.text
    assert whole.usage_metadata["input_tokens"] > 0
    assert "".join(chunk.text for chunk in chat.stream(messages)) == whole.text
    if name.startswith("our"):  # theirs share async connections between event loops, and each test has its own
        assert (await chat.ainvoke(messages)).text == whole.text


@pytest.mark.parametrize("model", ["claude", "openai/gpt-5.6"])
@pytest.mark.parametrize("name", LANGCHAIN)
def test_langchain_tools(name: str, model: str, gateway: str) -> None:
    if name == "their ChatOpenAI" and model == "openai/gpt-5.6":
        model = "openai/gpt-4o"  # the other takes tools on Responses only while it reasons
    chat: Any = LANGCHAIN[name](gateway, model).bind_tools([TOOL])
    messages: list[Any] = [HumanMessage("Use get_current_weather for Boston and for Paris.")]
    answer = chat.invoke(messages)
    assert {call["name"] for call in answer.tool_calls} == {"get_current_weather"}
    streamed = None
    for chunk in chat.stream(messages):
        streamed = chunk if streamed is None else streamed + chunk
    assert streamed is not None
    assert [call["args"] for call in streamed.tool_calls] == [call["args"] for call in answer.tool_calls]
    messages += [answer, *(ToolMessage("72 degrees", tool_call_id=call["id"]) for call in answer.tool_calls)]
    assert "72 degrees" in chat.invoke(messages).text


# --- caching ----------------------------------------------------------------------------------------------------------


def test_caching_of_a_large_context(client: openai.OpenAI, provider: Emulator) -> None:
    system = [
        {"type": "text", "text": "You are an AI assistant tasked with analyzing legal documents."},
        {"type": "text", "text": AGREEMENT, **MARK},
    ]
    question = {"role": "user", "content": "what are the key terms and conditions in this agreement?"}
    messages: Any = [{"role": "system", "content": system}, question]
    first = client.chat.completions.create(model=MODEL, messages=messages)
    second = client.chat.completions.create(model=MODEL, messages=messages)
    assert sent(provider)["system"][1]["cache_control"] == {"type": "ephemeral"}
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.prompt_tokens_details is not None
    assert second.usage.prompt_tokens_details.cached_tokens > 1000
    assert second.usage.prompt_tokens == first.usage.prompt_tokens


def test_caching_of_tools(client: openai.OpenAI, provider: Emulator) -> None:
    inside: Any = {**TOOL, "function": {**TOOL["function"], **MARK}}
    beside: Any = {**TOOL, **MARK}
    messages: Any = [{"role": "user", "content": "What's the weather like in Boston today?"}]
    for tool in (inside, beside):
        client.chat.completions.create(model=MODEL, messages=messages, tools=[tool])
        assert sent(provider)["tools"][-1]["cache_control"] == {"type": "ephemeral"}


def test_caching_of_a_conversation(client: openai.OpenAI, provider: Emulator) -> None:
    question = {"type": "text", "text": "What are the key terms and conditions in this agreement?", **MARK}
    messages: Any = [
        {"role": "system", "content": [{"type": "text", "text": AGREEMENT, **MARK}]},
        {"role": "user", "content": [question]},
        {"role": "assistant", "content": "Certainly! the contract is 1 year long for $10/mo"},
        {"role": "user", "content": [question]},
    ]
    client.chat.completions.create(model=MODEL, messages=messages)
    body = sent(provider)
    assert "cache_control" in body["system"][0]
    assert ["cache_control" in message["content"][-1] for message in body["messages"]] == [True, False, True]


# --- tools ------------------------------------------------------------------------------------------------------------


def test_tools_and_their_results(client: openai.OpenAI, provider: Emulator) -> None:
    messages: Any = [{"role": "user", "content": "Use get_current_weather for Boston."}]
    tools: Any = [TOOL]
    first = client.chat.completions.create(model=MODEL, messages=messages, tools=tools, tool_choice="auto")
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls
    messages.append(message.model_dump())  # with its empty keys, as the page does it
    for call in message.tool_calls:
        assert call.type == "function"
        assert isinstance(json.loads(call.function.arguments), dict)
        result = {"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": '{"temperature": 72}'}
        messages.append(result)
    second = client.chat.completions.create(model=MODEL, messages=messages, tools=tools, tool_choice="auto")
    assert '"temperature": 72' in (second.choices[0].message.content or "")
    results = [block for block in sent(provider)["messages"][-1]["content"] if block["type"] == "tool_result"]
    assert [block["tool_use_id"] for block in results] == [call.id for call in message.tool_calls]


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "tool", "name": "get_current_weather"},
        {"type": "function", "function": {"name": "get_current_weather"}},
        {"type": "any"},
        "required",
    ],
)
def test_a_forced_tool(choice: Any, client: openai.OpenAI, provider: Emulator) -> None:
    messages: Any = [{"role": "user", "content": "What's the weather like in Boston today?"}]
    tools: Any = [TOOL]
    reply = client.chat.completions.create(model=MODEL, messages=messages, tools=tools, tool_choice=choice)
    assert reply.choices[0].message.tool_calls
    assert sent(provider)["tool_choice"]["type"] in ("tool", "any")


# --- media, prefill, user, headers ------------------------------------------------------------------------------------


def test_vision(client: openai.OpenAI, provider: Emulator) -> None:
    url = "data:image/png;base64," + base64.b64encode(PIXEL).decode()
    content = [{"type": "text", "text": "Whats in this image?"}, {"type": "image_url", "image_url": {"url": url}}]
    messages: Any = [{"role": "user", "content": content}]
    client.chat.completions.create(model=MODEL, messages=messages)
    image = sent(provider)["messages"][0]["content"][1]
    assert image["type"] == "image"
    assert image["source"]["media_type"] == "image/png"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": f"data:application/pdf;base64,{PDF}"},
        {"type": "image_url", "image_url": {"url": f"data:application/pdf;base64,{PDF}"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
    ],
    ids=["a string", "an object", "a file"],
)
def test_pdf(part: Any, client: openai.OpenAI, provider: Emulator) -> None:
    messages: Any = [{"role": "user", "content": [{"type": "text", "text": "Please summarize the document."}, part]}]
    client.chat.completions.create(model=MODEL, messages=messages, max_tokens=300)
    document = sent(provider)["messages"][0]["content"][1]
    assert document["type"] == "document"
    assert document["source"] == {"type": "base64", "media_type": "application/pdf", "data": PDF}


def test_prefill_and_system(client: openai.OpenAI, provider: Emulator) -> None:
    messages: Any = [
        {"role": "system", "content": "You are a snarky assistant."},
        {"role": "user", "content": "How do you say 'Hello' in German? Return your answer as a JSON object."},
        {"role": "assistant", "content": "{"},
    ]
    client.chat.completions.create(model=MODEL, messages=messages)
    body = sent(provider)
    assert body["messages"][-1]["role"] == "assistant"
    assert "snarky" in json.dumps(body["system"])


def test_user(client: openai.OpenAI, provider: Emulator) -> None:
    messages: Any = [{"role": "user", "content": "What is Anthropic?"}]
    client.chat.completions.create(model=MODEL, messages=messages, user="user_123")
    assert sent(provider)["metadata"] == {"user_id": "user_123"}


def test_extra_headers(client: openai.OpenAI, provider: Emulator) -> None:
    messages: Any = [{"role": "user", "content": "What is Anthropic?"}]
    beta = "output-128k-2025-02-19"
    client.chat.completions.create(model=MODEL, messages=messages, extra_headers={"anthropic-beta": beta})
    assert beta in provider.requests[-1].headers["anthropic-beta"]


# --- started by a model's name ----------------------------------------------------------------------------------------


def test_the_command_line(provider: Emulator, tmp_path: Path) -> None:
    env = {"ANTHROPIC_API_KEY": "sk-ant-any", "ANTHROPIC_BASE_URL": provider.anthropic_url}
    command = [sys.executable, "-m", "langchain_unified", "serve", "--model", "claude-sonnet-4-5"]
    with started(command, tmp_path, **env) as url:
        client = openai.OpenAI(api_key="anything", base_url=url)
        messages: Any = [{"role": "user", "content": "this is a test request"}]
        reply = client.chat.completions.create(model="gpt-3.5-turbo", messages=messages)
        assert "test request" in (reply.choices[0].message.content or "")
