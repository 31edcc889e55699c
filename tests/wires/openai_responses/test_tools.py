"""The Responses wire: tools and the choice of a tool."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import ToolChoice, ToolSpec
from langchain_unified.tools.choice import parse_tool_choice
from langchain_unified.tools.specs import tool_specs
from tests.wires.openai_responses.helpers import MCP, body, encode, refused


def tools(*definitions: Any) -> list[dict[str, Any]]:
    return body(HumanMessage("hi"), tools=tool_specs(definitions))["tools"]


def test_functions():
    properties = {"a": {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "required": ["a"], "additionalProperties": False}
    chat = {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema, "strict": True}}
    claude = {"name": "g", "input_schema": schema, "defer_loading": True}
    assert tools(chat, claude, ToolSpec("h", options={"async": True})) == [
        {"type": "function", "name": "f", "description": "d", "parameters": schema, "strict": True},
        {"type": "function", "name": "g", "parameters": schema, "defer_loading": True},
        {"type": "function", "name": "h", "parameters": {"type": "object", "properties": {}}, "async": True},
    ]


@pytest.mark.parametrize("place", ["root", "nested", "open"])
def test_optional_properties_need_strict_false_which_is_listed(place: str):
    optional = {"type": "object", "properties": {"b": {"type": "string"}}}
    parameters = {
        "root": optional,
        "nested": {"type": "object", "properties": {"a": {"type": "array", "items": optional}}, "required": ["a"]},
        "open": {"type": "object", "properties": {}, "additionalProperties": True},
    }[place]
    encoded = encode(HumanMessage("hi"), tools=(ToolSpec("f", parameters=parameters),))
    assert encoded.body["tools"][0]["strict"] is False
    assert [(item["what"], item["lossless"]) for item in encoded.adjustments] == [("strict of the tool 'f'", True)]


@pytest.mark.parametrize("strict", [True, False])
def test_strict_as_the_caller_gives_it(strict: bool):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    (found,) = body(HumanMessage("hi"), tools=(ToolSpec("f", parameters=schema, strict=strict),))["tools"]
    assert found["strict"] is strict


def test_custom_and_builtin_tools(oracle):
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}}
    custom = {"type": "custom", "custom": {"name": "c", "description": "d", "format": grammar}}
    builtin = [
        {"type": "web_search"}, {"type": "web_search_2025_08_26"}, {"type": "web_search_preview_2025_03_11"},
        {"type": "code_interpreter", "container": {"type": "auto"}}, {"type": "shell"}, {"type": "apply_patch"},
        {"type": "mcp", "server_label": "deep", "server_url": "https://a.b"}, {"type": "image_generation"},
        {"type": "tool_search"}, {"type": "computer"},
    ]  # fmt: skip
    found = body(HumanMessage("hi"), tools=tool_specs([custom, *builtin]))
    assert found["tools"] == [
        {"type": "custom", "name": "c", "description": "d",
         "format": {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}},
        *builtin,
    ]  # fmt: skip
    assert oracle.validate("responses", found) == []
    assert tools({"type": "hologram", "beam": 1}) == [{"type": "hologram", "beam": 1}]


@pytest.mark.parametrize(
    "kind,remedy",
    [
        ("web_search_20250305", "web_search"),
        ("web_fetch_20260318", "web_search"),
        ("bash_20250124", "shell"),
        ("text_editor_20250728", "apply_patch"),
        ("computer_20241022", "computer"),
        ("computer_toolset_20260801", "computer"),
        ("browser_toolset_20260801", "computer"),
        ("code_execution_20260521", "code_interpreter"),
        ("memory_20250818", "function"),
        ("advisor_20260301", "no such tool"),
        ("mcp_toolset", "server_label"),
        ("tool_search_tool_bm25_20251119", "tool_search"),
        ("tool_search_tool_regex", "tool_search"),
    ],
)
def test_anthropics_tools_are_refused_by_name(kind, remedy):
    with pytest.raises(InvalidToolError, match=remedy) as caught:
        tools({"type": kind, "name": "x"})
    assert kind in str(caught.value)


def test_options_that_have_no_place_are_named():
    options = {"input_examples": [{}], "allowed_callers": ["code_execution_20250825"], "output_schema": {}}
    spec = ToolSpec("f", options=options)
    assert refused(tools=(spec,)) == ["input_examples of the tool 'f'", "allowed_callers of the tool 'f'"]
    taken = ToolSpec("f", options={"allowed_callers": ["programmatic"]})
    assert body(HumanMessage("x"), tools=(taken,))["tools"][0]["allowed_callers"] == ["programmatic"]


@pytest.mark.parametrize(
    "choice,wanted",
    [
        ("auto", "auto"),
        ("any", "required"),
        ("none", "none"),
        ("f", {"type": "function", "name": "f"}),
        ("c", {"type": "custom", "name": "c"}),
        ("code_interpreter", {"type": "code_interpreter"}),
        ("web_search", {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}),
        ("deep", {"type": "mcp", "server_label": "deep"}),
        (
            {"type": "mcp", "server_label": "deep", "name": "ask"},
            {"type": "mcp", "server_label": "deep", "name": "ask"},
        ),
        (
            ["f", "c", "deep", "web_search"],
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [
                    {"type": "function", "name": "f"},
                    {"type": "custom", "name": "c"},
                    {"type": "mcp", "server_label": "deep"},
                    {"type": "web_search"},
                ],
            },
        ),
        (ToolChoice("allowed", ("f",), required=True),
         {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}),
    ],
)  # fmt: skip
def test_tool_choice(choice, wanted):
    specs = tool_specs(
        [
            ToolSpec("f"),
            {"type": "custom", "name": "c"},
            {"type": "code_interpreter", "container": {"type": "auto"}},
            {"type": "web_search"},
            MCP,
        ]
    )
    assert body(HumanMessage("hi"), tools=specs, tool_choice=parse_tool_choice(choice, specs))["tool_choice"] == wanted
