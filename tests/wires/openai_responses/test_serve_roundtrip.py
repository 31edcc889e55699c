"""Responses, the server side: what was encoded is read back; recorded bodies."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

from langchain_unified.wires.openai_responses import WIRE
from langchain_unified.wires.openai_responses.serve import read_request
from tests.support.corpus import exchanges, needs_corpus, replies
from tests.wires.openai_responses.serve_helpers import ENDPOINT, plain

# An item that may be without outputs must say so.
NULLABLE = ("code_interpreter_call", "image_generation_call")


def normal(body: dict[str, Any]) -> dict[str, Any]:
    """The form that the encoder gives a body. Nothing else may change in it:

    In the body, in a function and in an item, null says what an absent key says; `stream: false` is the default; an
    `input` string is a user's message; a message does not name its type, unless it has an id; one bare text part is a
    string; an assistant message without text is nothing; reasoning that nothing with an id follows is not sent.
    """
    found = copy.deepcopy(plain(body))
    if found.get("stream") is False:
        del found["stream"]
    if "tools" in found:
        found["tools"] = [plain(tool) if tool["type"] == "function" else tool for tool in found["tools"]]
    items = found["input"]
    if isinstance(items, str):
        items = [{"role": "user", "content": items}]
    items = [item if item.get("type") in NULLABLE else plain(item) for item in items]
    found["input"] = [message(item) for item in items if item != {"role": "assistant", "content": ""}]
    followers = [*found["input"][1:], {}]
    found["input"] = [
        item
        for item, follower in zip(found["input"], followers, strict=True)
        if item.get("type") != "reasoning" or "id" in follower
    ]
    return found


def message(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("type", "message") != "message" or "id" in item:
        return item
    found = {key: value for key, value in item.items() if key != "type"}
    content = found["content"]
    if isinstance(content, list) and len(content) == 1 and content[0].keys() == {"type", "text"}:
        found["content"] = content[0]["text"]
    return found


@needs_corpus
def test_every_recorded_body_comes_back():
    outcome: Counter[str] = Counter()
    for exchange in exchanges(ENDPOINT):
        body = exchange["request"]["body"]
        encoded = WIRE.encode(read_request(body))
        assert encoded.adjustments == ()
        if encoded.body != body:
            assert encoded.body == normal(body), exchange["id"]
        outcome["exact" if encoded.body == body else "normal form"] += 1
    assert outcome == {"exact": 258, "normal form": 132}


@needs_corpus
def test_what_recorded_bodies_ask_for():
    found = [read_request(exchange["request"]["body"]) for exchange in exchanges(ENDPOINT)]
    blocks = [(turn.role, block) for request in found for turn in request.turns for block in turn.blocks]
    assert {block["type"] for _, block in blocks} == {"text", "image", "file", "tool_call", "reasoning", "native"}
    # Only these items have no word of ours.
    assert Counter((role, block["value"]["type"]) for role, block in blocks if block["type"] == "native") == {
        ("assistant", "code_interpreter_call"): 2,
        ("assistant", "compaction"): 4,
        ("assistant", "image_generation_call"): 1,
        ("assistant", "tool_search_call"): 19,
        ("assistant", "tool_search_output"): 7,
        ("assistant", "web_search_call"): 2,
        ("developer", "additional_tools"): 10,
        ("tool", "tool_search_output"): 8,
    }
    assert sum(request.stream for request in found) == 108
    modes = {request.tool_choice.mode for request in found if request.tool_choice}
    assert modes == {"auto", "any", "none", "tool", "allowed"}
    assert {key for request in found for key in request.extra_body} == set()
    kinds = Counter(spec.definition.get("type", spec.kind) for request in found for spec in request.tools)
    assert kinds == {
        "function": 298,
        "tool_search": 30,
        "web_search": 13,
        "image_generation": 9,
        "mcp": 5,
        "code_interpreter": 4,
        "file_search": 1,
        "namespace": 1,
    }


@needs_corpus
def test_recorded_replies_come_back_as_input():
    """What a reply holds is read, in the next request, as a turn that says the same to the API."""
    count = 0
    for exchange in replies(ENDPOINT):
        output = exchange["response"]["body"]["output"]
        found = read_request({"model": "m", "input": [*output, {"role": "user", "content": "Go on"}]})
        sent = WIRE.encode(found).body["input"]
        assert [item.get("type") for item in sent[:-1]] == [item["type"] for item in output], exchange["id"]
        assert [item.get("id") for item in sent[:-1]] == [item["id"] for item in output]
        count += len(output)
    assert count == 390
