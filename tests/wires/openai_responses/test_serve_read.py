"""Responses, the server side: bodies that are read."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.errors import RequestError
from langchain_unified.request import OutputFormat, Request, ToolChoice, ToolSpec, Turn
from langchain_unified.wires.openai_responses import WIRE
from langchain_unified.wires.openai_responses.serve import read_request
from tests.support.completions import call, text
from tests.wires.openai_responses.serve_helpers import ADD, HELLO, WIKI, native, plain


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
