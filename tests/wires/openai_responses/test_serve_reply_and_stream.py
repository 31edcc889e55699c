"""Responses, the server side: a reply and its stream say the same."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_unified.wires._completion import Completion, Tokens
from langchain_unified.wires.openai_responses import WIRE
from langchain_unified.wires.openai_responses.serve import read_request, render_events, render_reply
from tests.support.completions import of_type, text
from tests.support.strategies_openai_responses import COMPLETIONS
from tests.support.streams import chunks_of, total
from tests.wires.openai_responses.serve_helpers import ASKED, HELLO, HI


def streamed(completion: Completion, *, as_text: bool) -> AIMessage:
    return total(chunks_of(WIRE, render_events(completion, ASKED), as_text))


def whole(completion: Completion) -> AIMessage:
    (found,) = WIRE.decode(render_reply(completion, ASKED))
    return found


def content_of(found: AIMessage) -> list[Any]:
    """The content as blocks, without what only a stream leaves in it: a bare text may be a `str`, without its id."""
    blocks = [found.content] if isinstance(found.content, str) else unindexed(found.content)
    merged: list[Any] = []
    for block in blocks:
        if isinstance(block, str):
            merged.append(text(block))
        elif block["type"] == "text" and "text" not in block:
            merged[-1] |= block
        else:
            merged.append(text(block["text"]) if block.keys() <= {"type", "text", "id", "status"} else block)
    return [block for block in merged if block != text("")]


def unindexed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: unindexed(item) for key, item in value.items() if key != "index"}
    return [unindexed(item) for item in value] if isinstance(value, list) else value


@given(COMPLETIONS)
@settings(max_examples=150)
@example(Completion("resp_1", "m", ()))
@example(Completion("resp_1", "m", (text(" \n"),), "length"))
@example(Completion("resp_1", "m", ({"type": "invalid_tool_call", "id": "1", "name": "sql", "args": ""},), "length"))
def test_a_reply_says_what_the_completion_says(completion):
    for found in (whole(completion), streamed(completion, as_text=True), streamed(completion, as_text=False)):
        check_content(content_of(found), completion)
        assert [(made["id"], made["name"], made["args"]) for made in found.tool_calls] == [
            (made["id"], made["name"], made["args"]) for made in of_type(completion, "tool_call")
        ]
        broken = of_type(completion, "invalid_tool_call")
        assert [made["id"] for made in found.invalid_tool_calls] == [made["id"] for made in broken]
        check_usage(found, completion.tokens)
        check_metadata(found, completion)


def check_content(content: list[Any], completion: Completion) -> None:
    said = of_type(completion, "text")
    texts = [block for block in content if block["type"] == "text"]
    assert [block["text"] for block in texts if block["text"]] == [block["text"] for block in said if block["text"]]
    cited = [note for block in said for note in block.get("annotations", ())]
    assert len([note for block in texts for note in block.get("annotations", ())]) == len(cited)
    assert [block["refusal"] for block in content if block["type"] == "refusal"] == [
        block["refusal"] for block in of_type(completion, "refusal")
    ]
    thoughts = [block for block in content if block["type"] == "reasoning"]
    assert ["".join(part["text"] for part in block["summary"]) for block in thoughts] == [
        block["reasoning"] for block in of_type(completion, "reasoning")
    ]
    assert [block.get("encrypted_content") for block in thoughts] == [
        block.get("extras", {}).get("encrypted_content") for block in of_type(completion, "reasoning")
    ]
    searches = [block for block in content if block["type"] == "web_search_call"]
    assert len(searches) == len(of_type(completion, "native"))


def check_usage(found: AIMessage, tokens: Tokens) -> None:
    usage = found.usage_metadata
    assert (usage["input_tokens"], usage["output_tokens"]) == (tokens.input, tokens.output)
    details = usage["input_token_details"]
    assert (details["cache_read"], details["cache_creation"]) == (tokens.cache_read, tokens.cache_write)
    assert usage["output_token_details"]["reasoning"] == tokens.reasoning


def check_metadata(found: AIMessage, completion: Completion) -> None:
    metadata = found.response_metadata
    assert (metadata["id"], metadata["model_name"], metadata["created_at"]) == (
        completion.id,
        completion.model,
        completion.created,
    )
    reason = completion.finish_reason
    refused = of_type(completion, "refusal")
    told = {"length": "length", "context_window": "length", "content_filter": "content_filter", "pause": "pause"}
    told |= {"error": "error"} | ({} if refused else {"refusal": "content_filter"})
    called = of_type(completion, "tool_call", "invalid_tool_call")
    completed = "tool_calls" if called else "refusal" if refused else "stop"
    assert metadata["finish_reason"] == told.get(reason, completed)


@given(COMPLETIONS, st.booleans())
@settings(max_examples=100)
def test_a_stream_sums_to_the_reply(completion, as_text):
    one, other = whole(completion), streamed(completion, as_text=as_text)
    assert content_of(other) == content_of(one)
    assert (other.tool_calls, other.usage_metadata, other.id) == (one.tool_calls, one.usage_metadata, one.id)
    # Only a whole reply says who pays.
    assert {**other.response_metadata, "billing": {"payer": "developer"}} == one.response_metadata


@given(COMPLETIONS)
@settings(max_examples=60)
def test_an_answer_comes_back_as_input(completion):
    """What was answered can stand in the next request as it is, and is read as the same calls and texts."""
    output = render_reply(completion, ASKED)["output"]
    found = read_request({"model": "m", "input": output})
    blocks = [block for turn in found.turns for block in turn.blocks]
    assert [block["text"] for block in blocks if block["type"] == "text"] == [
        block["text"] for block in of_type(completion, "text")
    ]
    functions = [block for block in of_type(completion, "tool_call") if block["name"] != "sql"]
    assert [(made["id"], made["args"]) for made in blocks if made["type"] == "tool_call"] == [
        (made["id"], made["args"]) for made in functions
    ]


@given(COMPLETIONS)
@settings(max_examples=40)
def test_rendering_gives_the_same_twice_and_leaves_its_input_alone(completion):
    before = copy.deepcopy((completion, ASKED))
    assert render_reply(completion, ASKED) == render_reply(completion, ASKED)
    assert list(render_events(completion, ASKED)) == list(render_events(completion, ASKED))
    assert (completion, ASKED) == before


def test_what_was_rendered_is_the_callers_to_change():
    reply = render_reply(HI, {**HELLO, "tools": [{"type": "web_search"}]})
    reply["metadata"]["a"] = "b"
    reply["tools"][0]["user_location"]["city"] = "Paris"
    again = render_reply(HI, {**HELLO, "tools": [{"type": "web_search"}]})
    assert (again["metadata"], again["tools"][0]["user_location"]["city"]) == ({}, None)
