"""The Chat Completions wire: replies that are decoded."""

from __future__ import annotations

import pytest

from langchain_unified.errors import ReplyError
from langchain_unified.messages.turns import turns
from langchain_unified.request import ToolSpec
from langchain_unified.wires.openai_chat import WIRE
from tests.support.streams import total
from tests.wires.openai_chat.helpers import CALL, USAGE, decode, event, facts, reply, run, sent


def test_a_refusal_is_beside_an_empty_text():
    message = decode({"refusal": "I cannot."})
    assert (message.content, message.additional_kwargs) == ("", {"refusal": "I cannot."})
    assert (message.response_metadata["finish_reason"], message.response_metadata["stop_reason"]) == ("refusal", "stop")
    assert sent(message) == [{"role": "assistant", "content": "", "refusal": "I cannot."}]


def test_annotations_and_unknown_keys_are_kept():
    cited = [{"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}]
    message = decode({"content": "a", "annotations": cited, "reasoning_content": "hm", "flags": {"x": [1]}}, shard=3)
    assert message.additional_kwargs == {"annotations": cited, "reasoning_content": "hm", "flags": {"x": [1]}}
    assert message.response_metadata["shard"] == 3


def test_audio_is_kept_and_replayed_by_id():
    spoken = {"id": "audio_1", "data": "UklGRg==", "expires_at": 9, "transcript": "Hello"}
    message = decode({"audio": spoken})
    assert message.additional_kwargs["audio"] == spoken
    assert sent(message) == [{"role": "assistant", "audio": {"id": "audio_1"}}]
    assert [block["text"] for block in turns([message], "anthropic_messages")[0].blocks] == ["Hello"]


def test_logprobs_service_tier_and_fingerprint_are_metadata():
    whole = reply({"content": "a"}, service_tier="priority", system_fingerprint="fp", moderation=None, usage=USAGE)
    whole["choices"][0] |= {"logprobs": {"content": [{"token": "a"}]}, "content_filter_results": {"hate": {}}}
    (message,) = WIRE.decode(whole)
    assert message.response_metadata == {
        "model_provider": "openai",
        "model_name": "gpt-test",
        "id": "chatcmpl-1",
        "created": 1,
        "finish_reason": "stop",
        "stop_reason": "stop",
        "token_usage": USAGE,
        "service_tier": "priority",
        "system_fingerprint": "fp",
        "logprobs": {"content": [{"token": "a"}]},
        "content_filter_results": {"hate": {}},
    }
    assert message.usage_metadata["input_token_details"] == {"priority_cache_read": 5, "priority": 2}


def test_several_choices_are_several_messages_and_one_usage():
    whole = reply({"content": "a"}, usage=USAGE)
    whole["choices"].append({"index": 1, "message": {"role": "assistant", "content": "b"}, "finish_reason": "length"})
    first, second = WIRE.decode(whole)
    assert (first.content, second.content) == ("a", "b")
    assert (first.id, second.id) == (None, None)
    assert (first.usage_metadata["total_tokens"], second.usage_metadata) == (10, None)
    assert second.response_metadata["finish_reason"] == "length"


def test_custom_and_legacy_calls():
    custom = {"id": "call_2", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}
    message = decode({"tool_calls": [CALL, custom]}, "tool_calls")
    assert [call["args"] for call in message.tool_calls] == [{"a": 1}, {"__arg1": "SELECT 1"}]
    tools = (ToolSpec("add"), ToolSpec("sql", kind="custom"))
    assert sent(message, tools=tools) == [{"role": "assistant", "tool_calls": [CALL, custom]}]
    as_function = sent(message, tools=(ToolSpec("sql"),))[0]["tool_calls"][1]
    assert as_function["function"] == {"name": "sql", "arguments": '{"__arg1":"SELECT 1"}'}
    legacy = decode({"function_call": {"name": "add", "arguments": '{"a":1}'}}, "function_call")
    assert legacy.tool_calls == [{"name": "add", "args": {"a": 1}, "id": "add", "type": "tool_call"}]
    assert legacy.response_metadata["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    "arguments, finish",
    [
        ('{"city": "Par', "length"),
        ('{"a": [1', "length"),
        ('{"a": "x\\', "length"),
        ("[1]", "tool_calls"),
        ("no", "stop"),
    ],
)
def test_broken_arguments_are_never_offered_as_valid(arguments, finish):
    call = {**CALL, "function": {"name": "add", "arguments": arguments}}
    message = decode({"tool_calls": [call]}, finish)
    assert (message.tool_calls, message.invalid_tool_calls[0]["args"]) == ([], arguments)
    assert message.invalid_tool_calls[0]["error"]
    streamed = total(run([event({"tool_calls": [{"index": 0, **call}]}), event(finish=finish)]))
    assert streamed.tool_calls == []
    assert streamed.invalid_tool_calls[0]["args"].startswith(arguments)
    assert sent(message)[0]["tool_calls"][0]["function"]["arguments"] == arguments


@pytest.mark.parametrize("arguments", ["", None, " "])
def test_no_arguments_are_empty_ones(arguments):
    call = {**CALL, "function": {"name": "now", "arguments": arguments}}
    assert decode({"tool_calls": [call]}).tool_calls[0]["args"] == {}
    assert total(run([event({"tool_calls": [{"index": 0, **call}]}), event(finish="stop")])).tool_calls[0]["args"] == {}


@pytest.mark.parametrize(
    "wrong, word",
    [
        ("<html>Bad gateway</html>", "Bad gateway"),
        ({"detail": "Not Found"}, "no list of choices"),
        ({"choices": []}, "without choices"),
        ({"choices": [{"index": 0}]}, "no message"),
        ({"choices": ["x"]}, "no message"),
        ({"error": {"message": "no such model", "code": "model_not_found"}}, "no such model"),
        (None, "NoneType"),
    ],
)
def test_a_wrong_shape_is_a_clear_error(wrong, word):
    with pytest.raises(ReplyError, match=word):
        WIRE.decode(wrong)


def test_parts_of_other_servers():
    assert decode({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}).content == "ab"
    thinking = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "b"}]
    whole, streamed = decode({"content": thinking}), total(run([event({"content": thinking}), event(finish="stop")]))
    assert facts(whole) == facts(streamed)
    assert (whole.content, whole.additional_kwargs) == ("b", {"content_parts": thinking[:1]})
    strange = {"id": "x", "type": "mcp", "server": "s"}
    assert decode({"tool_calls": [strange]}).additional_kwargs == {"other_tool_calls": [strange]}
