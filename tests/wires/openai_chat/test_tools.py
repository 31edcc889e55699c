"""The Chat Completions wire: tools, the choice of a tool, and output formats."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import OutputFormat, ToolChoice, ToolSpec
from langchain_unified.wires.openai_chat import WIRE
from tests.wires.openai_chat.helpers import ADD, SCHEMA, SQL, body, request


def test_tools(oracle):
    native = ToolSpec("raw", kind="native", definition={"type": "function", "function": {"name": "raw"}})
    found = body(HumanMessage("Hi"), tools=(ADD, ToolSpec("now"), SQL, native))
    assert found["tools"] == [
        {"type": "function", "function": {"name": "add", "description": "Adds", "parameters": SCHEMA, "strict": True}},
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
        {"type": "custom", "custom": {"name": "sql", "description": "Runs it", "format": {"type": "text"}}},
        {"type": "function", "function": {"name": "raw"}},
    ]
    assert oracle.validate("chat", found) == []


def test_tool_options_of_other_apis_are_named():
    found = WIRE.encode(request(HumanMessage("Hi"), tools=(ToolSpec("add", options={"defer_loading": True}),)))
    assert [note["what"] for note in found.adjustments] == ["defer_loading of tool 'add'"]


@pytest.mark.parametrize(
    "kind, remedy",
    [
        ("web_search", "Responses API"),
        ("mcp", "Responses API"),
        ("web_search_20260318", "Anthropic"),
        ("mcp_toolset", "Anthr"),
    ],
)
def test_a_tool_of_another_api_is_refused(kind, remedy):
    with pytest.raises(InvalidToolError, match=f"{kind}.*{remedy}"):
        body(HumanMessage("Hi"), tools=(ToolSpec(kind, kind="native", definition={"type": kind}),))


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a" * 65, "ä"])
def test_a_tool_name_that_openai_refuses(name):
    with pytest.raises(InvalidToolError, match="letters, digits"):
        body(HumanMessage("Hi"), tools=(ToolSpec(name),))


@pytest.mark.parametrize(
    "choice, wanted",
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("any"), "required"),
        (ToolChoice("tool", ("add",)), {"type": "function", "function": {"name": "add"}}),
        (ToolChoice("tool", ("sql",)), {"type": "custom", "custom": {"name": "sql"}}),
        (
            ToolChoice("allowed", ("add", "sql"), required=True),
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [
                        {"type": "function", "function": {"name": "add"}},
                        {"type": "custom", "custom": {"name": "sql"}},
                    ],
                },
            },
        ),
        (
            ToolChoice("auto", definition={"type": "function", "function": {"name": "x"}}),
            {"type": "function", "function": {"name": "x"}},
        ),
    ],
)
def test_tool_choice(oracle, choice, wanted):
    found = body(HumanMessage("Hi"), tools=(ADD, SQL), tool_choice=choice)
    assert found["tool_choice"] == wanted
    assert oracle.validate("chat", found) == []


def test_tool_choice_without_its_tool():
    assert "tool_choice" not in body(HumanMessage("Hi"), tool_choice=ToolChoice("auto"))
    with pytest.raises(InvalidToolError, match="no tools"):
        body(HumanMessage("Hi"), tool_choice=ToolChoice("any"))
    with pytest.raises(InvalidToolError, match="no tools"):
        body(HumanMessage("Hi"), tool_choice=ToolChoice("allowed", ("add",), required=True))
    with pytest.raises(InvalidToolError, match=r"'mul'.*'add'"):
        body(HumanMessage("Hi"), tools=(ADD,), tool_choice=ToolChoice("tool", ("mul",)))


@pytest.mark.parametrize(
    "output, wanted",
    [
        (OutputFormat("text"), {"type": "text"}),
        (OutputFormat("json_object"), {"type": "json_object"}),
        (
            OutputFormat("json_schema", schema=SCHEMA, name="Sum", description="D", strict=True),
            {
                "type": "json_schema",
                "json_schema": {"name": "Sum", "schema": SCHEMA, "description": "D", "strict": True},
            },
        ),
        (
            OutputFormat("json_schema", schema=SCHEMA),
            {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA}},
        ),
    ],
)
def test_output_format(oracle, output, wanted):
    found = body(HumanMessage("Hi"), output=output)
    assert found["response_format"] == wanted
    assert oracle.validate("chat", found) == []
