"""One long agent thread that changes provider and API at every turn, against the emulator's rules."""

from __future__ import annotations

import base64
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified import ChatOpenAI, ChatUnified
from langchain_unified.testing import Emulator
from langchain_unified.wires import WIRES
from tests.integration.suite import PDF, PNG
from tests.support.corpus import needs_corpus, replies

HANDBOOK = "The house rules follow. " + "Answer briefly and never guess a figure. " * 200
RULES = SystemMessage([{"type": "text", "text": HANDBOOK, "cache_control": {"type": "ephemeral"}}])
TURNS = 40


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"18 degrees in {city}"


def models(server: Emulator) -> list[Any]:
    """Claude, Chat Completions, Responses. What one of them cannot take is noted, not warned of: here it is many."""
    common: dict[str, Any] = {"api_key": "any", "max_retries": 0, "on_unsupported": "ignore"}
    claude = ChatUnified("anthropic/claude-opus-5", base_url=server.anthropic_url, reasoning_effort="high", **common)
    chat = ChatOpenAI(model="gpt-4o", base_url=server.openai_url, use_responses_api=False, **common)
    responses = ChatUnified("openai/gpt-5.6", base_url=server.openai_url, reasoning={"effort": "low"}, **common)
    return [claude, chat, responses]


def question(turn: int) -> HumanMessage:
    """A text, an image or a PDF, and every third time a question for the tool."""
    if turn % 3 == 0:
        return HumanMessage(f"What is the weather in City{turn}? Use get_weather.")
    if turn % 7 == 1:
        image = {"type": "image", "base64": base64.b64encode(PNG).decode(), "mime_type": "image/png"}
        return HumanMessage([{"type": "text", "text": f"Picture {turn}."}, image])
    if turn % 7 == 2:
        file = {"type": "file", "base64": base64.b64encode(PDF).decode(), "mime_type": "application/pdf"}
        return HumanMessage([{"type": "text", "text": f"Paper {turn}."}, {**file, "filename": "paper.pdf"}])
    return HumanMessage(f"Question {turn}.")


def searched() -> list[BaseMessage]:
    """A recorded answer of each provider that searched the web, with its sources."""
    found: list[BaseMessage] = []
    for endpoint, wire, kind in (
        ("anthropic.messages", "anthropic_messages", "web_search_tool_result"),
        ("openai.responses", "openai_responses", "web_search_call"),
    ):
        bodies = (exchange["response"]["body"] for exchange in replies(endpoint))
        body = next(body for body in bodies if kind in str(body.get("content") or body.get("output")))
        found += [HumanMessage("Search the web."), *WIRES[wire].decode(body)]  # type: ignore[index]
    return found


def answer(model: Any, messages: list[BaseMessage], *, streamed: bool) -> AIMessage:
    agent = model.bind_tools([get_weather])
    if not streamed:
        return agent.invoke(messages)  # type: ignore[no-any-return]
    chunks = list(agent.stream(messages))
    return chunks[0] + chunks[1:]  # type: ignore[no-any-return]


@needs_corpus
def test_forty_turns(server: Emulator) -> None:
    taking_turns = models(server)
    messages: list[BaseMessage] = [RULES, *searched()]
    answers: list[AIMessage] = []
    for turn in range(TURNS):
        model = taking_turns[turn % 3]
        messages.append(question(turn))
        message = answer(model, messages, streamed=turn % 2 == 0)
        messages.append(message)
        answers.append(message)
        messages += [ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"]) for call in message.tool_calls]
        if message.tool_calls:
            # Another provider reads the result.
            follow_up = answer(taking_turns[(turn + 1) % 3], messages, streamed=False)
            assert "18 degrees" in follow_up.text
            messages.append(follow_up)
            answers.append(follow_up)
    providers = {(m.response_metadata["model_provider"], isinstance(m.content, str)) for m in answers}
    assert {provider for provider, _ in providers} == {"anthropic", "openai"}
    assert all(request.status == 200 for request in server.requests)
    assert sum(len(m.tool_calls) for m in answers) >= 13
    check_own_blocks(server, answers)


def check_own_blocks(server: Emulator, answers: list[AIMessage]) -> None:
    """Claude's last request holds every thinking block that Claude ever answered, byte for byte."""
    last = [request for request in server.requests if request.path.endswith("/messages")][-1]
    sent = [
        block for message in last.body["messages"] for block in message["content"] if message["role"] == "assistant"
    ]
    thoughts = [block for block in sent if block["type"] == "thinking"]
    before = [
        m for m in answers if m.response_metadata["model_provider"] == "anthropic" and isinstance(m.content, list)
    ]
    own = [
        {"type": "thinking", "thinking": block["thinking"], "signature": block["signature"]}
        for message in before
        for block in message.content
        if isinstance(block, dict) and block["type"] == "thinking"
    ]
    assert len(own) > 10
    assert [thought for thought in own if thought not in thoughts] in ([], own[-1:])


def test_a_marked_prompt_is_cached_on_both(server: Emulator) -> None:
    """One mark on a message is read back from the cache on each provider, whoever answered in between."""
    claude, _, gpt = models(server)
    history: list[BaseMessage] = [RULES, HumanMessage("One.")]
    reads: dict[str, list[int]] = {"anthropic": [], "openai": []}
    for turn in range(6):
        message = (claude, gpt)[turn % 2].invoke(history)
        details = message.usage_metadata["input_token_details"]
        reads[message.response_metadata["model_provider"]].append(details.get("cache_read", 0))
        history += [message, HumanMessage(f"Turn {turn}.")]
    for provider, counts in reads.items():
        assert counts[0] == 0, provider
        assert all(count > 1000 for count in counts[1:]), (provider, counts)
