"""Chat Completions, the server side: bodies that are read."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.errors import RequestError
from langchain_unified.request import OutputFormat, Request, ToolChoice, ToolSpec, Turn
from langchain_unified.wires.openai_chat import WIRE
from langchain_unified.wires.openai_chat.serve import read_request
from tests.support.completions import call, text
from tests.wires.openai_chat.serve_helpers import HELLO


def read(*messages: dict[str, Any], **more: Any) -> Request:
    return read_request({"model": "gpt-test", "messages": list(messages), **more})


def test_a_conversation():
    found = read(
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "1+1?"}], "name": "ann"},
        {
            "role": "assistant",
            "content": None,
            "refusal": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
                {"id": "call_2", "type": "function", "function": {"name": "add", "arguments": '{"a": '}},
                {"id": "call_3", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "2"},
        {"role": "assistant", "content": "2", "audio": {"id": "audio_1"}},
    )
    assert found.turns == (
        Turn("developer", (text("Be brief."),)),
        Turn("user", (text("1+1?"),), name="ann"),
        Turn(
            "assistant",
            (
                call("add", {"a": 1}),
                {"type": "invalid_tool_call", "id": "call_2", "name": "add", "args": '{"a": '},
                call("sql", {"__arg1": "SELECT 1"}, 3),
            ),
        ),
        Turn("tool", (text("2"),), tool_call_id="call_1"),
        Turn("assistant", (text("2"), {"type": "native", "value": {"type": "audio", "id": "audio_1"}})),
    )
    assert [turn.position for turn in found.turns] == [0, 1, 2, 3, 4]
    assert {turn.origin for turn in found.turns} == {None}


def test_parts():
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": None}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
        {"type": "file", "file": {"file_id": "file-1"}, "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}},
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "b", "flavour": 1},
        {"type": "image_url", "image_url": {"url": "data:;base64,AA=="}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png", "tint": 1}},
        {"type": "hologram"},
    ]
    assert read({"role": "user", "content": parts}).turns[0].blocks == (
        {"type": "image", "base64": "AA==", "mime_type": "image/png"},
        {"type": "image", "url": "https://a/b.png", "detail": "low"},
        {"type": "audio", "base64": "AA==", "mime_type": "audio/mp3"},
        {"type": "file", "file_id": "file-1", "mark": {"ttl": "12h"}},
        {"type": "text", "text": "a", "mark": {}},
        *({"type": "native", "value": part} for part in parts[5:]),
    )


def test_legacy_functions():
    found = read(
        {"role": "assistant", "content": None, "function_call": {"name": "add", "arguments": "{}"}},
        {"role": "function", "name": "add", "content": "2"},
        functions=[{"name": "add"}],
    )
    assert found.turns[0].blocks == ({"type": "tool_call", "id": "add", "name": "add", "args": {}},)
    assert (found.turns[1].role, found.turns[1].tool_call_id) == ("tool", "add")
    assert found.native == {"functions": [{"name": "add"}]}


def test_echoed_annotations_are_citations_of_the_text():
    cited = {"url": "u", "title": "t", "start_index": 0, "end_index": 1}
    annotations = [{"type": "url_citation", "url_citation": cited}, {"type": "odd"}]
    found = read({"role": "assistant", "content": "a", "annotations": annotations})
    assert found.turns[0].blocks[0]["annotations"] == [
        {"type": "citation", **cited},
        {"type": "non_standard_annotation", "value": {"type": "odd"}},
    ]


def test_parameters_have_one_name():
    found = read(max_tokens=5, stop="END", safety_identifier="me", top_k=3, stream=False, seed=None, best_of=None)
    assert found.params == {"max_tokens": 5, "stop": ["END"]}
    assert (found.native, found.extra_body, found.stream) == (
        {"safety_identifier": "me"},
        {"top_k": 3, "best_of": None},
        False,
    )


@pytest.mark.parametrize(
    "given, output, native",
    [
        ({"type": "json_object"}, OutputFormat("json_object"), {}),
        (
            {"type": "json_schema", "json_schema": {"name": "Sum", "schema": {"type": "object"}, "strict": None}},
            OutputFormat("json_schema", {"type": "object"}, "Sum"),
            {},
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "Sum"}},
            None,
            {"response_format": {"type": "json_schema", "json_schema": {"name": "Sum"}}},
        ),
        ({"type": "text", "length": 9}, None, {"response_format": {"type": "text", "length": 9}}),
        ({"type": "grammar", "grammar": "x"}, None, {"response_format": {"type": "grammar", "grammar": "x"}}),
    ],
)
def test_response_format(given, output, native):
    found = read(response_format=given)
    assert (found.output, found.native) == (output, native)
    if output is None:
        assert WIRE.encode(found).body["response_format"] == given


def test_tools_and_choice():
    tools = [
        {"type": "function", "function": {"name": "add", "description": None, "parameters": {"type": "object"}}},
        {"type": "custom", "custom": {"name": "sql", "format": {"type": "text"}}},
        {"type": "function", "function": {"name": "mul", "parameters": {}, "price": 1}},
    ]
    choice = {"type": "function", "function": {"name": "mul"}}
    found = read(tools=tools, tool_choice=choice)
    assert found.tools == (
        ToolSpec("add", parameters={"type": "object"}),
        ToolSpec("sql", "custom", options={"format": {"type": "text"}}),
        ToolSpec("mul", "native", definition=tools[2]),
    )
    assert found.tool_choice == ToolChoice("tool", ("mul",))


FUNCTION = {"type": "function", "function": {"name": "add"}}


@pytest.mark.parametrize(
    "body, said",
    [
        ([], "The body must be an object"),
        ({"messages": []}, "model must be a string, not null"),
        ({"model": "m"}, "messages must be a list, not null"),
        ({"model": "m", "messages": ["Hi"]}, "messages[0] must be an object, not 'Hi'"),
        ({"model": "m", "messages": [{}]}, "messages[0].role must be a string"),
        ({"model": "m", "messages": [{"role": "bot"}]}, "messages[0].role must be one of developer, system"),
        ({"model": "m", "messages": [{"role": "user"}]}, "messages[0].content must be a string or a list of parts"),
        ({"model": "m", "messages": [{"role": "user", "content": "", "mood": 1}]}, "messages[0].mood: a message"),
        ({"model": "m", "messages": [{"role": "user", "content": "", "name": 1}]}, "messages[0].name must be a string"),
        ({"model": "m", "messages": [{"role": "tool", "content": ""}]}, "messages[0].tool_call_id must be a string"),
        ({**HELLO, "stream": "yes"}, "stream must be true or false, not 'yes'"),
        ({**HELLO, "stream_options": True}, "stream_options must be an object"),
        ({**HELLO, "temperature": "hot"}, "temperature must be a number, not 'hot'"),
        ({**HELLO, "stop": [1]}, "stop must be a list of strings"),
        ({**HELLO, "max_tokens": True}, "max_tokens must be an integer, not True"),
        ({**HELLO, "max_tokens": 1, "max_completion_tokens": 1}, "send only one"),
        ({**HELLO, "response_format": {"type": "json_schema"}}, "response_format.json_schema must be an object"),
        (
            {**HELLO, "response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
            "response_format.json_schema.name must be a string",
        ),
        ({**HELLO, "tools": {}}, "tools must be a list, not {}"),
        ({**HELLO, "tools": [{"name": "add"}]}, "tools[0].type must be a string"),
        ({**HELLO, "tools": [{"type": "function"}]}, "tools[0].function must be an object"),
        ({**HELLO, "tools": [{"type": "function", "function": {}}]}, "tools[0].function.name must be a string"),
        ({**HELLO, "tools": [FUNCTION], "tool_choice": "add"}, "tool_choice must be one of none, auto, required"),
        ({**HELLO, "tools": [FUNCTION], "tool_choice": {"type": "function"}}, "tool_choice.function must be an object"),
        (
            {**HELLO, "tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": [1]}}},
            "tool_choice.allowed_tools.tools[0] must be an object",
        ),
        ({**HELLO, "tool_choice": "required"}, "tool_choice: "),
    ],
)
def test_a_malformed_body_is_refused_by_path(body, said):
    with pytest.raises(RequestError) as caught:
        read_request(body)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "content, said",
    [
        ([1], "content[0] must be an object"),
        ([{}], "content[0].type must be a string"),
        ([{"type": "text"}], "content[0].text must be a string"),
        ([{"type": "image_url", "image_url": "https://a"}], "content[0].image_url must be an object"),
        ([{"type": "input_audio", "input_audio": {"data": "AA=="}}], "content[0].input_audio.format must be a string"),
        ([{"type": "file", "file": {}}], "content[0].file has no data"),
        ([{"type": "text", "text": "a", "cache_control": True}], "content[0].cache_control must be an object"),
    ],
)
def test_a_malformed_part_is_refused_by_path(content, said):
    with pytest.raises(RequestError) as caught:
        read({"role": "user", "content": content})
    assert f"messages[0].{said}" in str(caught.value)


@pytest.mark.parametrize(
    "made, said",
    [
        ({"id": "1"}, "tool_calls[0].type must be a string"),
        ({"id": "1", "type": "mcp"}, "tool_calls[0].type must be 'function' or 'custom'"),
        ({"type": "function", "function": {"name": "a", "arguments": "{}"}}, "tool_calls[0].id must be a string"),
        ({"id": "1", "type": "function", "function": {"name": "a", "arguments": {}}}, "function.arguments must be"),
    ],
)
def test_a_malformed_call_is_refused_by_path(made, said):
    with pytest.raises(RequestError) as caught:
        read({"role": "assistant", "tool_calls": [made]})
    assert said in str(caught.value)
