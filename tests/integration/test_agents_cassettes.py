"""One agent's conversation with each of our models, from a recording: no emulator, no network, no key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from tests.integration import suite
from tests.integration.agents import answers, thread, weather

MODELS: Mapping[str, type[suite.Suite]] = {
    "anthropic": suite.Anthropic,
    "chat": suite.Chat,
    "responses": suite.Responses,
    "unified-anthropic": suite.UnifiedAnthropic,
    "unified-openai": suite.UnifiedOpenAI,
}


@pytest.mark.cassette(unused="fail")
@pytest.mark.parametrize("name", MODELS)
async def test_a_conversation(name: str, source: str) -> None:
    """A turn that is invoked and one that is streamed, both with a call of the tool."""
    kind = MODELS[name]()
    model = kind.chat_model_class(**kind.chat_model_params)
    agent = create_agent(model, [weather], system_prompt="Use tools. Be brief.", checkpointer=InMemorySaver())
    state = agent.invoke(asking("Rome"), thread())
    assert "sun in Rome" in [message.content for message in state["messages"] if isinstance(message, ToolMessage)]
    streamed = [part[0] async for part in agent.astream(asking("Oslo"), thread(), stream_mode="messages")]
    chunks = [message for message in streamed if isinstance(message, AIMessageChunk)]
    *_, last = answers(agent.get_state(thread()).values)
    assert "".join(chunk.text for chunk in chunks if chunk.id == last.id) == last.text != ""
    assert "sun in Oslo" in [message.content for message in streamed if isinstance(message, ToolMessage)]


def asking(city: str) -> Any:
    return {"messages": [("user", f"How is it in '{city}'? Use weather with city '{city}'.")]}
