"""LiteLLM's three examples of prompt caching, unchanged, on both providers: what is cached, and what is said of it.

The messages and tools are those of its page; only the text of the agreement is long, as it is there in the third.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_unified import ChatUnified
from langchain_unified.testing import Emulator
from tests.support.histories import problems

MARK = {"type": "ephemeral"}
CLAUDE_3_5, CLAUDE_5 = "anthropic/claude-3-5-sonnet-20240620", "anthropic/claude-opus-5"
RESPONSES, CHAT, OLD, OLD_RESPONSES = "gpt-5.6 responses", "gpt-5.6 chat", "gpt-4o chat", "gpt-5.1 responses"
WIRES = {RESPONSES: "openai_responses", CHAT: "openai_chat", OLD: "openai_chat", OLD_RESPONSES: "openai_responses"}
BREAKPOINTS, BY_THEMSELVES = (RESPONSES, CHAT), (OLD, OLD_RESPONSES)
MODELS = (CLAUDE_3_5, CLAUDE_5, *BREAKPOINTS, *BY_THEMSELVES)
each_model = pytest.mark.parametrize("model", MODELS)


def completion(server: Emulator, model: str, messages: list[Any], **kwargs: Any) -> AIMessage:
    """`litellm.completion(model, messages, …)`, as one would write it here. The server takes what is sent."""
    fields: dict[str, Any] = {"api_key": "any", "max_retries": 0, "on_unsupported": "ignore"}
    if model in WIRES:
        name, _, way = model.partition(" ")
        fields |= {"base_url": server.openai_url, "use_responses_api": way == "responses"}
        if model == CHAT and "tools" in kwargs:
            fields["reasoning_effort"] = "none"
        chat = ChatUnified(f"openai/{name}", **fields)
    else:
        chat = ChatUnified(model, base_url=server.anthropic_url, **fields)
    answer = chat.invoke(messages, **kwargs)
    assert server.requests[-1].status == 200
    assert problems(WIRES.get(model, "anthropic_messages"), server.requests[-1].body) == []
    return answer


def counts(message: AIMessage) -> tuple[int, int]:
    assert message.usage_metadata is not None
    details = message.usage_metadata["input_token_details"]
    return details.get("cache_read", 0), details.get("cache_creation", 0)


def told(message: AIMessage) -> dict[str, Any]:
    found: dict[str, Any] = message.response_metadata["prompt_cache"]
    return found


def sent(server: Emulator) -> dict[str, Any]:
    body: dict[str, Any] = server.requests[-1].body
    return body


# --- large context ----------------------------------------------------------------------------------------------------

AGREEMENT = "Here is the full text of a complex legal agreement" * 400
TASK = "You are an AI assistant tasked with analyzing legal documents."
LARGE_CONTEXT = [
    {
        "role": "system",
        "content": [
            {"type": "text", "text": TASK},
            {"type": "text", "text": AGREEMENT, "cache_control": MARK},
        ],
    },
    {"role": "user", "content": "what are the key terms and conditions in this agreement?"},
]


@each_model
def test_large_context(server: Emulator, model: str) -> None:
    """The agreement is read from the cache when another question is asked about it."""
    first = completion(server, model, LARGE_CONTEXT)
    other = completion(server, model, [LARGE_CONTEXT[0], {"role": "user", "content": "who signed it?"}])
    assert counts(first)[0] == 0
    assert counts(other)[0] > 4800
    if model in BY_THEMSELVES:
        assert "cache" not in json.dumps(sent(server))
        assert told(other)["status"] == "hit"
        assert [item["what"] for item in told(other)["marks_dropped"]] == [
            "the prompt-cache mark on message 0 (system), block 1"
        ]
        return
    assert counts(first)[1] > 5000
    assert told(first)["status"] == "write"
    assert told(other)["marks_sent"] == [{"place": "message 0 (system), block 1"}]
    assert told(other)["marks_dropped"] == []


def test_the_large_context_goes_out_as_it_is_written(server: Emulator) -> None:
    completion(server, CLAUDE_3_5, LARGE_CONTEXT)
    assert sent(server)["system"] == LARGE_CONTEXT[0]["content"]
    point = {"prompt_cache_breakpoint": {"mode": "explicit"}}
    completion(server, CHAT, LARGE_CONTEXT)
    assert sent(server)["messages"][0]["content"] == [
        {"type": "text", "text": TASK},
        {"type": "text", "text": AGREEMENT, **point},
    ]
    completion(server, RESPONSES, LARGE_CONTEXT)
    assert sent(server)["input"][0]["content"] == [
        {"type": "input_text", "text": TASK},
        {"type": "input_text", "text": AGREEMENT, **point},
    ]


# --- tool definitions -------------------------------------------------------------------------------------------------


def weather(description: str) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": "get_current_weather",
            "description": description,
            "parameters": {
                "type": "object",
                "properties": {
                    "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                    "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                },
                "required": ["location"],
            },
            "cache_control": MARK,
        },
    }


BOSTON = [{"role": "user", "content": "What's the weather like in Boston today?"}]
ROME = [{"role": "user", "content": "And in Rome?"}]


@pytest.mark.parametrize("model", [CLAUDE_3_5, CLAUDE_5])
def test_tool_definitions_on_claude(server: Emulator, model: str) -> None:
    tools = [weather("Get the current weather in a given location. " * 200)]
    first, second = (completion(server, model, messages, tools=tools) for messages in (BOSTON, ROME))
    assert counts(first)[0] == 0
    assert counts(first)[1] > 2000
    assert counts(second) == (counts(first)[1], 0)
    assert told(second)["marks_sent"] == [{"place": "the tool 'get_current_weather'"}]
    assert sent(server)["tools"][0]["cache_control"] == MARK


@pytest.mark.parametrize("model", [*BREAKPOINTS, *BY_THEMSELVES])
def test_tool_definitions_on_openai(server: Emulator, model: str) -> None:
    """There no tool takes a mark, and the report says so. The newer models read a prompt that ends alike."""
    tools = [weather("Get the current weather in a given location. " * 200)]
    again = BOSTON if model in BREAKPOINTS else ROME
    first, second = (completion(server, model, messages, tools=tools) for messages in (BOSTON, again))
    assert counts(first)[0] == 0
    assert counts(second)[0] > 2000
    (dropped,) = told(second)["marks_dropped"]
    assert dropped["what"] == "the prompt-cache mark on the tool 'get_current_weather'"
    assert told(second)["marks_sent"] == []
    assert second.response_metadata["adjustments"][0]["why"] == dropped["why"]
    assert "cache_control" not in json.dumps(sent(server))
    assert "prompt_cache_breakpoint" not in json.dumps(sent(server))


def test_a_marked_system_prompt_covers_the_tools_on_openai(server: Emulator) -> None:
    """What the report advises."""
    tools = [weather("Get the current weather in a given location. " * 200)]
    system = {"role": "system", "content": [{"type": "text", "text": "Be brief.", "cache_control": MARK}]}
    for model in BREAKPOINTS:
        asked = ([system, *messages] for messages in (BOSTON, ROME))
        first, second = (completion(server, model, messages, tools=tools) for messages in asked)
        assert counts(first)[0] == 0
        assert counts(second)[0] > 2000


@pytest.mark.parametrize("model", [CLAUDE_5, RESPONSES, CHAT, OLD])
def test_the_tool_of_the_page_as_it_stands_is_below_the_minimum(server: Emulator, model: str) -> None:
    answer = completion(server, model, BOSTON, tools=[weather("Get the current weather in a given location")])
    assert counts(answer) == (0, 0)
    assert told(answer)["status"] == "below_minimum"


# --- continuing a conversation ----------------------------------------------------------------------------------------

QUESTION = {
    "role": "user",
    "content": [
        {
            "type": "text",
            "text": "What are the key terms and conditions in this agreement?",
            "cache_control": MARK,
        }
    ],
}
ANSWER = {
    "role": "assistant",
    "content": "Certainly! the key terms and conditions are the following: the contract is 1 year long for $10/mo",
}
SYSTEM = {"role": "system", "content": [{"type": "text", "text": AGREEMENT, "cache_control": MARK}]}


@each_model
@pytest.mark.parametrize("streamed", [False, True])
def test_continuing_a_conversation(server: Emulator, model: str, streamed: bool) -> None:
    """Each turn reads all that the turn before wrote, and writes what is new."""
    kwargs = {"stream": True} if streamed else {}
    turns = [[SYSTEM, QUESTION], [SYSTEM, QUESTION, ANSWER, QUESTION]]
    turns.append([*turns[-1], ANSWER, QUESTION])
    answers = [completion(server, model, messages, **kwargs) for messages in turns]
    reads, writes = zip(*map(counts, answers), strict=True)
    assert reads[0] == 0
    if model in BY_THEMSELVES:
        assert reads[2] >= reads[1] > 4800
        assert [told(answer)["status"] for answer in answers] == ["miss", "hit", "hit"]
        assert len(told(answers[2])["marks_dropped"]) == 4
        return
    assert reads[1] == writes[0] > 5000
    assert reads[2] == reads[1] + writes[1]
    assert all(0 < written < 100 for written in writes[1:])
    assert [told(answer)["status"] for answer in answers] == ["write", "partial", "partial"]


def test_the_marks_of_the_conversation(server: Emulator) -> None:
    """Four are written of the fifth turn's: on OpenAI one of them is the implicit one."""
    turns = [SYSTEM, *[QUESTION, ANSWER] * 4, QUESTION]
    marked = {CLAUDE_5: [2, 4, 6, 8], RESPONSES: [5, 7, 9], CHAT: [5, 7, 9]}
    for model, places in marked.items():
        answer = completion(server, model, turns)
        body = sent(server)
        items = body.get("messages", body.get("input"))
        key = "cache_control" if model == CLAUDE_5 else "prompt_cache_breakpoint"
        assert [at for at, item in enumerate(items) if key in json.dumps(item)] == places
        assert len(told(answer)["marks_dropped"]) == 6 - len(places)
