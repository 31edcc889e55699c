"""The Responses wire: recorded replies go back."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified.wires.openai_responses import WIRE
from tests.support.corpus import label, needs_corpus, replies, sse_events, streams
from tests.wires.openai_responses.helpers import (
    CUSTOM,
    ENDPOINT,
    REASONING,
    body,
    call_item,
    encode,
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


# --- threads that middleware and other programs have changed ----------------------------------------------------------

PROGRAM = {"type": "program", "caller_id": "prog_1"}


def from_openai(*items: dict[str, Any], **fields: Any) -> AIMessage:
    return AIMessage(list(items), response_metadata={"model_provider": "openai"}, **fields)


@pytest.mark.parametrize(
    "call, key, value",
    [
        ({"type": "function_call", "name": "f", "arguments": "{}", "caller": PROGRAM}, "caller", PROGRAM),
        ({"type": "custom_tool_call", "name": "f", "input": "x", "caller": PROGRAM}, "caller", PROGRAM),
        ({"type": "shell_call", "action": {"commands": ["ls"]}, "caller": PROGRAM}, "caller", PROGRAM),
        ({"type": "shell_call", "action": {"commands": ["ls"], "max_output_length": 9}}, "max_output_length", 9),
        ({"type": "apply_patch_call", "operation": {"type": "delete_file"}, "caller": PROGRAM}, "caller", PROGRAM),
    ],
)
def test_a_result_repeats_what_its_call_wants_back(call: dict[str, Any], key: str, value: Any):
    made = from_openai({**call, "id": "item_1", "call_id": "call_1", "status": "completed"})
    found = sent(HumanMessage("Hi"), made, ToolMessage("done", tool_call_id="call_1"))[-1]
    assert found[key] == value
    assert found["type"].endswith("_output")


def test_a_call_written_in_the_apis_form_keeps_its_keys():
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}",
            "status": "completed", "namespace": "n", "caller": PROGRAM}  # fmt: skip
    items = sent(HumanMessage("Hi"), AIMessage([call]), ToolMessage("1", tool_call_id="call_1"))
    assert items[1] == call
    assert items[2]["caller"] == PROGRAM


def test_an_item_that_is_there_twice_is_sent_once():
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    text = {"type": "text", "text": "a", "id": "msg_1"}
    encoded = encode(HumanMessage("Hi"), from_openai(thought, text), from_openai(thought, text), HumanMessage("b"))
    assert [item.get("id") for item in encoded.body["input"]] == [None, "rs_1", "msg_1", None]
    assert len(encoded.adjustments) == 2
    assert all(item["lossless"] for item in encoded.adjustments)


def test_items_whose_reasoning_was_taken_away_lose_their_ids():
    usage: Any = {"input_tokens": 1, "output_tokens": 9, "total_tokens": 10, "output_token_details": {"reasoning": 8}}
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}
    text = {"type": "text", "text": "a", "id": "msg_1"}
    result = ToolMessage("1", tool_call_id="call_1")
    items = sent(HumanMessage("Hi"), from_openai(text, call, usage_metadata=usage), result)
    assert [item.get("id") for item in items] == [None] * 4
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    items = sent(HumanMessage("Hi"), from_openai(thought, text, call, usage_metadata=usage), result)
    assert [item.get("id") for item in items] == [None, "rs_1", "msg_1", "fc_1", None]


def test_a_call_that_the_reply_answers_is_not_to_be_run_and_goes_back():
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "id": "fco_1", "call_id": "call_1", "output": "1"}
    other = {**call, "id": "fc_2", "call_id": "call_2"}
    (message,) = WIRE.decode({"id": "resp_1", "status": "completed", "output": [call, output, other]})
    assert [each["id"] for each in message.tool_calls] == ["call_2"]
    items = sent(HumanMessage("Hi"), message, ToolMessage("1", tool_call_id="call_2"))
    assert items[1:4] == [call, output, other]
