"""The mirror codec of the Responses API: bodies read back, replies and streams told as the API tells them."""

from __future__ import annotations

import contextlib
import copy
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import add_ai_message_chunks
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from langchain_unified.errors import RequestError, UnsupportedContentError
from langchain_unified.request import OutputFormat, Request, ToolChoice, ToolSpec, Turn
from langchain_unified.wires._completion import Completion, Tokens
from langchain_unified.wires.openai_responses import WIRE
from langchain_unified.wires.openai_responses.serve import read_request, render_events, render_reply
from tests.support.corpus import exchanges, needs_corpus, replies, sse_events, streams
from tests.support.strategies_openai_responses import COMPLETIONS, JSON, requests

ENDPOINT = "openai.responses"
HELLO = {"model": "gpt-test", "input": "Hi"}
STREAMED = {**HELLO, "stream": True}


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def call(name: str, args: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return {"type": "tool_call", "id": f"call_{number}", "name": name, "args": args}


def native(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "native", "value": value}


# --- law 2: what was encoded is read back -----------------------------------------------------------------------------


@given(requests())
@settings(max_examples=150)
def test_a_request_comes_back(request):
    encoded = WIRE.encode(request)
    assert encoded.adjustments == ()
    found = read_request(encoded.body, encoded.headers)
    assert found == request
    assert WIRE.encode(found) == encoded


@given(requests())
@settings(max_examples=40)
def test_the_body_is_left_alone(request):
    body = WIRE.encode(request).body
    before = copy.deepcopy(body)
    read_request(body)
    assert body == before


# --- recorded bodies --------------------------------------------------------------------------------------------------


def plain(holder: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in holder.items() if value is not None}


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


# --- reading ----------------------------------------------------------------------------------------------------------


def read(*items: dict[str, Any], **more: Any) -> Request:
    return read_request({"model": "gpt-test", "input": list(items), **more})


def test_a_conversation():
    found = read(
        {"role": "developer", "content": "Be brief."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "1+1?"}], "status": "completed"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x", "status": None},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "phase": "commentary",
            "content": [{"type": "output_text", "text": "I add.", "annotations": []}],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "add", "arguments": '{"a": 1}'},
        {"type": "function_call", "call_id": "call_2", "name": "add", "arguments": '{"a": '},
        {"type": "function_call_output", "id": "fco_1", "call_id": "call_1", "output": "2", "status": "completed"},
        {"role": "assistant", "content": "2"},
    )
    assert found.turns == (
        Turn("developer", (text("Be brief."),)),
        Turn("user", (text("1+1?"),)),
        Turn(
            "assistant",
            (
                {"type": "reasoning", "reasoning": "", "id": "rs_1", "extras": {"encrypted_content": "x"}},
                text("I add.", id="msg_1", phase="commentary"),
                {**call("add", {"a": 1}), "extras": {"item_id": "fc_1"}},
                {"type": "invalid_tool_call", "id": "call_2", "name": "add", "args": '{"a": '},
            ),
        ),
        Turn("tool", (text("2"),), tool_call_id="call_1"),
        Turn("assistant", (text("2"),)),
    )
    assert [turn.position for turn in found.turns] == [0, 1, 2, 6, 7]
    assert [turn.origin for turn in found.turns] == [None, None, "openai_responses", None, "openai_responses"]


def test_a_string_is_what_the_user_says():
    assert read_request(HELLO).turns == (Turn("user", (text("Hi"),)),)
    assert read_request({"model": "m", "previous_response_id": "resp_1"}).turns == ()


def test_parts():
    parts = [
        {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"},
        {"type": "input_image", "image_url": "https://a/b.png", "detail": "low"},
        {"type": "input_file", "file_id": "file-1", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}},
        {"type": "input_file", "filename": "a.csv", "file_data": "data:text/csv;base64,AA=="},
        {"type": "input_text", "text": "b", "flavour": 1, "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "input_file", "filename": "a.csv", "file_data": "data:text/csv;charset=utf-8;base64,AA=="},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
    ]
    found = read({"role": "user", "content": parts})
    assert found.turns[0].blocks == (
        {"type": "image", "base64": "AA==", "mime_type": "image/png"},
        {"type": "image", "url": "https://a/b.png", "detail": "low"},
        {"type": "file", "file_id": "file-1", "mark": {"ttl": "12h"}},
        {"type": "file", "base64": "AA==", "mime_type": "text/csv", "filename": "a.csv"},
        {"type": "native", "value": {"type": "input_text", "text": "b", "flavour": 1}, "mark": {}},
        native(parts[5]),
        native(parts[6]),
    )
    assert WIRE.encode(found).body["input"] == [{"role": "user", "content": parts}]


def test_items_without_a_word_of_ours_stay_whole():
    items = [
        {"type": "additional_tools", "role": "developer", "tools": []},
        {"type": "item_reference", "id": "rs_1"},
        {"type": "function_call", "id": "other_1", "call_id": "call_1", "name": "add", "arguments": "{}"},
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "sql", "input": "SELECT 1"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "1"},
        {"type": "function_call_output", "call_id": "call_1", "output": "1", "caller": {"type": "direct"}},
        {"type": "tool_search_output", "call_id": "call_3", "execution": "client", "tools": []},
        {"type": "tool_search_output", "id": "tso_1", "execution": "server", "tools": []},
        {"type": "reasoning", "id": "rs_2", "summary": [{"type": "picture"}], "encrypted_content": "x"},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "content": [{"type": "hologram", "of": 1}, {"type": "refusal", "refusal": "No."}],
        },
        {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True},
    ]
    found = read(*items)
    assert [(turn.role, len(turn.blocks), turn.tool_call_id) for turn in found.turns] == [
        ("developer", 1, None),
        ("assistant", 3, None),
        ("tool", 1, "call_2"),
        ("tool", 1, "call_1"),
        ("tool", 1, "call_3"),
        ("assistant", 4, None),
        ("user", 1, None),
    ]
    assert found.turns[2] == Turn("tool", (text("1"),), tool_call_id="call_2")
    assert found.turns[5].blocks[3] == {"type": "refusal", "refusal": "No.", "id": "msg_1"}
    assert WIRE.encode(found).body["input"] == items


def test_results_of_the_tools_that_openai_defines():
    shot = {"type": "computer_screenshot", "image_url": "https://a/b.png"}
    failed = {"stdout": "", "stderr": "No such file", "outcome": {"type": "exit", "exit_code": 1}}
    timeout = {"stdout": "a", "stderr": "", "outcome": {"type": "timeout"}}
    items = [
        {"type": "computer_call_output", "call_id": "1", "output": shot, "acknowledged_safety_checks": [{"id": "s"}]},
        {"type": "shell_call_output", "call_id": "2", "output": [failed]},
        {"type": "shell_call_output", "call_id": "3", "output": [timeout]},
        {"type": "local_shell_call_output", "id": "4", "output": "a"},
        {"type": "apply_patch_call_output", "call_id": "5", "status": "failed", "output": "No such file"},
    ]
    found = read({"type": "apply_patch_call", "id": "apc_5", "call_id": "5", "operation": {}}, *items)
    checks = {"acknowledged_safety_checks": [{"id": "s"}], "type": "computer_call_output"}
    shell = {"type": "shell_call_output"}
    assert found.turns[1:] == (
        Turn("tool", ({"type": "image", "url": "https://a/b.png"},), tool_call_id="1", options=checks),
        Turn("tool", (text("No such file"),), tool_call_id="2", is_error=True, options=shell),
        Turn("tool", (native(items[2]),), tool_call_id="3"),
        Turn("tool", (text("a"),), tool_call_id="4", options={"type": "local_shell_call_output"}),
        # The call that it answers tells its type.
        Turn("tool", (text("No such file"),), tool_call_id="5", is_error=True),
    )
    assert WIRE.encode(found).body["input"][1:] == items


def test_citations_of_an_echoed_text():
    notes = [
        {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1},
        {"type": "file_citation", "file_id": "file-1", "filename": "a.txt", "index": 3},
        {"type": "url_citation", "url": "u"},
    ]
    part = {"type": "output_text", "text": "a", "annotations": notes, "logprobs": []}
    echoed = {"type": "message", "id": "msg_1", "role": "assistant", "status": "incomplete", "content": [part]}
    found = read(echoed)
    (block,) = found.turns[0].blocks
    assert block["annotations"] == [
        {**notes[0], "type": "citation"},
        {"type": "citation", "title": "a.txt", "extras": {"file_id": "file-1", "file_index": 3}},
        {"type": "non_standard_annotation", "value": notes[2]},
    ]
    assert WIRE.encode(found).body["input"] == [echoed]


def test_parameters_have_one_name():
    found = read(
        max_output_tokens=5,
        safety_identifier="me",
        reasoning={"effort": "low", "summary": "auto"},
        text={"verbosity": "low", "format": {"type": "json_object"}},
        include=["message.output_text.logprobs", "file_search_call.results"],
        instructions="Be brief.",
        top_k=3,
        stop=None,
        truncation=None,
        stream=False,
    )
    assert found.params == {
        "max_tokens": 5,
        "user": "me",
        "logprobs": True,
        "verbosity": "low",
        "reasoning_effort": "low",
        "reasoning": {"summary": "auto"},
    }
    assert found.output == OutputFormat("json_object")
    assert found.native == {"instructions": "Be brief.", "include": ["file_search_call.results"]}
    assert (found.extra_body, found.stream) == ({"top_k": 3, "stop": None}, False)


def test_the_deprecated_user_is_the_safety_identifier():
    found = read(user="me")
    assert (found.params, WIRE.encode(found).body["safety_identifier"]) == ({"user": "me"}, "me")
    both = read(user="me", safety_identifier="id")
    assert (both.params, both.extra_body) == ({"user": "id"}, {"user": "me"})


def test_encrypted_reasoning_that_the_encoder_asks_for_by_itself():
    include = ["reasoning.encrypted_content"]
    kept = {"native": {"include": include}}
    cases = [
        ({"store": False, "reasoning": {"effort": "low"}}, {"native": {}}),
        ({"store": False}, kept),
        ({"reasoning": {"effort": "low"}}, kept),
    ]
    for asked, expected in cases:
        found = read(**asked, include=include)
        assert {"native": found.native} == expected
        assert WIRE.encode(found).body == {"model": "gpt-test", "input": [], **asked, "include": include}


@pytest.mark.parametrize(
    "given, output, left",
    [
        ({"type": "json_object"}, OutputFormat("json_object"), {}),
        (
            {"type": "json_schema", "name": "Sum", "schema": {"type": "object"}, "strict": None},
            OutputFormat("json_schema", {"type": "object"}, "Sum"),
            {},
        ),
        ({"type": "grammar", "syntax": "x"}, None, {"text": {"format": {"type": "grammar", "syntax": "x"}}}),
        (
            {"type": "json_schema", "name": "Sum", "schema": {}, "flavour": 1},
            None,
            {"text": {"format": {"type": "json_schema", "name": "Sum", "schema": {}, "flavour": 1}}},
        ),
    ],
)
def test_format_of_the_answer(given, output, left):
    found = read(text={"format": given})
    assert (found.output, found.native) == (output, left)
    assert WIRE.encode(found).body["text"]["format"] == plain(given)


CLOSED = {"type": "object", "additionalProperties": False}
ADD = {"type": "function", "name": "add", "parameters": {**CLOSED, "properties": {}, "required": []}, "strict": True}
WIKI = {"type": "mcp", "server_label": "wiki", "server_url": "https://a"}


def test_tools():
    tools = [
        {**ADD, "description": None, "defer_loading": True},
        {"type": "custom", "name": "sql", "format": {"type": "text"}},
        {**ADD, "name": "mul", "price": 1},
        WIKI,
        {"type": "namespace", "name": "maths", "tools": [ADD]},
    ]
    found = read(tools=tools)
    assert found.tools == (
        ToolSpec("add", parameters=ADD["parameters"], strict=True, options={"defer_loading": True}),
        ToolSpec("sql", "custom", options={"format": {"type": "text"}}),
        ToolSpec("mul", "native", definition=tools[2]),
        ToolSpec("wiki", "native", definition=WIKI),
        ToolSpec("maths", "native", definition=tools[4]),
    )
    assert WIRE.encode(found).body["tools"] == [{**ADD, "defer_loading": True}, *tools[1:]]


@pytest.mark.parametrize(
    "value, choice",
    [
        ("required", ToolChoice("any")),
        ({"type": "function", "name": "add"}, ToolChoice("tool", ("add",))),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "add"}]},
            ToolChoice("allowed", ("add",)),
        ),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "mcp", "server_label": "wiki"}]},
            ToolChoice("allowed", ("wiki",), required=True),
        ),
        # What names cannot say goes as it is.
        ({"type": "custom", "name": "add"}, None),
        ({"type": "mcp", "server_label": "wiki", "name": "ask"}, None),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp", "name": "a", "server_label": "b"}]}, None),
    ],
)
def test_tool_choice(value, choice):
    found = read(tools=[ADD, WIKI], tool_choice=value)
    assert found.tool_choice == (choice or ToolChoice("tool", definition=value))
    assert WIRE.encode(found).body["tool_choice"] == value


def with_input(*items: Any) -> dict[str, Any]:
    return {"model": "m", "input": list(items)}


CALLED = {"type": "function_call", "call_id": "1", "name": "a", "arguments": "{}"}


@pytest.mark.parametrize(
    "body, said",
    [
        ([], "The body must be an object"),
        ({"input": []}, "model must be a string, not null"),
        ({"model": "m"}, "input must be a string or a list of items, not null"),
        ({"model": "m", "input": 3}, "input must be a list, not 3"),
        (with_input("Hi"), "input[0] must be an object, not 'Hi'"),
        (with_input({}), "input[0].role must be a string"),
        (with_input({"role": "tool", "content": ""}), "input[0].role must be one of user, assistant"),
        (with_input({"role": "user"}), "input[0].content must be a string or a list of parts"),
        (with_input({"role": "user", "content": "", "mood": 1}), "input[0].mood: a message has no such key"),
        (with_input({"role": "assistant", "content": None}), "input[0].content must be a string or a list of parts"),
        (with_input({"role": "assistant", "content": [{"type": "input_text"}]}), "input[0].content[0] must be an outp"),
        (with_input({"type": 3}), "input[0].type must be a string"),
        (with_input({"type": "input_text", "text": "a"}), "input[0].type: 'input_text' is a part of a message"),
        (with_input({"type": "reasoning", "summary": []}), "input[0].id must be a string"),
        (with_input({"type": "reasoning", "id": "rs_1"}), "input[0].summary must be a list"),
        (with_input({**CALLED, "arguments": {}}), "input[0].arguments must be a string, not {}"),
        (with_input({**CALLED, "call_id": None}), "input[0].call_id must be a string, not null"),
        (with_input({"type": "custom_tool_call", "name": "a"}), "input[0].call_id must be a string"),
        (with_input({"type": "function_call_output", "output": ""}), "input[0].call_id must be a string"),
        (with_input({"type": "function_call_output", "call_id": "1"}), "input[0].output must be a string or a list"),
        ({**HELLO, "stream": "yes"}, "stream must be true or false, not 'yes'"),
        ({**HELLO, "temperature": "hot"}, "temperature must be a number, not 'hot'"),
        ({**HELLO, "max_output_tokens": True}, "max_output_tokens must be an integer, not True"),
        ({**HELLO, "include": "a"}, "include must be a list of strings"),
        ({**HELLO, "instructions": ["a"]}, "instructions must be a string"),
        ({**HELLO, "reasoning": {"effort": 3}}, "reasoning.effort must be a string, not 3"),
        ({**HELLO, "text": "a"}, "text must be an object"),
        ({**HELLO, "text": {"format": {}}}, "text.format.type must be a string"),
        ({**HELLO, "text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name must be a string"),
        ({**HELLO, "tools": {}}, "tools must be a list, not {}"),
        ({**HELLO, "tools": [{"name": "add"}]}, "tools[0].type must be a string"),
        ({**HELLO, "tools": [{"type": "function", "function": {"name": "a"}}]}, "tools[0].name must be a string"),
        ({**HELLO, "tools": [{"type": "custom", "name": ""}]}, "tools[0].name is empty"),
        ({**HELLO, "tools": [{**ADD, "allowed_callers": [1]}]}, "tools[0].allowed_callers must be a list of strings"),
        ({**HELLO, "tool_choice": "add"}, "tool_choice must be one of none, auto, required or an object"),
        ({**HELLO, "tool_choice": {}}, "tool_choice.type must be a string"),
        ({**HELLO, "tool_choice": {"type": "function"}}, "tool_choice.name must be a string"),
        ({**HELLO, "tool_choice": {"type": "allowed_tools", "tools": [1]}}, "tool_choice.tools[0] must be an object"),
    ],
)
def test_a_malformed_body_is_refused_by_path(body, said):
    with pytest.raises(RequestError) as caught:
        read_request(body)
    assert said in str(caught.value)


BREAKPOINT = "prompt_cache_breakpoint"


@pytest.mark.parametrize(
    "part, said",
    [
        (1, " must be an object"),
        ({}, ".type must be a string"),
        ({"type": "text", "text": "a"}, ".type must be one of input_text, input_image, input_file, not 'text'"),
        ({"type": "input_text"}, ".text must be a string"),
        ({"type": "input_image", "image_url": {"url": "https://a"}}, ".image_url must be a string"),
        ({"type": "input_image"}, " has no data: give it one of"),
        ({"type": "input_file", "filename": "a.pdf"}, " has no data: give it one of"),
        ({"type": "input_text", "text": "a", BREAKPOINT: True}, f".{BREAKPOINT} must be an object"),
        ({"type": "input_text", "text": "a", BREAKPOINT: {}}, f".{BREAKPOINT}.mode must be 'explicit'"),
        (
            {"type": "input_text", "text": "a", BREAKPOINT: {"mode": "explicit", "ttl": "5m"}},
            f".{BREAKPOINT}.ttl must be one of 12h, 30m, not '5m'",
        ),
    ],
)
def test_a_malformed_part_is_refused_by_path(part, said):
    with pytest.raises(RequestError) as caught:
        read({"role": "user", "content": [part]})
    assert f"input[0].content[0]{said}" in str(caught.value)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """The path of every value in a body."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


@given(requests(), JSON, st.data())
@settings(max_examples=150)
def test_a_damaged_body_is_read_or_refused(request, damage, data):
    body = copy.deepcopy(WIRE.encode(request).body)
    path = data.draw(st.sampled_from(list(places(body))))
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = damage
    # No other exception: what is read can be encoded and answered, or is refused by name.
    with contextlib.suppress(RequestError):
        WIRE.encode(read_request(body))
        render_reply(HI, body)


# --- law 1: a reply and its stream say the same -----------------------------------------------------------------------


SQL = {"type": "custom", "name": "sql"}
ASKED = {**STREAMED, "tools": [SQL]}


def streamed(completion: Completion, *, as_text: bool) -> AIMessage:
    decoder = WIRE.stream_decoder(as_text)
    chunks = [chunk for event in render_events(completion, ASKED) for chunk in decoder.feed(event)]
    chunks.extend(decoder.end())
    decoder.close()
    return add_ai_message_chunks(chunks[0], *chunks[1:])


def whole(completion: Completion) -> AIMessage:
    (found,) = WIRE.decode(render_reply(completion, ASKED))
    return found


def of_type(completion: Completion, *kinds: str) -> list[dict[str, Any]]:
    return [block for block in completion.blocks if block["type"] in kinds]


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


# --- the reply --------------------------------------------------------------------------------------------------------


TOKENS = Tokens(uncached=10, cache_read=5, output=3, reasoning=1)
HI = Completion("resp_1", "gpt-test-1", (text("Hi there"),), tokens=TOKENS, created=7)
IMAGES = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "total_tokens": 0,
}


def test_a_whole_reply():
    assert render_reply(HI, HELLO) == {
        "id": "resp_1",
        "object": "response",
        "created_at": 7,
        "status": "completed",
        "background": False,
        "billing": {"payer": "developer"},
        "completed_at": 7,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "model": "gpt-test-1",
        "moderation": None,
        "output": [
            {
                "id": "msg_100",
                "type": "message",
                "status": "completed",
                "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hi there"}],
                "role": "assistant",
            }
        ],
        "parallel_tool_calls": True,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "prompt_cache_retention": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tool_usage": {"image_gen": IMAGES, "web_search": {"num_requests": 0}},
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 15,
            "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 1},
            "total_tokens": 18,
        },
        "user": None,
    }


def output_of(*blocks: dict[str, Any], body: dict[str, Any] = HELLO) -> list[dict[str, Any]]:
    return render_reply(Completion("resp_1", "m", blocks), body)["output"]


def test_calls_have_ids_and_compact_arguments():
    nameless = {**call("add", {"a": [1, "é"]}), "id": None, "extras": {"namespace": "maths"}}
    assert output_of(nameless, call("sql", {"__arg1": "SELECT 1"}), body=ASKED) == [
        {
            "id": "fc_100",
            "type": "function_call",
            "status": "completed",
            "arguments": '{"a":[1,"é"]}',
            "call_id": "call_100",
            "name": "add",
            "namespace": "maths",
        },
        {
            "id": "ctc_101",
            "type": "custom_tool_call",
            "status": "completed",
            "call_id": "call_1",
            "input": "SELECT 1",
            "name": "sql",
        },
    ]


def test_reasoning_of_one_id_is_one_item():
    extras = {"encrypted_content": "x", "signature": "s"}
    first = {"type": "reasoning", "reasoning": "a", "id": "rs_9", "extras": extras}
    thoughts = [first, {"type": "reasoning", "reasoning": "b", "id": "rs_9"}, {"type": "reasoning", "reasoning": ""}]
    summary = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
    assert output_of(*thoughts) == [
        {"id": "rs_9", "type": "reasoning", "summary": summary, "encrypted_content": "x"},
        {"id": "rs_101", "type": "reasoning", "summary": []},
    ]


def test_texts_and_refusals_are_parts_of_one_message():
    commentary = text("a", phase="commentary")
    (first, second) = output_of(commentary, text("b"), {"type": "refusal", "refusal": "No."})
    assert (first["id"], first["phase"], len(first["content"])) == ("msg_100", "commentary", 1)
    assert (second["id"], "phase" in second) == ("msg_101", False)
    assert [part["type"] for part in second["content"]] == ["output_text", "refusal"]


def test_citations():
    web = {"type": "citation", "url": "u", "title": "t", "start_index": 1, "end_index": 2, "cited_text": "b"}
    file = {"type": "citation", "title": "a.txt", "extras": {"file_id": "file-1", "file_index": 3}}
    bare = {"type": "citation", "url": "v"}
    (item,) = output_of(text("abc", annotations=[web, bare, file, {"type": "citation"}]))
    assert item["content"][0]["annotations"] == [
        {"type": "url_citation", "url": "u", "title": "t", "start_index": 1, "end_index": 2},
        {"type": "url_citation", "url": "v", "title": "", "start_index": 0, "end_index": 0},
        {"type": "file_citation", "file_id": "file-1", "filename": "a.txt", "index": 3},
    ]


def test_items_of_server_tools():
    search = {"type": "server_tool_call", "id": "ws_1", "name": "web_search", "args": {"type": "search", "query": "a"}}
    found = {"type": "server_tool_result", "tool_call_id": "ws_1", "status": "success", "output": {"sources": [1]}}
    unknown = {"type": "server_tool_call", "id": "srvtoolu_1", "name": "web_fetch", "args": {}}
    image = native({"type": "image_generation_call", "status": "completed", "result": "AA=="})
    reply = render_reply(Completion("resp_1", "m", (search, found, unknown, image)), HELLO)
    action = {"type": "search", "query": "a", "sources": [1]}
    assert reply["output"] == [
        {"type": "web_search_call", "id": "ws_1", "action": action, "status": "completed"},
        {"type": "image_generation_call", "status": "completed", "result": "AA==", "id": "ig_101"},
    ]
    assert reply["tool_usage"]["web_search"] == {"num_requests": 1}


def test_what_the_api_cannot_answer():
    for block in ({"type": "image", "url": "u"}, native({"id": "x"})):
        with pytest.raises(UnsupportedContentError, match="cannot answer with a"):
            output_of(block)


@pytest.mark.parametrize(
    "reason, status, detail",
    [
        ("stop", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
        ("refusal", "incomplete", {"reason": "content_filter"}),
        ("pause", "incomplete", {"reason": "max_messages"}),
        ("error", "failed", None),
    ],
)
def test_status(reason, status, detail):
    completion = Completion("resp_1", "m", (text("Hi"),), reason, created=7)
    reply = render_reply(completion, HELLO)
    assert (reply["status"], reply["incomplete_details"]) == (status, detail)
    assert reply["output"][0]["status"] == ("completed" if status == "completed" else "incomplete")
    assert (reply["completed_at"], reply["error"] is None) == (7 if reason == "stop" else None, reason != "error")
    assert list(render_events(completion, STREAMED))[-1]["type"] == f"response.{status}"


def test_the_request_is_repeated():
    body = {
        **HELLO,
        "temperature": 0.5,
        "service_tier": "flex",
        "conversation": "conv_1",
        "prompt_cache_options": {"mode": "explicit"},
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "Sum", "schema": {}}},
        "tools": [ADD, {**WIKI, "authorization": "secret"}, {"type": "tool_search"}],
        "truncation": None,
    }
    reply = render_reply(HI, body)
    assert {key: reply[key] for key in body if key not in ("model", "input")} == {
        "temperature": 0.5,
        "service_tier": "flex",
        "conversation": {"id": "conv_1"},
        "prompt_cache_options": {"mode": "explicit"},
        "reasoning": {"effort": "low", "summary": None},
        "text": {
            "format": {"type": "json_schema", "description": None, "name": "Sum", "schema": {}, "strict": False},
            "verbosity": "medium",
        },
        "tools": [
            {**ADD, "description": None, "output_schema": None},
            {
                **WIKI,
                "allowed_tools": None,
                "authorization": "REDACTED",
                "headers": None,
                "server_description": None,
            },
            {"type": "tool_search", "description": None, "parameters": None},
        ],
        "truncation": "disabled",
    }


def test_both_kinds_of_cache_writes():
    tokens = Tokens(cache_write_short=3, cache_write_long=4)
    usage = render_reply(Completion("resp_1", "m", (), tokens=tokens), HELLO)["usage"]
    assert usage["input_tokens_details"] == {
        "cached_tokens": 0,
        "cache_write_tokens": 7,
        "cache_write_tokens_details": {"ttl_30m_tokens": 3, "ttl_12h_tokens": 4},
    }


# --- the stream -------------------------------------------------------------------------------------------------------


def events_of(*blocks: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    body = {**ASKED, "stream_options": {"include_obfuscation": False}, **more}
    return list(render_events(Completion("resp_1", "m", blocks, tokens=TOKENS, created=7), body))


def told(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events between the first and the last ones, without their numbers."""
    return [
        {key: value for key, value in event.items() if key != "sequence_number"}
        for event in events
        if "response" not in event
    ]


def test_the_events_of_a_text():
    note = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 2}
    events = events_of(text("Hi there", annotations=[{**note, "type": "citation"}]))
    at = {"item_id": "msg_100", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "annotations": [note], "logprobs": [], "text": "Hi there"}
    item = {"id": "msg_100", "type": "message", "status": "completed", "content": [part], "role": "assistant"}
    assert told(events) == [
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **at, "part": {**part, "text": "", "annotations": []}},
        {"type": "response.output_text.delta", **at, "delta": "Hi", "logprobs": []},
        {"type": "response.output_text.delta", **at, "delta": " there", "logprobs": []},
        {"type": "response.output_text.annotation.added", **at, "annotation_index": 0, "annotation": note},
        {"type": "response.output_text.done", **at, "text": "Hi there", "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_the_events_around_the_items():
    first, second, *_, last = events_of(text("Hi"))
    assert [event["type"] for event in (first, second, last)] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]
    reply = render_reply(Completion("resp_1", "m", (text("Hi"),), tokens=TOKENS, created=7), ASKED)
    del reply["billing"]
    assert last["response"] == reply
    unsaid = {"status": "in_progress", "completed_at": None, "output": [], "usage": None, "service_tier": "auto"}
    assert first["response"] == second["response"] == {**reply, **unsaid}


def test_a_background_answer_is_queued_first():
    events = [event for event in events_of(background=True) if "response" in event]
    assert [(event["type"], event["response"]["status"]) for event in events] == [
        ("response.created", "queued"),
        ("response.queued", "queued"),
        ("response.in_progress", "in_progress"),
        ("response.completed", "completed"),
    ]


def test_the_events_of_calls():
    events = told(events_of(call("add", {"a": 1234567}), call("sql", {"__arg1": "SELECT 1"}, 2)))
    function = {"id": "fc_100", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "add"}
    custom = {"id": "ctc_101", "type": "custom_tool_call", "status": "completed", "call_id": "call_2", "name": "sql"}
    first, second = {"item_id": "fc_100", "output_index": 0}, {"item_id": "ctc_101", "output_index": 1}
    assert events == [
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**function, "status": "in_progress", "arguments": ""},
        },
        {"type": "response.function_call_arguments.delta", **first, "delta": '{"a":1234567'},
        {"type": "response.function_call_arguments.delta", **first, "delta": "}"},
        {"type": "response.function_call_arguments.done", **first, "arguments": '{"a":1234567}'},
        {"type": "response.output_item.done", "output_index": 0, "item": {**function, "arguments": '{"a":1234567}'}},
        {
            "type": "response.output_item.added",
            "output_index": 1,
            "item": {**custom, "status": "in_progress", "input": ""},
        },
        {"type": "response.custom_tool_call_input.delta", **second, "delta": "SELECT 1"},
        {"type": "response.custom_tool_call_input.done", **second, "input": "SELECT 1"},
        {"type": "response.output_item.done", "output_index": 1, "item": {**custom, "input": "SELECT 1"}},
    ]


def test_the_events_of_reasoning_and_refusal():
    events = told(events_of({"type": "reasoning", "reasoning": "a b"}, {"type": "refusal", "refusal": "No."}))
    assert [(event["type"].removeprefix("response."), event.get("delta")) for event in events] == [
        ("output_item.added", None),
        ("reasoning_summary_part.added", None),
        ("reasoning_summary_text.delta", "a"),
        ("reasoning_summary_text.delta", " b"),
        ("reasoning_summary_text.done", None),
        ("reasoning_summary_part.done", None),
        ("output_item.done", None),
        ("output_item.added", None),
        ("content_part.added", None),
        ("refusal.delta", "No."),
        ("refusal.done", None),
        ("content_part.done", None),
        ("output_item.done", None),
    ]


def test_pieces_and_their_padding_have_one_size():
    deltas = [event for event in render_events(HI, STREAMED) if event["type"].endswith(".delta")]
    assert {len(event["obfuscation"]) + len(event["delta"]) for event in deltas} == {16}
    assert not any("obfuscation" in event for event in events_of(text("Hi there")))


# --- fidelity ---------------------------------------------------------------------------------------------------------


WEB_SEARCH = native({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}})
SAMPLES = [
    Completion("resp_1", "m", blocks, reason, TOKENS)
    for blocks, reason in [
        ((text("Hello there, friend", phase="final_answer"),), "stop"),
        ((text("Hello there, friend"),), "stop"),
        ((text("Hello"),), "length"),
        ((call("add", {"a": 1}), call("add", {"a": 2}, 2)), "tool_calls"),
        (({**call("add", {}), "extras": {"namespace": "maths"}},), "tool_calls"),
        (({"type": "reasoning", "reasoning": "Hm.", "extras": {"encrypted_content": "x"}}, text("Hello")), "stop"),
        ((WEB_SEARCH, text("See.", annotations=[{"type": "citation", "url": "u", "title": "t"}])), "stop"),
    ]
]


def shapes(value: Any, name: str) -> Iterable[tuple[str, frozenset[str]]]:
    """The key sets of every object in a reply or event, each with its type or the path it stands under.

    What is the caller's own (a schema, metadata) or the model's (an action) has any keys.
    """
    if isinstance(value, dict):
        name = value["type"] if isinstance(value.get("type"), str) else name
        yield name, frozenset(value)
        for key, item in value.items():
            if key not in ("parameters", "schema", "action", "metadata", "tools"):
                yield from shapes(item, f"{name}.{key}")
    if isinstance(value, list):
        for item in value:
            yield from shapes(item, f"{name}[]")


BODIES = [
    HELLO,
    {**HELLO, "reasoning": {"context": "all_turns", "mode": "pro"}, "text": {"format": {"type": "json_object"}}},
    {**HELLO, "text": {"format": {"type": "json_schema", "name": "a", "schema": {}, "strict": True}}},
]


@needs_corpus
def test_a_reply_has_the_keys_of_recent_recordings():
    recorded = [(found["request"]["body"], found["response"]["body"]) for found in replies(ENDPOINT)]
    # The reply that is only queued does not say yet who pays.
    newest = {
        frozenset(reply) - {"conversation", "prompt_cache_options"}
        for _, reply in recorded
        if reply["model"].startswith("gpt-5.6") and reply["status"] != "queued"
    }
    assert {frozenset(render_reply(sample, body)) for sample in SAMPLES for body in BODIES} == newest
    known = {shape for _, reply in recorded for shape in shapes(reply, "reply")}
    produced = {shape for sample in SAMPLES for body in BODIES for shape in shapes(render_reply(sample, body), "reply")}
    assert produced <= known
    # Of the kinds of objects that both know, these forms are of older models, or of requests that are not made here.
    kinds = {name for name, _ in produced}
    missing = {(name, keys) for name, keys in known - produced if name in kinds and name != "reply"}
    assert missing == {
        ("reasoning", frozenset({"id", "summary", "type"})),
        ("reasoning", frozenset({"content", "encrypted_content", "id", "summary", "type"})),
        ("output_text", frozenset({"annotations", "text", "type"})),
        ("reply.text", frozenset({"format"})),
        ("reply.reasoning", frozenset({"effort", "generate_summary"})),
        ("reply.usage.input_tokens_details", frozenset({"cached_tokens"})),
    }


@needs_corpus
def test_events_have_the_keys_of_recordings():
    recorded = [event for found in streams(ENDPOINT) for event in sse_events(found["response"]["sse"])]
    known = {shape for event in recorded if "response" not in event for shape in shapes(event, "")}
    events = [event for sample in SAMPLES for event in render_events(sample, STREAMED)]
    produced = {shape for event in events if "response" not in event for shape in shapes(event, "")}
    # No summary was recorded as a stream.
    unseen = {shape for shape in produced if "summary" in shape[0]}
    assert produced - unseen <= known
    kinds = {name for name, _ in produced}
    # The padding of a few older streams was switched off.
    delta = {"content_index", "delta", "item_id", "logprobs", "output_index", "sequence_number", "type"}
    assert {(name, keys) for name, keys in known - produced if name in kinds} == {
        ("response.output_text.delta", frozenset(delta))
    }


@needs_corpus
def test_events_come_in_the_recorded_order():
    def order(events: Iterable[dict[str, Any]]) -> tuple[str, ...]:
        """The types, repeated ones once."""
        found: list[str] = []
        for event in events:
            if not found or found[-1] != event["type"]:
                found.append(event["type"])
        return tuple(found)

    recorded = {order(sse_events(found["response"]["sse"])) for found in streams(ENDPOINT)}
    unseen = [sample for sample in SAMPLES if order(render_events(sample, STREAMED)) not in recorded]
    assert [[block["type"] for block in sample.blocks] for sample in unseen] == [["reasoning", "text"]]


@needs_corpus
def test_a_streamed_reply_has_the_keys_of_recordings():
    """The streams are older than the newest replies: what came since, `tool_usage`, is in no recorded one."""
    recorded = {
        event["type"]: event["response"]
        for found in streams(ENDPOINT)
        if found["request"]["body"]["model"].startswith("gpt-5.4")
        for event in sse_events(found["response"]["sse"])
        if "response" in event
    }
    rendered = {event["type"]: event["response"] for event in render_events(HI, STREAMED) if "response" in event}
    assert recorded.keys() == rendered.keys()
    for kind, reply in rendered.items():
        assert reply.keys() - {"tool_usage"} == recorded[kind].keys()


# The model's own defaults, and what the API did.
OWN = {"model", "id", "output", "usage", "created_at", "completed_at", "tool_usage", "billing", "moderation"}
OWN |= {"reasoning", "top_p", "prompt_cache_retention", "tools"}


@needs_corpus
def test_requests_are_repeated_as_recorded():
    """In the newest replies: those that count the uses of tools."""
    newest = [found for found in replies(ENDPOINT) if "tool_usage" in found["response"]["body"]]
    finished = [found for found in newest if found["response"]["body"]["status"] == "completed"]
    for found in finished:
        reply, recorded = render_reply(HI, found["request"]["body"]), found["response"]["body"]
        assert {key: reply[key] for key in reply if key not in OWN} == {
            key: recorded[key] for key in recorded if key not in OWN
        }, found["id"]
    assert len(finished) == 34


def by_name(tools: list[dict[str, Any]]) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {(tool["type"], tool.get("name", tool.get("server_label"))): tool for tool in tools}


@needs_corpus
def test_tools_are_repeated_as_recorded():
    """Tools to search for are left out: the API groups them anew."""
    same: Counter[str] = Counter()
    other = []
    answered = [(found, found["response"]["body"]) for found in replies(ENDPOINT)]
    answered += [(found, sse_events(found["response"]["sse"])[-1]["response"]) for found in streams(ENDPOINT)]
    for found, reply in answered:
        repeated = render_reply(HI, found["request"]["body"])["tools"]
        ours = by_name([tool for tool in repeated if "defer_loading" not in tool])
        recorded = by_name(reply["tools"])
        for key in ours.keys() & recorded.keys():
            # Until July 2026 a function did not say that it has no `output_schema`.
            older = {"output_schema"} - recorded[key].keys()
            if {name: value for name, value in ours[key].items() if name not in older} == recorded[key]:
                same[key[0]] += 1
            else:
                other.append(key[0])
    assert same == {
        "function": 253,
        "tool_search": 27,
        "web_search": 13,
        "image_generation": 8,
        "mcp": 4,
        "code_interpreter": 4,
        "file_search": 1,
    }
    # An empty description became none, a picture got a model, a path was redacted, what a namespace holds is not looked
    # into, and the recording of three requests, not of their streams, changed a dash.
    assert Counter(other) == {"function": 2, "image_generation": 1, "mcp": 1, "namespace": 1, "tool_search": 3}


EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
OTHERS = [
    Completion("resp_1", "m", ({"type": "refusal", "refusal": "No."}, call("sql", {"__arg1": "SELECT 1"}))),
    Completion("resp_1", "m", (text("Hi"),), "error"),
]


# The SDK wants an action in a web search that has just begun, where the API has none.
@pytest.mark.parametrize("sample", [*SAMPLES[:-1], *OTHERS])
def test_the_sdk_takes_what_is_rendered(sample):
    reply = Response.model_validate(render_reply(sample, ASKED))
    events = [EVENT.validate_python(event) for event in render_events(sample, ASKED)]
    assert reply.output_text == "".join(
        event.delta for event in events if event.type == "response.output_text.delta"
    )
    assert events[-1].response.usage == reply.usage
