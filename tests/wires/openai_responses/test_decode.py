"""The Responses wire: replies that are decoded."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_unified.errors import ReplyError
from langchain_unified.wires.openai_responses import WIRE
from tests.support.corpus import exchanges, label, needs_corpus, replies, streams
from tests.wires.openai_responses.helpers import CUSTOM, ENDPOINT, call_item, reply, sent, text_item

# --- recorded replies -------------------------------------------------------------------------------------------------


@needs_corpus
def test_the_corpus_is_whole():
    assert (len(exchanges(ENDPOINT)), len(replies(ENDPOINT)), len(streams(ENDPOINT))) == (390, 280, 108)


def read(whole: dict[str, Any]) -> dict[str, Any]:
    """The facts of a recorded reply, read without the decoder."""
    texts = [part["text"] for item in whole["output"] if item["type"] == "message" for part in item["content"]]
    calls = [item for item in whole["output"] if item["type"] == "function_call"]
    waiting = bool(calls) or any(item.get("execution") == "client" for item in whole["output"])
    done = "tool_calls" if waiting else "stop"
    finish = {"completed": done, "queued": "pause", "incomplete": "length"}[whole["status"]]
    return {
        "texts": texts,
        "calls": [(call["call_id"], call["name"], json.loads(call["arguments"])) for call in calls],
        "finish": finish,
        "others": [item for item in whole["output"] if item["type"] != "message"],
    }


@needs_corpus
@pytest.mark.parametrize("exchange", replies(ENDPOINT), ids=label)
def test_recorded_reply(exchange):
    whole = exchange["response"]["body"]
    before = copy.deepcopy(whole)
    (message,) = WIRE.decode(whole)
    wanted = read(whole)
    assert whole == before
    content = [message.content] if isinstance(message.content, str) else message.content
    texts = [block if isinstance(block, str) else block["text"] for block in content if is_text(block)]
    assert [text for text in texts if text] == [text for text in wanted["texts"] if text]
    assert [block for block in content if not is_text(block)] == wanted["others"]
    assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == wanted["calls"]
    assert message.invalid_tool_calls == []
    metadata = message.response_metadata
    assert metadata["finish_reason"] == wanted["finish"]
    assert metadata["stop_reason"] == (whole["incomplete_details"] or {}).get("reason", whole["status"])
    assert (metadata["model_provider"], metadata["model_name"]) == ("openai", whole["model"])
    assert (metadata["id"], message.id) == (whole["id"], None)
    assert metadata["object"] == "response"
    assert metadata.get("token_usage") == whole["usage"]
    assert "usage" not in metadata
    if whole["usage"]:
        usage = message.usage_metadata
        assert usage["input_tokens"] == whole["usage"]["input_tokens"]
        assert usage["output_tokens"] == whole["usage"]["output_tokens"]
        assert usage["input_token_details"]["cache_read"] == whole["usage"]["input_tokens_details"]["cached_tokens"]
        reasoned = whole["usage"]["output_tokens_details"]["reasoning_tokens"]
        assert usage["output_token_details"]["reasoning"] == reasoned


def is_text(block: Any) -> bool:
    return isinstance(block, str) or block["type"] == "text"


def test_a_reply_leaves_out_the_echo_of_its_request():
    (message,) = WIRE.decode(reply([text_item("hi")], tools=[{"type": "web_search"}], temperature=1.0, top_p=None))
    assert set(message.response_metadata) == {
        "model_provider", "model_name", "finish_reason", "stop_reason", "id", "object", "created_at", "status",
        "token_usage",
    }  # fmt: skip


# --- replies by hand --------------------------------------------------------------------------------------------------

REFUSAL = {
    "type": "message",
    "id": "msg_2",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "refusal", "refusal": "no"}],
}


def decode(*output: dict[str, Any], **fields: Any) -> AIMessage:
    return WIRE.decode(reply(list(output), **fields))[0]


def test_content_of_a_message_item():
    assert decode(text_item("hi")).content == "hi"
    assert decode(text_item("hi", status="incomplete")).content == "hi"
    assert decode().content == ""
    assert decode(text_item("hi", phase="final_answer")).content == [
        {"type": "text", "text": "hi", "id": "msg_1", "phase": "final_answer"}
    ]
    assert decode(REFUSAL).content == [{"type": "refusal", "refusal": "no", "id": "msg_2"}]
    cited = {"type": "file_citation", "file_id": "file-1", "filename": "a.txt", "index": 3}
    assert decode(text_item("hi", annotations=[cited])).content == [
        {
            "type": "text",
            "text": "hi",
            "id": "msg_1",
            "annotations": [{"type": "file_citation", "file_id": "file-1", "filename": "a.txt", "file_index": 3}],
        }
    ]


def test_a_part_of_an_unknown_type_keeps_its_message():
    item = text_item("hi")
    item["content"].append({"type": "output_smell", "scent": "pine"})
    message = decode(item)
    assert message.content == [
        {"type": "text", "text": "hi", "id": "msg_1"},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "content": [{"type": "output_smell", "scent": "pine"}],
        },
    ]
    assert sent(HumanMessage("x"), message)[1] == {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [
            {"type": "output_text", "text": "hi", "annotations": []},
            {"type": "output_smell", "scent": "pine"},
        ],
    }


def test_tool_calls():
    message = decode(call_item(), CUSTOM)
    assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == [
        ("call_1", "add", {"a": 1}),
        ("call_2", "shell", {"__arg1": 'say "hé"\n'}),
    ]
    assert message.content == [call_item(), CUSTOM]
    assert decode(call_item("")).tool_calls[0]["args"] == {}


@pytest.mark.parametrize("arguments", ['{"a": 1', "[1]", "no", '{"a": "x'])
def test_arguments_that_are_no_object_make_an_invalid_call(arguments):
    message = decode(call_item(arguments))
    assert message.tool_calls == []
    assert [(call["id"], call["name"], call["args"]) for call in message.invalid_tool_calls] == [
        ("call_1", "add", arguments)
    ]
    assert message.invalid_tool_calls[0]["error"]


def test_a_call_that_was_cut_before_its_arguments_is_invalid():
    details = {"reason": "max_output_tokens"}
    message = decode(call_item("", status="incomplete"), status="incomplete", incomplete_details=details)
    assert (message.tool_calls, len(message.invalid_tool_calls)) == ([], 1)
    assert message.response_metadata["finish_reason"] == "length"
    assert message.response_metadata["stop_reason"] == "max_output_tokens"


@pytest.mark.parametrize(
    "output,fields,reason",
    [
        ([text_item("hi")], {}, "stop"),
        ([call_item()], {}, "tool_calls"),
        ([CUSTOM], {}, "tool_calls"),
        ([{"type": "computer_call", "call_id": "c", "id": "cu_1"}], {}, "tool_calls"),
        ([{"type": "shell_call", "call_id": "c"}, {"type": "shell_call_output", "call_id": "c"}], {}, "stop"),
        ([{"type": "tool_search_call", "id": "t", "execution": "client"}], {}, "tool_calls"),
        ([{"type": "tool_search_call", "id": "t", "execution": "server"}], {}, "stop"),
        ([{"type": "mcp_approval_request", "id": "m"}], {}, "tool_calls"),
        ([REFUSAL], {}, "refusal"),
        ([], {"status": "queued"}, "pause"),
        ([], {"status": "in_progress"}, "pause"),
        ([], {"status": "cancelled"}, "other"),
        ([], {"status": "failed"}, "error"),
        ([], {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ([], {"status": "incomplete", "incomplete_details": {"reason": "max_messages"}}, "pause"),
        ([], {"status": "incomplete", "incomplete_details": {"reason": "new"}}, "other"),
        ([], {"status": "incomplete"}, "other"),
    ],
)
def test_finish_reasons(output, fields, reason):
    assert decode(*output, **fields).response_metadata["finish_reason"] == reason


def test_usage():
    assert decode().usage_metadata == {
        "input_tokens": 12,
        "output_tokens": 5,
        "total_tokens": 17,
        "input_token_details": {"cache_read": 4, "cache_creation": 3},
        "output_token_details": {"reasoning": 2},
    }
    assert decode(usage=None).usage_metadata is None


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"output": None}, {"output": "hi"}, {"output": ["hi"]}, {"object": "chat.completion", "choices": []},
        {"output": [{"type": "message", "content": None}]}, {"output": [{"type": "message", "content": ["hi"]}]},
        {"output": [], "usage": 3}, [], "<html>",
    ],
)  # fmt: skip
def test_another_shape_is_a_reply_error(wrong):
    with pytest.raises(ReplyError, match="answer"):
        WIRE.decode(wrong)
