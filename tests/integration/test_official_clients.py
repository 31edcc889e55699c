"""The official SDKs' typed clients, and the partner packages, hold a conversation with the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import langchain_anthropic
import langchain_openai
import openai
import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage

from langchain_unified.testing import Emulator, emulator

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
HANDBOOK = "The house rules follow. " + "Answer briefly and never guess a figure. " * 200
QUESTION = "What is the weather in Paris? Use get_weather."


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


# --- Anthropic --------------------------------------------------------------------------------------------------------

ANTHROPIC: dict[str, Any] = {
    "model": "claude-opus-5",
    "max_tokens": 500,
    "system": [{"type": "text", "text": HANDBOOK, "cache_control": {"type": "ephemeral"}}],
    "tools": [{"name": "get_weather", "description": "The weather", "input_schema": SCHEMA}],
}


def _anthropic_turns(reply: Any) -> list[Any]:
    (call,) = [block for block in reply.content if block.type == "tool_use"]
    assert call.input == {"city": "Paris"}
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "18 degrees"}
    assistant = {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in reply.content]}
    return [{"role": "user", "content": QUESTION}, assistant, {"role": "user", "content": [result]}]


def _check_anthropic(reply: Any, answer: Any) -> None:
    assert reply.stop_reason == "tool_use"
    assert "18 degrees" in "".join(block.text for block in answer.content if block.type == "text")
    assert answer.usage.cache_read_input_tokens > 500


def test_anthropic_sync(server: Emulator) -> None:
    client = anthropic.Anthropic(api_key="any", base_url=server.anthropic_url, max_retries=0)
    asked = [{"role": "user", "content": QUESTION}]
    reply = client.messages.create(messages=asked, **ANTHROPIC)
    with client.messages.stream(messages=asked, **ANTHROPIC) as stream:
        streamed = stream.get_final_message()
    assert streamed.content[-1].input == reply.content[-1].input
    answer = client.messages.create(messages=_anthropic_turns(streamed), **ANTHROPIC)
    _check_anthropic(reply, answer)
    counted = client.messages.count_tokens(
        messages=asked, model="claude-opus-5", system=ANTHROPIC["system"], tools=ANTHROPIC["tools"]
    )
    assert counted.input_tokens > 500
    assert client.models.list().data


async def test_anthropic_async(server: Emulator) -> None:
    async with anthropic.AsyncAnthropic(api_key="any", base_url=server.anthropic_url, max_retries=0) as client:
        asked = [{"role": "user", "content": QUESTION}]
        reply = await client.messages.create(messages=asked, **ANTHROPIC)
        async with client.messages.stream(messages=_anthropic_turns(reply), **ANTHROPIC) as stream:
            answer = await stream.get_final_message()
        _check_anthropic(reply, answer)


# --- OpenAI Chat ------------------------------------------------------------------------------------------------------

CHAT: dict[str, Any] = {
    "model": "gpt-4o",
    "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}],
}
ASKED: list[Any] = [{"role": "system", "content": HANDBOOK}, {"role": "user", "content": QUESTION}]


def _chat_turns(message: Any) -> list[Any]:
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}
    return [*ASKED, message.model_dump(exclude_none=True), result]


def test_chat_sync(server: Emulator) -> None:
    client = openai.OpenAI(api_key="any", base_url=server.openai_url, max_retries=0)
    reply = client.chat.completions.create(messages=ASKED, **CHAT)
    assert reply.choices[0].finish_reason == "tool_calls"
    turns = _chat_turns(reply.choices[0].message)
    chunks = list(
        client.chat.completions.create(messages=turns, stream=True, stream_options={"include_usage": True}, **CHAT)
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "18 degrees" in text
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens >= 1024
    assert client.models.list().data


async def test_chat_async(server: Emulator) -> None:
    async with openai.AsyncOpenAI(api_key="any", base_url=server.openai_url, max_retries=0) as client:
        reply = await client.chat.completions.create(messages=ASKED, **CHAT)
        answer = await client.chat.completions.create(messages=_chat_turns(reply.choices[0].message), **CHAT)
        assert "18 degrees" in (answer.choices[0].message.content or "")


# --- OpenAI Responses -------------------------------------------------------------------------------------------------

RESPONSES: dict[str, Any] = {
    "model": "gpt-5.6",
    "instructions": HANDBOOK,
    "tools": [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}],
}


def _response_items(response: Any) -> list[Any]:
    (call,) = [item for item in response.output if item.type == "function_call"]
    assert json.loads(call.arguments) == {"city": "Paris"}
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees"}
    items = [item.model_dump(exclude_none=True) for item in response.output]
    return [{"role": "user", "content": QUESTION}, *items, result]


def test_responses_sync(server: Emulator) -> None:
    client = openai.OpenAI(api_key="any", base_url=server.openai_url, max_retries=0)
    reply = client.responses.create(input=QUESTION, **RESPONSES)
    with client.responses.stream(input=_response_items(reply), **RESPONSES) as stream:
        kinds = [event.type for event in stream]
        answer = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert "18 degrees" in answer.output_text
    continued = client.responses.create(input="And tomorrow?", previous_response_id=answer.id, **RESPONSES)
    assert continued.status == "completed"


async def test_responses_async(server: Emulator) -> None:
    async with openai.AsyncOpenAI(api_key="any", base_url=server.openai_url, max_retries=0) as client:
        reply = await client.responses.create(input=QUESTION, **RESPONSES)
        answer = await client.responses.create(input=_response_items(reply), **RESPONSES)
        assert "18 degrees" in answer.output_text


# --- the partner packages ---------------------------------------------------------------------------------------------


def partners(server: Emulator) -> dict[str, Any]:
    common: dict[str, Any] = {"api_key": "any", "max_retries": 0}
    return {
        "anthropic": langchain_anthropic.ChatAnthropic(
            model="claude-opus-5", base_url=server.anthropic_url, max_tokens=500, **common
        ),
        "chat": langchain_openai.ChatOpenAI(model="gpt-4o", base_url=server.openai_url, **common),
        "responses": langchain_openai.ChatOpenAI(
            model="gpt-5.6", base_url=server.openai_url, use_responses_api=True, **common
        ),
    }


@pytest.mark.parametrize("name", ["anthropic", "chat", "responses"])
def test_the_partner_packages(name: str, server: Emulator) -> None:
    model = partners(server)[name].bind_tools(
        [{"type": "function", "function": {"name": "get_weather", "description": "d", "parameters": SCHEMA}}]
    )
    messages: list[Any] = [SystemMessage(HANDBOOK), HumanMessage(QUESTION)]
    reply = model.invoke(messages)
    (call,) = reply.tool_calls
    answer = None
    for chunk in model.stream([*messages, reply, ToolMessage("18 degrees", tool_call_id=call["id"])]):
        answer = chunk if answer is None else answer + chunk
    assert "18 degrees" in answer.text
