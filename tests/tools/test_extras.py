"""What a tool says in its extras, free-form tools, and deferred tools."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.tools import StructuredTool, tool

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject
from tests.tools.helpers import FUNCTION, GPT, SONNET, encode, lost, sent

# --- what a BaseTool says ---------------------------------------------------------------------------------------------


def with_extras(**extras: Any) -> StructuredTool:
    @tool(extras=extras)
    def look_up(order: str) -> str:
        """Look an order up."""
        return order

    assert isinstance(look_up, StructuredTool)
    return look_up


EXTRAS: list[tuple[str, Any]] = [
    ("cache_control", {"type": "ephemeral"}),
    ("allowed_callers", ["direct"]),
    ("input_examples", [{"order": "7"}]),
    ("eager_input_streaming", True),
    ("defer_loading", True),
]


@pytest.mark.parametrize("key, value", EXTRAS)
def test_extras_on_anthropic(oracle, key: str, value: Any):
    """The fields that langchain-anthropic reads."""
    encoded = encode(SONNET, with_extras(**{key: value}), "tool_search")
    assert encoded.body["tools"][0][key] == value
    assert encoded.adjustments == ()
    assert oracle.validate("anthropic", encoded.body) == []


@pytest.mark.parametrize("key", ["defer_loading", "async"])
def test_extras_on_openai(oracle, key: str):
    """The fields that langchain-openai reads."""
    encoded = encode(GPT, with_extras(**{key: True}), "tool_search")
    assert encoded.body["tools"][0][key] is True
    assert encoded.adjustments == ()
    assert oracle.validate("responses", encoded.body) == []
    assert lost(GPT, with_extras(**{key: True}), wire="openai_chat") == [f"{key} of tool 'look_up'"]


def test_extras_that_the_other_provider_has_are_named():
    assert lost(SONNET, with_extras(**{"async": True})) == ["option 'async' of tool 'look_up'"]
    extras = with_extras(input_examples=[{"order": "7"}], eager_input_streaming=True)
    assert lost(GPT, extras) == ["input_examples of the tool 'look_up'", "eager_input_streaming of the tool 'look_up'"]
    marked = with_extras(cache_control={"type": "ephemeral"})
    assert lost(GPT, marked) == ["the prompt-cache mark on the tool 'look_up'"]


def test_a_providers_definition_in_extras_stands_for_the_tool():
    definition = {"type": "memory_20250818", "name": "memory"}
    memory = with_extras(provider_tool_definition=definition, cache_control={"type": "ephemeral"})
    assert sent(SONNET, memory) == [{**definition, "cache_control": {"type": "ephemeral"}}]
    neutral = with_extras(provider_tool_definition={"type": "web_search"})
    assert sent(SONNET, neutral) == [{"type": "web_search_20260209", "name": "web_search"}]
    assert sent(GPT, neutral) == [{"type": "web_search"}]


# --- free-form tools --------------------------------------------------------------------------------------------------

LARK = {"syntax": "lark", "definition": 'start: "a"+'}
REGEX = {"syntax": "regex", "definition": "a+"}


@pytest.mark.parametrize("grammar", [LARK, REGEX], ids=["lark", "regex"])
@pytest.mark.parametrize("nested", [True, False], ids=["as chat has it", "as responses has it"])
def test_grammars_are_written_as_each_wire_has_them(oracle, grammar: JsonObject, nested: bool):
    form = {"type": "grammar", "grammar": grammar} if nested else {"type": "grammar", **grammar}
    custom = {"type": "custom", "name": "sql", "description": "d", "format": form}
    chat = encode(GPT, custom, wire="openai_chat").body
    inner = {"name": "sql", "description": "d", "format": {"type": "grammar", "grammar": grammar}}
    assert chat["tools"] == [{"type": "custom", "custom": inner}]
    responses = encode(GPT, {"type": "custom", "custom": inner}).body
    assert responses["tools"] == [{**custom, "format": {"type": "grammar", **grammar}}]
    assert oracle.validate("chat", chat) == []
    assert oracle.validate("responses", responses) == []


@pytest.mark.parametrize("form", [None, {"type": "text"}, {"type": "grammar", **LARK}])
def test_free_form_tools_are_refused_by_name_on_anthropic(form: Any):
    custom = {"type": "custom", "name": "sql", **({"format": form} if form else {})}
    with pytest.raises(InvalidToolError, match=r"'sql' takes free-form text.*JSON schema"):
        encode(SONNET, custom)


def test_langchains_decorator_makes_a_free_form_tool():
    custom_tool = pytest.importorskip("langchain_openai").custom_tool

    @custom_tool(format={"type": "grammar", **LARK})
    def sql(query: str) -> str:
        """Run it."""
        return query

    assert sent(GPT, sql) == [
        {"type": "custom", "name": "sql", "description": "Run it.", "format": {"type": "grammar", **LARK}}
    ]


# --- deferred tools, and tools called from code -----------------------------------------------------------------------


def test_deferred_tools_and_their_search(oracle):
    deferred = {**FUNCTION, "defer_loading": True}
    claude = encode(SONNET, deferred, "tool_search").body
    assert claude["tools"] == [
        {**FUNCTION, "defer_loading": True},
        {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
    ]
    gpt = encode(GPT, deferred, "tool_search").body
    assert gpt["tools"][0]["defer_loading"] is True
    assert gpt["tools"][1] == {"type": "tool_search"}
    assert oracle.validate("anthropic", claude) == []
    assert oracle.validate("responses", gpt) == []
    with pytest.raises(InvalidToolError, match="all deferred: bind 'tool_search'"):
        encode(SONNET, deferred)


def test_a_mark_on_a_deferred_tool_is_named():
    marked = {**FUNCTION, "defer_loading": True, "cache_control": {"type": "ephemeral"}}
    encoded = encode(SONNET, marked, "tool_search")
    assert "cache_control" not in encoded.body["tools"][0]
    assert [item["what"] for item in encoded.adjustments] == ["the prompt-cache mark on the tool 'f'"]


def test_a_mark_on_a_deferred_tool_stands_on_the_loaded_one_before_it():
    marked = {**FUNCTION, "defer_loading": True, "cache_control": {"type": "ephemeral"}}
    tools = sent(SONNET, "tool_search", marked)
    assert [tool.get("cache_control") for tool in tools] == [{"type": "ephemeral"}, None]


def test_programmatic_callers_are_code_execution_on_anthropic():
    called = {**FUNCTION, "allowed_callers": ["direct", "programmatic"]}
    assert sent(SONNET, called, "code_execution")[0]["allowed_callers"] == ["direct", "code_execution_20260120"]
    own = {"type": "code_execution_20260521", "name": "code_execution"}
    assert sent(SONNET, called, own)[0]["allowed_callers"] == ["direct", "code_execution_20260521"]
    assert sent(GPT, called)[0]["allowed_callers"] == ["direct", "programmatic"]
    with pytest.raises(InvalidToolError, match=r"'f' names 'programmatic'.*'code_execution'"):
        encode(SONNET, called)
