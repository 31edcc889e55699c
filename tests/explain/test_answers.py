"""`explain_cache`: what the usage and the diagnosis of an answer add."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_unified import cached, explain_cache
from langchain_unified.wires import WIRES
from tests.explain.helpers import Expected, claude, gpt, words
from tests.support.streams import chunks_of, total

MESSAGES, RESPONSES = WIRES["anthropic_messages"], WIRES["openai_responses"]


def answer(tokens: int, read: int | None = None, **metadata: Any) -> AIMessage:
    details = {} if read is None else {"input_token_details": {"cache_read": read}}
    usage = {"input_tokens": tokens, "output_tokens": 1, "total_tokens": tokens + 1, **details}
    return AIMessage("So.", usage_metadata=usage, response_metadata={"model_provider": "anthropic", **metadata})


def test_the_usage_of_the_answer_corrects_the_estimates() -> None:
    model, first = claude("claude-opus-5"), [cached(HumanMessage(words(500)))]
    report = model.check(first)
    assert explain_cache(report, report).cause == "below_minimum"
    found = explain_cache(report, report, reply=answer(700, 700))
    assert (found.verdict, found.reusable_tokens, found.total_tokens, found.share) == ("hit_expected", 700, 700, 1.0)
    assert str(found) == (
        "A hit is expected: about 700 of 700 tokens (100%), up to message 0 (user), block 0, come from the cache."
    )
    assert explain_cache(report, report, reply=answer(400, 0)).cause == "below_minimum"


def test_an_answer_that_contradicts_the_prediction_is_noted() -> None:
    report = claude().check([cached(HumanMessage(words(1500)))])
    missed = explain_cache(report, report, reply=answer(1500, 0))
    assert missed.verdict == "hit_expected"
    assert "But the answer read nothing" in str(missed)
    other = claude().check([cached(HumanMessage(words(1500, "b")))])
    found = explain_cache(report, other, reply=answer(1500, 1500))
    assert found.verdict == "miss_expected"
    assert "But the answer read 1,500 tokens, which an earlier call had written." in str(found)


def test_marks_that_the_answer_reports_as_dropped() -> None:
    report = claude().check([cached(HumanMessage(words(1500)))])
    item = {"what": "the prompt-cache mark on the tool 'a'", "why": "Because."}
    said = answer(1500, 0, prompt_cache={"marks_dropped": [item]})
    found = explain_cache(report, claude().check(words(1500)), reply=said)
    assert (found.cause, found.dropped) == ("no_marks", (item,))
    assert str(found).endswith("Not sent: the prompt-cache mark on the tool 'a'. Because.")


def anthropic_reply(reason: Any) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5",
        "content": [{"type": "text", "text": "So."}], "stop_reason": "end_turn", "stop_sequence": None,
        "diagnostics": {"cache_miss_reason": reason},
        "usage": {"input_tokens": 1500, "cache_read_input_tokens": 0, "output_tokens": 1},
    }  # fmt: skip


def anthropic_streamed(reply: dict[str, Any], late: bool) -> AIMessage:
    """The same in events; with `late`, the diagnosis comes with the last one."""
    start = {**reply, "content": [], "stop_reason": None, **({"diagnostics": None} if late else {})}
    more = {"diagnostics": reply["diagnostics"]} if late else {}
    events = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "So."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", **more}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    return total(chunks_of(MESSAGES, events, plain=True))


TOOLS_CHANGED = {"type": "tools_changed", "cache_missed_input_tokens": 5000}


@pytest.mark.parametrize("way", ["whole", "streamed", "streamed late"])
def test_anthropics_diagnosis_is_kept_and_used(way: str) -> None:
    body = anthropic_reply(TOOLS_CHANGED)
    message = MESSAGES.decode(body)[0] if way == "whole" else anthropic_streamed(body, way == "streamed late")
    assert message.response_metadata["diagnostics"] == {"cache_miss_reason": TOOLS_CHANGED}
    report = claude().check([cached(HumanMessage(words(1500)))])
    found = explain_cache(report, report, reply=message)
    assert (found.verdict, found.cause, found.diagnostics) == ("miss_expected", "tools", TOOLS_CHANGED)
    assert str(found) == (
        "A miss is expected: the provider found a difference that these two calls do not show. "
        "Keep the definition of a tool the same during a conversation. "
        "Anthropic reports: tools_changed, about 5,000 tokens missed."
    )


def test_a_diagnosed_answer_that_read_something_is_a_partial_hit() -> None:
    report = claude().check([cached(HumanMessage(words(1500)))])
    said = answer(1500, 900, diagnostics={"cache_miss_reason": {"type": "messages_changed"}})
    found = explain_cache(report, report, reply=said)
    assert (found.verdict, found.cause, found.reusable_tokens) == ("partial_expected", "message", 900)
    assert str(found).startswith("A partial hit is expected: about 900 of 1,500 tokens (60%) come from the cache. The ")


@pytest.mark.parametrize("reason", [{"type": "unavailable"}, {"type": "previous_message_not_found"}, None])
def test_a_diagnosis_without_a_cause_changes_nothing(reason: Any) -> None:
    report = claude().check([cached(HumanMessage(words(1500)))])
    found = explain_cache(report, report, reply=MESSAGES.decode(anthropic_reply(reason))[0])
    assert (found.verdict, found.cause, found.diagnostics) == ("hit_expected", "none", reason)


MISS = {
    "type": "cache_miss", "reason": "reasoning_effort_changed", "cache_missed_tokens": 900,
    "comparison_reusable_tokens": 1280,
}  # fmt: skip


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "said,expected", [(MISS, ("miss_expected", "parameters")), ({"type": "cache_hit"}, ("hit_expected", "none"))]
)
def test_openais_diagnosis_is_kept_and_used(said: dict[str, Any], expected: Expected, streamed: bool) -> None:
    part = {"type": "output_text", "text": "So.", "annotations": []}
    body = {
        "id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5.6",
        "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}],
        "prompt_cache_diagnostics": said, "usage": {"input_tokens": 1500, "output_tokens": 1, "total_tokens": 1501},
    }  # fmt: skip
    events = [{"type": "response.created", "response": {**body, "output": [], "prompt_cache_diagnostics": None}},
              {"type": "response.completed", "response": body}]  # fmt: skip
    message = total(chunks_of(RESPONSES, events, plain=True)) if streamed else RESPONSES.decode(body)[0]
    assert message.response_metadata["prompt_cache_diagnostics"] == said
    report = gpt().check(words(1500))
    found = explain_cache(report, report, reply=message)
    assert ((found.verdict, found.cause), found.diagnostics) == (expected, said)
    assert "OpenAI reports: " in str(found)


def test_a_difference_found_here_comes_before_the_providers_diagnosis() -> None:
    model = claude()
    first = [cached(SystemMessage(words(1500))), HumanMessage("Hi")]
    second = [cached(SystemMessage(words(1500, "b"))), HumanMessage("Hi")]
    said = MESSAGES.decode(anthropic_reply({"type": "messages_changed", "cache_missed_input_tokens": 1500}))[0]
    found = explain_cache(model.check(first), model.check(second), reply=said)
    assert (found.cause, found.segment) == ("system", "message 0 (system), block 0")
    assert "Anthropic reports: messages_changed, about 1,500 tokens missed." in str(found)
