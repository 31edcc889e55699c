"""The Messages wire: tools, the choice of a tool, and structured output."""

from __future__ import annotations

import copy
from typing import Any

import anthropic
import pytest
from langchain_core.messages import HumanMessage

from langchain_unified import ChatAnthropic
from langchain_unified.errors import InvalidToolError
from langchain_unified.request import OutputFormat, Profile, ToolChoice, ToolSpec
from langchain_unified.schemas.anthropic import adapt_schema
from tests.wires.anthropic_messages.helpers import EPHEMERAL, HI, TOOL, encode, whats

# --- tools ------------------------------------------------------------------------------------------------------------


def tools(*specs: ToolSpec, **fields: Any) -> list[dict[str, Any]]:
    return encode(HumanMessage("hi"), tools=specs, **fields).body["tools"]


def test_function_tools():
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    options = {
        "defer_loading": True,
        "allowed_callers": ["direct"],
        "input_examples": [{"x": 1}],
        "eager_input_streaming": True,
    }
    assert tools(ToolSpec("f")) == [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]
    assert tools(
        ToolSpec("f", description="d", parameters=schema, strict=False, options=options, mark={"ttl": "1h"})
    ) == [
        {
            "name": "f",
            "description": "d",
            "input_schema": schema,
            "strict": False,
            **options,
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        }
    ]


def test_strict_tools_have_closed_schemas():
    schema = {"type": "object", "properties": {"x": {"type": "object", "properties": {}}}}
    found = tools(ToolSpec("f", parameters=schema, strict=True))[0]["input_schema"]
    assert found["additionalProperties"] is False
    assert found["properties"]["x"]["additionalProperties"] is False


def test_unknown_option_is_said():
    encoded = encode(HumanMessage("hi"), tools=(ToolSpec("f", options={"async": True}),))
    assert encoded.body["tools"] == [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]
    assert whats(encoded) == ["option 'async' of tool 'f'"]


@pytest.mark.parametrize(
    "spec, match",
    [
        (ToolSpec("a.b"), "'a.b'"),
        (ToolSpec("x" * 129), "1 to 128"),
        (ToolSpec("f", kind="custom"), "one string property"),
        (ToolSpec("w", kind="native", definition={"type": "web_search"}), "web_search_20260209"),
        (ToolSpec("w", kind="native", definition={"type": "web_search_preview"}), "web_search_20260209"),
        (ToolSpec("m", kind="native", definition={"type": "mcp", "server_label": "m"}), "mcp_servers"),
        (ToolSpec("i", kind="native", definition={"type": "image_generation"}), "no such tool"),
    ],
)
def test_tools_that_cannot_go(spec: ToolSpec, match: str):
    with pytest.raises(InvalidToolError, match=match):
        tools(spec)


@pytest.mark.parametrize(
    "kind, beta",
    [
        ("web_search_20260318", None),
        ("code_execution_20260521", None),
        ("bash_20250124", None),
        ("memory_20250818", None),
        ("tool_search_tool_bm25_20251119", None),
        ("computer_toolset_20260801", None),
        ("lathe_20270101", None),
        ("computer_20250124", "computer-use-2025-01-24"),
        ("computer_20251124", "computer-use-2025-11-24"),
        ("advisor_20260301", "advisor-tool-2026-03-01"),
        ("mcp_toolset", "mcp-client-2025-11-20"),
    ],
)
def test_native_tools_flow_through_with_their_beta(kind: str, beta: str | None):
    definition = {"type": kind, "name": "x", "anything": {"a": 1}}
    encoded = encode(HumanMessage("hi"), tools=(ToolSpec("x", kind="native", definition=definition, mark={}),))
    assert encoded.body["tools"] == [{**definition, "cache_control": EPHEMERAL}]
    assert encoded.headers.get("anthropic-beta") == beta


def choice(mode: Any = None, *names: str, profile: Profile | None = None, **fields: Any) -> Any:
    made = ToolChoice(mode, names) if isinstance(mode, str) else mode
    more = {"profile": profile} if profile else {}
    return encode(HumanMessage("hi"), **{"tools": (TOOL,), "tool_choice": made, **more, **fields})


def test_tool_choice():
    for mode in ("auto", "any", "none"):
        assert choice(mode).body["tool_choice"] == {"type": mode}
    assert choice("tool", "f").body["tool_choice"] == {"type": "tool", "name": "f"}
    assert "tool_choice" not in choice().body
    assert "tool_choice" not in choice("auto", tools=()).body
    own = {"type": "tool", "name": "g", "x": 1}
    assert choice(ToolChoice("tool", definition=own)).body["tool_choice"] == own


def test_parallel_calls():
    off = {"params": {"parallel_tool_calls": False}}
    assert choice(**off).body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert choice("any", **off).body["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert choice("none", **off).body["tool_choice"] == {"type": "none"}
    assert "tool_choice" not in choice(params={"parallel_tool_calls": True}).body
    assert "tool_choice" not in choice(tools=(), **off).body


def test_a_narrowed_choice_is_widened_and_said():
    three = (TOOL, ToolSpec("g"), ToolSpec("h"))
    for required, mode in ((False, "auto"), (True, "any")):
        encoded = choice(ToolChoice("allowed", ("f", "g"), required=required), tools=three)
        assert encoded.body["tool_choice"] == {"type": mode}
        assert len(encoded.body["tools"]) == 3
        assert whats(encoded) == ["tool_choice"]


def test_a_forced_call_becomes_auto_where_it_is_refused():
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    for encoded in (choice("any", profile=Profile(forced_tool_choice=False)), choice("tool", "f", params=thinking)):
        assert encoded.body["tool_choice"] == {"type": "auto"}
        assert whats(encoded) == ["tool_choice"]
    # Recorded: adaptive thinking takes a forced call.
    assert choice("any", params={"thinking": {"type": "adaptive"}}).body["tool_choice"] == {"type": "any"}


# --- structured output ------------------------------------------------------------------------------------------------


def test_json_schema():
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    encoded = encode(HumanMessage("hi"), output=OutputFormat("json_schema", schema, name="Answer", strict=True))
    assert encoded.body["output_config"] == {
        "format": {"type": "json_schema", "schema": {**schema, "additionalProperties": False}}
    }
    assert encoded.adjustments == ()


def test_other_formats():
    encoded = encode(HumanMessage("hi"), output=OutputFormat("json_object"))
    assert (encoded.body, whats(encoded)) == (HI, ["response_format json_object"])
    assert encode(HumanMessage("hi"), output=OutputFormat("text")).body == HI


def test_schema_keeps_what_is_enforced_and_tells_the_rest():
    schema = {
        "type": "object",
        "title": "Person",
        "$defs": {"Kind": {"enum": ["a", "b"], "type": "string"}, "P": {"type": "object", "properties": {}}},
        "properties": {
            "title": {"type": "string", "minLength": 1, "description": "A title"},
            "default": {"type": "number", "minimum": 0, "maximum": 1.5, "default": 1},
            "when": {"type": "string", "format": "date"},
            "odd": {"type": "string", "format": "color", "pattern": "^#"},
            "many": {"type": "array", "items": {"$ref": "#/$defs/P", "description": "x"}, "minItems": 2},
            "some": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "either": {"oneOf": [{"type": "string", "maxLength": 2}, {"type": "null"}]},
        },
        "additionalProperties": True,
        "required": ["title"],
    }
    before = copy.deepcopy(schema)
    adapted = adapt_schema(schema)
    assert adapted.schema == {
        "$defs": {
            "Kind": {"type": "string", "enum": ["a", "b"]},
            "P": {"type": "object", "properties": {}, "additionalProperties": False},
        },
        "type": "object",
        "title": "Person",
        "properties": {
            "title": {"type": "string", "description": "A title\n\n{minLength: 1}"},
            "default": {"type": "number", "description": "{minimum: 0, maximum: 1.5, default: 1}"},
            "when": {"type": "string", "format": "date"},
            "odd": {"type": "string", "description": "{pattern: ^#, format: color}"},
            "many": {"type": "array", "items": {"$ref": "#/$defs/P"}, "description": "{minItems: 2}"},
            "some": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "either": {"anyOf": [{"type": "string", "description": "{maxLength: 2}"}, {"type": "null"}]},
        },
        "required": ["title"],
        "additionalProperties": False,
    }
    assert adapted.not_enforced == [
        "additionalProperties of the root", "minLength of title", "minimum of default", "maximum of default",
        "pattern of odd", "format of odd", "minItems of many", "maxLength of either",
    ]  # fmt: skip
    kind = adapted.schema["$defs"]["Kind"]
    del kind["type"]  # the SDK's helper leaves it out beside `enum`
    assert adapted.schema == anthropic.transform_schema(schema)
    assert schema == before


def test_one_list_of_domains_in_the_apis_own_form():
    search = {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a"], "blocked_domains": ["b"]}
    with pytest.raises(InvalidToolError, match="only one of"):
        ChatAnthropic("claude-opus-5", api_key="any").bind_tools([search]).invoke("hi")


def test_more_strict_tools_than_the_api_takes():
    tools = [{"name": f"f{n}", "strict": True, "input_schema": CLOSED} for n in range(22)]
    report = ChatAnthropic("claude-opus-5", api_key="any").bind_tools(tools).check("hi")
    assert [tool.get("strict") for tool in report.body["tools"]] == [True] * 20 + [None] * 2
    assert [item["what"] for item in report.adjustments] == ["strict of tools 'f20', 'f21'"]
    old = ChatAnthropic("claude-3-5-haiku", api_key="any").bind_tools(tools[:1]).check("hi")
    assert "strict" not in old.body["tools"][0]
    assert [item["what"] for item in old.adjustments] == ["strict of tools 'f0'"]


CLOSED = {"type": "object", "properties": {}, "additionalProperties": False}
