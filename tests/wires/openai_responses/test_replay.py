"""The Responses wire: recorded replies go back."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified.wires.openai_responses import WIRE
from tests.support.corpus import label, needs_corpus, replies, sse_events, streams
from tests.wires.openai_responses.helpers import (
    CUSTOM,
    ENDPOINT,
    REASONING,
    body,
    call_item,
    events_of,
    finished,
    in_standard_form,
    own,
    reply,
    run,
    sent,
    text_item,
)

# The API's own answer holds a source that the published types do not know.
UNTYPED_SOURCE = "openai_responses_model_web_search_tool_stream"


def whole_replies() -> list[Any]:
    found = [(one, one["response"]["body"]) for one in replies(ENDPOINT)]
    found += [(one, sse_events(one["response"]["sse"])[-1]["response"]) for one in streams(ENDPOINT)]
    return [pytest.param(one["case"], whole, id=label(one)) for one, whole in found]


def problems(oracle: ModuleType, case: str, body: dict[str, Any]) -> list[str]:
    found = oracle.validate("responses", body)
    return [problem for problem in found if not (UNTYPED_SOURCE in case and ".sources[0]" in problem)]


@needs_corpus
@pytest.mark.parametrize("case,whole", whole_replies())
def test_a_recorded_reply_goes_back_to_its_wire(oracle, case, whole):
    (message,) = WIRE.decode(whole)
    replayed = body(HumanMessage("x"), message, HumanMessage("y"))
    assert problems(oracle, case, replayed) == []
    items = replayed["input"][1:-1]
    if isinstance(message.content, str):
        assert items == ([{"role": "assistant", "content": message.content}] if message.content else [])
        return
    kept = list(whole["output"])
    while kept and kept[-1]["type"] == "reasoning":
        kept.pop()
    assert [item["id"] for item in items] == [item["id"] for item in kept]
    assert [item["type"] for item in items] == [item["type"] for item in kept]
    for item, original in zip(items, kept, strict=True):
        assert kernel(item) == kernel(original)


def kernel(item: dict[str, Any]) -> Any:
    """An item without nulls and without the empty `logprobs` that a text part may leave out."""
    if isinstance(item, dict):
        return {key: kernel(value) for key, value in item.items() if value is not None and value != []}
    return [kernel(value) for value in item] if isinstance(item, list) else item


@needs_corpus
@pytest.mark.parametrize("case,whole", whole_replies())
def test_the_standard_form_of_a_recorded_reply_goes_back(oracle, case, whole):
    (message,) = WIRE.decode(whole)
    standard = own(message.content_blocks, tool_calls=message.tool_calls)
    standard.response_metadata["output_version"] = "v1"
    replayed = body(HumanMessage("x"), standard, HumanMessage("y"))
    assert problems(oracle, case, replayed) == []
    verbatim = sent(HumanMessage("x"), message, HumanMessage("y"))
    assert [item.get("type") for item in replayed["input"]] == [item.get("type") for item in verbatim]
    ids = [item.get("id") for item in replayed["input"]]
    if not isinstance(message.content, str):
        assert ids == [item.get("id") for item in verbatim]


@needs_corpus
@pytest.mark.parametrize("exchange", streams(ENDPOINT), ids=label)
def test_the_standard_form_of_a_recorded_stream_goes_back(oracle, exchange):
    events = sse_events(exchange["response"]["sse"])
    message = in_standard_form(run(events))
    assert problems(oracle, exchange["case"], body(message)) == []
    items = finished(events)["output"]
    assert [item["type"] for item in sent(message)] == [item["type"] for item in items]


def test_the_standard_form_of_a_stream_keeps_reasoning_and_calls():
    whole = reply([REASONING, text_item("hi", phase="commentary"), call_item(), CUSTOM])
    message = in_standard_form(run(events_of(whole, random.Random(2))))
    without = {key: value for key, value in call_item().items() if key != "status"}
    said = text_item("hi", phase="commentary")
    del said["content"][0]["logprobs"]
    assert sent(message) == [REASONING, said, without, CUSTOM]
    assert [call["args"] for call in message.tool_calls] == [{"a": 1}, {"__arg1": CUSTOM["input"]}]
