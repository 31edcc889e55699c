"""The Messages wire: what the API refuses in combination, and what is sent instead."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.history.repair import ANSWER, CONTINUE
from langchain_unified.profiles import profile_for
from langchain_unified.request import Encoded, OutputFormat, Request, ToolChoice, ToolSpec, Turn
from langchain_unified.wires.anthropic_messages import WIRE
from tests.wires.anthropic_messages.helpers import text, whats

HI, STARTED = Turn("user", (text("hi"),)), Turn("assistant", (text("It is"),), position=1)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
FORMAT = OutputFormat("json_schema", SCHEMA)
BUDGET = {"type": "enabled", "budget_tokens": 2000}
CALLED = Turn("assistant", ({"type": "tool_call", "id": "t1", "name": "f", "args": {}},))
RESULT = Turn("tool", (text("r"),), tool_call_id="t1")


def encode(*turns: Turn, model: str = "claude-haiku-4-5", params: Any = None, **more: Any) -> Encoded:
    profile = profile_for("anthropic", model)
    return WIRE.encode(Request(model, turns, params={"max_tokens": 4000, **(params or {})}, profile=profile, **more))


# --- a started answer -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more,request_text",
    [
        ({"output": FORMAT}, ANSWER),
        ({"tools": (ToolSpec("f"),), "tool_choice": ToolChoice("any")}, ANSWER),
        ({"params": {"thinking": BUDGET}}, CONTINUE),
    ],
)
def test_a_call_that_takes_no_prefill_ends_with_a_users_word(more: dict[str, Any], request_text: str):
    """mastra#12800, langgraph#4940, n8n#22550."""
    encoded = encode(HI, STARTED, **more)
    assert encoded.body["messages"][-1] == {"role": "user", "content": [text(request_text)]}
    assert "trailing assistant message" in whats(encoded)
    assert encode(HI, STARTED).body["messages"][-1]["role"] == "assistant"


# --- citations --------------------------------------------------------------------------------------------------------


def test_an_output_format_switches_citations_off():
    """agno#7513: citations and an output format together get a 400."""
    document = {"type": "text-plain", "text": "The sky is blue.", "citations": True}
    asked = Turn("user", (document, text("q")))
    encoded = encode(asked, output=FORMAT)
    assert "citations" not in encoded.body["messages"][0]["content"][0]
    assert whats(encoded) == ["citations"]
    assert encode(asked).body["messages"][0]["content"][0]["citations"] == {"enabled": True}


# --- thinking ---------------------------------------------------------------------------------------------------------


def test_thinking_does_not_begin_in_an_open_tool_loop():
    """claude-code#20705: Expected `thinking` or `redacted_thinking`, but found `tool_use`."""
    encoded = encode(HI, CALLED, RESULT, params={"thinking": BUDGET})
    assert "thinking" not in encoded.body
    assert whats(encoded) == ["thinking"]
    assert encode(HI, CALLED, RESULT, HI, params={"thinking": BUDGET}).body.get("thinking") is None
    assert encode(HI, CALLED, RESULT, STARTED, HI, params={"thinking": BUDGET}).body["thinking"] == BUDGET


@pytest.mark.parametrize(
    "model,sent",
    [
        ("claude-fable-5-1", None),
        ("claude-sonnet-5-5", {"type": "between_tools"}),
        ("claude-opus-5", {"type": "disabled"}),
    ],
)
def test_thinking_that_cannot_be_off(model: str, sent: Any):
    off = {"type": "disabled"}
    encoded = encode(HI, model=model, params={"thinking": off})
    assert encoded.body.get("thinking") == sent
    assert whats(encoded) == ([] if sent == off else ["thinking"])
    high = encode(HI, model="claude-opus-5", params={"thinking": off}, native={"output_config": {"effort": "max"}})
    assert "thinking" not in high.body


def test_thinking_between_tools():
    """Known models without it get the nearest; of an unknown model nothing is known."""
    between = {"type": "between_tools"}
    encoded = encode(HI, model="claude-opus-5", params={"thinking": between})
    assert encoded.body["thinking"] == {"type": "disabled"}
    assert whats(encoded) == ["thinking"]
    unknown = encode(HI, model="claude-next-9", params={"thinking": between})
    assert (unknown.body["thinking"], whats(unknown)) == (between, [])


def test_a_budget_below_the_smallest():
    encoded = encode(HI, params={"thinking": {"type": "enabled", "budget_tokens": 500}})
    assert encoded.body["thinking"]["budget_tokens"] == 1024
    assert whats(encoded) == ["thinking"]


# --- parameters and blocks --------------------------------------------------------------------------------------------


def test_limits_of_parameters():
    encoded = encode(HI, params={"max_tokens": 100_000, "user": "u" * 257, "temperature": 0.5, "top_p": 0.5})
    assert (encoded.body["max_tokens"], encoded.body["temperature"]) == (64_000, 0.5)
    assert not {"metadata", "top_p"} & encoded.body.keys()
    assert whats(encoded) == ["max_tokens", "user", "top_p"]


def test_an_error_without_content_gets_a_text():
    """The API says: content cannot be empty if `is_error` is true."""
    failed = Turn("tool", (), tool_call_id="t1", is_error=True)
    (block,) = encode(HI, CALLED, failed).body["messages"][-1]["content"]
    assert block == {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": "The tool failed without a message.",
        "is_error": True,
    }


@pytest.mark.parametrize("url", ["ftp://x.test/a.png", "s3://b/a.png", "file:///a.png"])
def test_an_address_that_the_api_cannot_fetch_is_refused(url: str):
    with pytest.raises(UnsupportedContentError, match="fetches only http"):
        encode(Turn("user", ({"type": "image", "url": url},)))


def test_skills_without_a_code_execution_tool_are_named():
    skills = {"skills": [{"type": "anthropic", "skill_id": "pptx"}]}
    assert whats(encode(HI, native={"container": skills})) == ["container.skills"]
    code = ToolSpec("c", kind="native", definition={"type": "code_execution_20250825", "name": "code_execution"})
    assert whats(encode(HI, native={"container": skills}, tools=(code,))) == []
