"""Consecutive calls of threads as people have them, explained: compared with what the emulator's cache reads."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from benchmarks.cache_pairs import expected, main, read, recorded, reply_to
from langchain_unified import ChatUnified, explain_cache
from langchain_unified.wires.anthropic_messages.serve.context_edits import edit_context

QUICK = ("formats", "tool sets", "efforts", "fallback", "pauses, chat", "sliding window", "retrieved")


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
@pytest.mark.parametrize("name", QUICK)
def test_consecutive_calls(name: str, provider: Any) -> None:
    for pair in itertools.pairwise(recorded(name, provider)):
        found, (first, second) = explain_cache(*pair), read(pair, provider)
        assert (found.verdict, found.reusable_tokens) == (expected(first, second), second.cache_read)


def test_under_edits_of_the_provider_the_reply_decides() -> None:
    for pair in itertools.pairwise(recorded("cleared by the API", "anthropic")):
        unread = explain_cache(*pair)
        assert unread.verdict == "unknown"
        assert "applied_edits" in str(unread)
        first, second = read(pair, "anthropic")
        applied = edit_context(pair[1].body)[1]
        found = explain_cache(*pair, reply=reply_to(pair[1], second))
        assert (found.verdict, found.reusable_tokens) == (expected(first, second), second.cache_read)
        if found.verdict == "partial_expected":
            assert f"clear_tool_uses_20250919: {applied[0]['cleared_tool_uses']} tool uses" in str(found)


def test_a_command_counts_the_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    main(["cleared at least"])
    assert "29 pairs of consecutive calls" in capsys.readouterr().out


SCHEMA = {"title": "A", "type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
NO_ARGUMENTS = {"type": "object", "properties": {}}
TOOLS = [{"name": name, "description": "It is. " * 300, "input_schema": NO_ARGUMENTS} for name in "fgh"]
CHANGES = {
    "added": (TOOLS[:2], TOOLS),
    "added first": (TOOLS[:2], [TOOLS[2], *TOOLS[:2]]),
    "all added": ([], TOOLS),
    "removed": (TOOLS, TOOLS[:2]),
    "all removed": (TOOLS, []),
    "moved": (TOOLS, TOOLS[::-1]),
    "edited": (TOOLS, [*TOOLS[:2], {**TOOLS[2], "description": "Else."}]),
}


@pytest.mark.parametrize("model", ["anthropic/claude-opus-5", "openai/gpt-5.6", "openai/gpt-5.1"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("formats", [(None, SCHEMA), (SCHEMA, None), (SCHEMA, {**SCHEMA, "title": "B"})])
def test_tools_and_format_together_name_the_tools(model: str, change: str, formats: Any) -> None:
    chat = ChatUnified(model, api_key="any", prompt_cache="auto")
    messages = [SystemMessage("Rules. " * 1500), HumanMessage("Q?")]
    calls = [
        chat.check(messages, tools=tools, response_format=form)
        for tools, form in zip(CHANGES[change], formats, strict=True)
    ]
    found = explain_cache(*calls)
    assert found.cause == "tools"
    assert found.tool is not None


@pytest.mark.parametrize("model", ["anthropic/claude-opus-5", "openai/gpt-5.6"])
@pytest.mark.parametrize("system", ["Be brief.", "Rules. " * 1500])
@pytest.mark.parametrize("policy", ["auto", None])
def test_a_text_that_begins_alike_is_to_stand_apart(model: str, system: str, policy: Any) -> None:
    chat = ChatUnified(model, api_key="any", prompt_cache=policy)
    document = "The contract says this and that. " * 300
    calls = [chat.check([SystemMessage(system), HumanMessage(f"{document}\n{each}?")]) for each in ("Who", "When")]
    found = explain_cache(*calls)
    assert "put what is the same (a document) into a block of its own" in str(found.remedy)
    assert "message 1 (user), block 0" in str(found.remedy)
    apart = [
        chat.check([SystemMessage(system), HumanMessage([{"type": "text", "text": document}, f"{each}?"])])
        for each in ("Who", "When")
    ]
    assert "into a block of its own" not in str(explain_cache(*apart).remedy)
