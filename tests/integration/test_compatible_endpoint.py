"""An Anthropic-compatible endpoint at an address of its own: every field of its requests and of its responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified import AuthenticationError, ChatAnthropic
from langchain_unified.testing import Emulator, emulator

SCHEMA = {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}
TOOLS = [{"name": "get_current_weather", "input_schema": SCHEMA}]


def sent(server: Emulator) -> dict[str, Any]:
    """The body of the last request. The server took it."""
    assert server.requests[-1].status == 200
    body: dict[str, Any] = server.requests[-1].body
    return body


# --- the request ------------------------------------------------------------------------------------------------------


def compatible(server: Emulator, **kwargs: Any) -> ChatAnthropic:
    return ChatAnthropic("claude-sonnet-4-5", base_url=server.anthropic_url, api_key="key-1", **kwargs)


BASH = {"name": "bash", "type": "bash_20250124"}
FIELDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"max_tokens": 7}, {"max_tokens": 7}),
    ({"system": "Be brief."}, {"system": "Be brief."}),
    ({"temperature": 0.0}, {"temperature": 0.0}),
    ({"top_p": 0.9}, {"top_p": 0.9}),
    ({"top_k": 5}, {"top_k": 5}),
    ({"stop_sequences": ["END"]}, {"stop_sequences": ["END"]}),
    ({"tools": TOOLS}, {"tools": TOOLS}),
    ({"tools": [BASH]}, {"tools": [BASH]}),
    *(({"tools": TOOLS, "tool_choice": choice}, {"tool_choice": choice}) for choice in (
        {"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "get_current_weather"})),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000},
     {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
    ({"service_tier": "auto"}, {"service_tier": "auto"}),
    ({"service_tier": "standard_only"}, {"service_tier": "standard_only"}),
    ({"metadata": {"user_id": "u-1"}}, {"metadata": {"user_id": "u-1"}}),
]  # fmt: skip


@pytest.mark.parametrize("given,wanted", FIELDS)
def test_each_field_of_the_body(server: Emulator, given: dict[str, Any], wanted: dict[str, Any]) -> None:
    message = compatible(server).invoke("hi", **given)
    assert sent(server).items() >= {"model": "claude-sonnet-4-5", **wanted}.items()
    assert sent(server)["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    assert "adjustments" not in message.response_metadata
    list(compatible(server).stream("hi", **given))
    assert sent(server).items() >= {"stream": True, **wanted}.items()


def test_the_headers() -> None:
    with emulator(api_keys=["key-1"]) as server:
        headers = {"anthropic-version": "2023-06-01"}
        compatible(server, default_headers=headers, betas=["max-tokens-3-5-sonnet-2022-07-15"]).invoke("hi")
        assert server.requests[-1].headers["anthropic-version"] == "2023-06-01"
        assert server.requests[-1].headers["anthropic-beta"] == "max-tokens-3-5-sonnet-2022-07-15"
        with pytest.raises(AuthenticationError):
            compatible(server).invoke("hi", api_key="key-2")


# --- the response -----------------------------------------------------------------------------------------------------

# Stop reason -> the call that ends with it, and the common word for it.
STOPS: dict[str, tuple[dict[str, Any], str]] = {
    "end_turn": ({}, "stop"),
    "max_tokens": ({"max_tokens": 3}, "length"),
    "stop_sequence": ({"stop_sequences": ["two"]}, "stop"),
    "tool_use": ({"tools": TOOLS, "tool_choice": {"type": "any"}}, "tool_calls"),
}


def invoked(model: ChatAnthropic, **given: Any) -> AIMessage:
    return model.invoke("one two three four", **given)


def streamed(model: ChatAnthropic, **given: Any) -> AIMessage:
    first, *rest = model.stream("one two three four", **given)
    message = first + rest
    assert isinstance(message, AIMessage)
    return message


@pytest.mark.parametrize("way", [invoked, streamed])
@pytest.mark.parametrize("reason", STOPS)
def test_each_field_of_the_response(server: Emulator, way: Callable[..., AIMessage], reason: str) -> None:
    given, common = STOPS[reason]
    message = way(compatible(server), **given)
    metadata = message.response_metadata
    assert isinstance(message, AIMessage)  # "type" and "role"
    assert message.id != metadata["id"]
    assert str(metadata["id"]).startswith("msg_")
    assert metadata["model_name"] == "claude-sonnet-4-5"
    assert (metadata["stop_reason"], metadata["finish_reason"]) == (reason, common)
    assert metadata.get("stop_sequence") == ("two" if reason == "stop_sequence" else None)
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] > 0
    assert message.usage_metadata["output_tokens"] == metadata["usage"]["output_tokens"] > 0
    assert bool(message.tool_calls) == (reason == "tool_use")
    assert bool(message.text) == (reason != "tool_use")


def test_each_kind_of_content() -> None:
    call = {"name": "get_current_weather", "args": {"location": "Boston"}}
    with emulator([{"reasoning": "Think first.", "content": "Let me look.", "tool_calls": [call]}, "72."]) as server:
        ask = compatible(server).bind(tools=TOOLS, thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2000)
        message = ask.invoke("What's the weather like in Boston?")
        assert [block["type"] for block in message.content_blocks] == ["reasoning", "text", "tool_call"]
        assert message.content[0]["thinking"] == "Think first."  # type: ignore[index]
        result = ToolMessage("72", tool_call_id=message.tool_calls[0]["id"] or "")
        ask.invoke([HumanMessage("What's the weather like in Boston?"), message, result])
        assert sent(server)["messages"][1]["content"][0] == message.content[0]
