"""What the tests of tools share: models, and what they are sent."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import HumanMessage

from langchain_unified.caching.placement import place_breakpoints
from langchain_unified.messages.turns import turns
from langchain_unified.profiles import profile_for
from langchain_unified.request import Encoded, JsonObject, Provider, Request
from langchain_unified.tools.server.translate import translate_tools
from langchain_unified.tools.specs import check_names, tool_specs
from langchain_unified.wires import WIRES

SONNET, OLD, NEW, GPT = "claude-sonnet-4-6", "claude-sonnet-4-5", "claude-opus-5-5", "gpt-5.6"
FUNCTION = {"name": "f", "input_schema": {"type": "object", "properties": {}}}


def provider_of(model: str) -> Provider:
    return "anthropic" if model.startswith("claude") else "openai"


def encode(model: str, *tools: Any, wire: str | None = None, native: JsonObject | None = None, **more: Any) -> Encoded:
    """What a model is sent for these tools, and everything that was adjusted on the way."""
    provider = provider_of(model)
    chosen: Any = wire or ("anthropic_messages" if provider == "anthropic" else "openai_responses")
    profile = profile_for(provider, model)
    translated = translate_tools(tool_specs(tools), provider, native, profile)
    check_names(translated.specs)
    request = Request(
        model=model,
        turns=turns([HumanMessage("hi")], chosen),
        params={"max_tokens": 90},
        tools=translated.specs,
        native=translated.native,
        profile=profile,
        **more,
    )
    request, _, moved = place_breakpoints(request, WIRES[chosen].marks)
    found = WIRES[chosen].encode(request)
    return Encoded(found.body, found.headers, (*translated.adjustments, *moved, *found.adjustments))


def sent(model: str, *tools: Any, **more: Any) -> list[JsonObject]:
    """The tools that go out, where nothing had to be adjusted."""
    encoded = encode(model, *tools, **more)
    assert encoded.adjustments == ()
    return encoded.body["tools"]


def lost(model: str, *tools: Any, **more: Any) -> list[str]:
    return [item["what"] for item in encode(model, *tools, **more).adjustments]
