"""The Responses wire: assistant turns and reasoning that go out."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, ToolMessage, message_chunk_to_message

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.messages.turns import turns
from langchain_unified.request import Params, Profile, Request, Turn
from langchain_unified.wires.openai_responses import WIRE
from tests.support.histories import repair
from tests.support.streams import total
from tests.wires.openai_responses.helpers import (
    CLAUDE,
    CUSTOM,
    PNG,
    REASONING,
    body,
    call_item,
    events_of,
    own,
    reply,
    run,
    sent,
    text_item,
)

# --- assistant turns --------------------------------------------------------------------------------------------------


def test_parts_of_one_message_become_one_item():
    path = {"type": "file_path", "file_id": "f", "file_index": 0}
    blocks = [
        {"type": "text", "text": "a", "id": "msg_1", "phase": "commentary", "index": 0},
        {"type": "refusal", "refusal": "b", "id": "msg_1"},
        {"type": "text", "text": "c", "id": "msg_2", "annotations": [path]},
        {"type": "text", "text": "d"},
    ]
    assert sent(own(blocks)) == [
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "a", "annotations": []},
                {"type": "refusal", "refusal": "b"},
            ],
            "phase": "commentary",
        },
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_2",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "c", "annotations": [{"type": "file_path", "file_id": "f", "index": 0}]}
            ],
        },
        {"role": "assistant", "content": "d"},
    ]


def test_a_streamed_reply_goes_back_without_stream_marks():
    whole = reply([REASONING, text_item("hi"), call_item(), CUSTOM])
    message = message_chunk_to_message(total(run(events_of(whole, random.Random(3)))))
    assert sent(message) == sent(WIRE.decode(whole)[0])
    assert sent(message)[0] == REASONING


def test_calls_follow_tool_calls():
    message = own([call_item()], tool_calls=[{"id": "call_1", "name": "add", "args": {"a": 2}}])
    assert sent(message) == [call_item('{"a": 2}')]
    added = own("hi", tool_calls=[{"id": "call_9", "name": "add", "args": {"é": [1, "x"]}}])
    assert sent(added) == [
        {"role": "assistant", "content": "hi"},
        {"type": "function_call", "call_id": "call_9", "name": "add", "arguments": '{"é":[1,"x"]}'},
    ]


def test_a_turn_of_another_provider_keeps_its_words_and_calls(oracle):
    messages = [HumanMessage("x"), CLAUDE, ToolMessage("2", tool_call_id="toolu_1")]
    found, _ = repair(turns(messages, "openai_responses"), wire="openai_responses", profile=Profile())
    items = WIRE.encode(Request("m", found)).body["input"][1:]
    assert items[0]["content"].startswith("Let me look.\n\n[web_search was called with q]\n\n[web_search returned: ")
    assert "https://a.b" in items[0]["content"]
    assert "encrypted" not in items[0]["content"]
    assert items[1:] == [
        {"type": "function_call", "call_id": "toolu_1", "name": "add", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "toolu_1", "output": "2"},
    ]
    assert "sig" not in json.dumps(items)
    assert oracle.validate("responses", {"model": "m", "input": items}) == []


def turn(*blocks: dict[str, Any], origin: Any = None) -> Turn:
    return Turn("assistant", blocks, origin=origin)


@pytest.mark.parametrize(
    "block,items",
    [
        ({"type": "text", "text": ""}, []),
        ({"type": "refusal", "refusal": "no"}, [{"role": "assistant", "content": "no"}]),
        (
            {"type": "invalid_tool_call", "id": "c", "name": "f", "args": "{"},
            [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{"}],
        ),
        ({"type": "reasoning", "reasoning": "hm", "id": "x"}, []),
        ({"type": "foreign", "value": {}}, []),
        ({"type": "image", "base64": PNG}, [{"role": "assistant", "content": "[image]"}]),
        ({"type": "image", "url": "https://a.b"}, [{"role": "assistant", "content": "[image: https://a.b]"}]),
        ({"type": "file", "filename": "a.pdf"}, [{"role": "assistant", "content": "[file: a.pdf]"}]),
        ({"type": "audio", "transcript": "hello"}, [{"role": "assistant", "content": "[audio: hello]"}]),
        ({"type": "video"}, [{"role": "assistant", "content": "[video]"}]),
        ({"type": "text-plain", "text": "t"}, [{"role": "assistant", "content": "t"}]),
        ({"type": "text-plain", "file_id": "f"}, [{"role": "assistant", "content": "[text-plain: f]"}]),
        (
            {"type": "search_result", "source": "s", "content": "c"},
            [{"role": "assistant", "content": "s\n\nc"}],
        ),
        (
            {"type": "server_tool_result", "tool_call_id": "x", "output": "boom", "status": "error"},
            [{"role": "assistant", "content": "[result (failed): boom]"}],
        ),
        (
            {"type": "unknown", "value": {"type": "compaction", "id": "cmp_1", "encrypted_content": "z"}},
            [{"type": "compaction", "id": "cmp_1", "encrypted_content": "z"}],
        ),
    ],
)
def test_standard_blocks_of_an_assistant(block, items):
    assert sent(turn(block)) == items


def test_an_unknown_assistant_block_is_refused():
    with pytest.raises(UnsupportedContentError, match="hologram"):
        sent(turn({"type": "unknown", "value": {"type": "hologram"}}))


def test_the_standard_form_of_an_own_reply_goes_back_as_it_was():
    whole = reply(
        [
            REASONING,
            {"type": "web_search_call", "id": "ws_1", "status": "completed",
             "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a.b"}]}},
            {"type": "file_search_call", "id": "fs_1", "status": "failed", "queries": ["q"],
             "results": [{"file_id": "f", "text": "t"}]},
            {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "code": "1",
             "container_id": "cntr_1", "outputs": [{"type": "logs", "logs": "1"}]},
            {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "deep", "tools": []},
            {"type": "mcp_call", "id": "mcp_1", "name": "ask", "server_label": "deep", "arguments": '{"q":1}',
             "output": "yes", "status": "completed"},
            {"type": "tool_search_call", "id": "ts_1", "execution": "server", "status": "completed", "arguments": {}},
            {"type": "tool_search_output", "id": "to_1", "execution": "server", "status": "completed", "tools": []},
            {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PNG,
             "output_format": "png"},
            {"type": "compaction", "id": "cmp_1", "encrypted_content": "z"},
            text_item(
                "hi",
                phase="final_answer",
                annotations=[
                    {"type": "url_citation", "url": "https://a.b", "title": "t", "start_index": 0, "end_index": 2},
                    {"type": "file_citation", "file_id": "f", "filename": "n", "index": 1},
                    {"type": "container_file_citation", "file_id": "f", "filename": "n", "container_id": "c",
                     "start_index": 0, "end_index": 2},
                ],
            ),
            call_item(namespace="crm"),
        ]
    )  # fmt: skip
    (message,) = WIRE.decode(whole)
    standard = own(message.content_blocks, tool_calls=message.tool_calls)
    standard.response_metadata["output_version"] = "v1"
    expected = copy.deepcopy(whole["output"])
    del expected[10]["content"][0]["logprobs"]
    assert sent(standard) == expected
    assert sent(message) == expected


# --- reasoning --------------------------------------------------------------------------------------------------------

BARE = {key: value for key, value in REASONING.items() if key != "encrypted_content"}


def block(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": item["content"][0]["text"], "id": item["id"]}


def test_stored_reasoning_goes_back_with_the_item_it_belongs_to():
    assert sent(own([BARE, call_item()])) == [BARE, call_item()]


def test_reasoning_before_an_item_without_id_is_left_out():
    # The API answers 400 "provided without its required following item" to a reasoning item before a plain message.
    nameless = {key: value for key, value in call_item().items() if key != "id"}
    assert sent(own([REASONING, {"type": "text", "text": "hi"}, call_item()])) == [
        {"role": "assistant", "content": "hi"},
        nameless,
    ]


def test_reasoning_without_an_item_is_left_out():
    assert sent(own([REASONING])) == []
    assert sent(own([call_item(), REASONING])) == [call_item()]


def test_unstored_reasoning_needs_its_encrypted_content():
    unstored = {"params": Params(store=False)}
    assert sent(own([REASONING, call_item()]), **unstored) == [REASONING, call_item()]
    nameless = {key: value for key, value in call_item().items() if key != "id"}
    text = block(text_item("hi"))
    assert sent(own([BARE, {**text, "phase": "commentary"}, call_item()]), **unstored) == [
        {"role": "assistant", "content": "hi", "phase": "commentary"},
        nameless,
    ]


def test_what_is_not_stored_asks_for_encrypted_reasoning():
    asked = ["reasoning.encrypted_content"]
    thinks = Profile(reasoning=True)
    assert body(HumanMessage("x"), params=Params(store=False), profile=thinks)["include"] == asked
    assert body(HumanMessage("x"), params=Params(store=False, reasoning_effort="low"))["include"] == asked
    assert "include" not in body(HumanMessage("x"), params=Params(store=False))
    assert "include" not in body(HumanMessage("x"), params=Params(store=True), profile=thinks)
    native = {"include": ["web_search_call.results"]}
    merged = body(HumanMessage("x"), params=Params(store=False), profile=thinks, native=native)["include"]
    assert merged == ["web_search_call.results", *asked]
    assert native == {"include": ["web_search_call.results"]}
