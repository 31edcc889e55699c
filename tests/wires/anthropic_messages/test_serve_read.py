"""Bodies of the Messages API as a server reads them: what each part becomes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.errors import InvalidToolError, RequestError
from langchain_unified.request import Mark, OutputFormat, Request, ToolChoice, ToolSpec, Turn
from langchain_unified.wires.anthropic_messages.serve import read_request

SMALLEST = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
HI = {"type": "text", "text": "hi"}


def read(**fields: Any) -> Request:
    return read_request({**SMALLEST, **fields})


def turns(*content: Any, role: str = "user") -> tuple[Turn, ...]:
    return read(messages=[{"role": role, "content": list(content)}]).turns


def test_smallest_body():
    assert read() == Request("m", (Turn("user", (HI,)),), params={"max_tokens": 9})


def test_null_says_what_an_absent_key_says():
    silent = dict.fromkeys(("system", "tools", "tool_choice", "thinking", "output_config", "metadata", "stream"))
    assert read(**silent, speed=None, temperature=None) == read()


def test_a_former_prompt_is_read_with_its_marks():
    ephemeral = {"type": "ephemeral"}
    request = read(system=[{**HI, "cache_control": {**ephemeral, "ttl": "1h"}}], cache_control=ephemeral)
    assert request.turns[0] == Turn("system", ({**HI, "mark": Mark(ttl="1h")},))
    assert request.native == {"cache_control": ephemeral}
    (user,) = turns({**HI, "cache_control": ephemeral})
    assert user.blocks == ({**HI, "mark": {}},)


def test_a_mark_that_says_more_stays_where_it_is():
    mark = {"type": "ephemeral", "scope": "global"}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "42", "cache_control": mark}
    for value in ({**HI, "cache_control": mark}, result):
        (turn,) = turns(value)
        assert turn == Turn("user", ({"type": "native", "value": value},))
    (spec,) = read(tools=[{"type": "bash_20250124", "name": "bash", "cache_control": mark}]).tools
    assert spec.definition["cache_control"] == mark


def test_tool_results_are_turns_of_their_own():
    image = {"type": "image", "source": {"type": "url", "url": "https://a/b"}}
    found = turns(
        {"type": "tool_result", "tool_use_id": "a", "content": "42", "cache_control": {"type": "ephemeral"}},
        HI,
        {"type": "tool_result", "tool_use_id": "b", "content": [image], "is_error": True},
        {"type": "tool_result", "tool_use_id": "c"},
    )
    assert found == (
        Turn("tool", ({"type": "text", "text": "42", "mark": {}},), tool_call_id="a"),
        Turn("user", (HI,)),
        Turn("tool", ({"type": "image", "url": "https://a/b"},), tool_call_id="b", is_error=True),
        Turn("tool", (), tool_call_id="c"),
    )


def test_what_our_words_cannot_say_is_kept_whole():
    image = {"type": "image", "source": {"type": "url", "url": "https://a/b"}, "flavour": {"x": 1}}
    cited = {**HI, "citations": [{"type": "char_location", "cited_text": "h"}]}
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "text/csv", "data": "AA=="}}
    for value in (image, cited, pdf, {"type": "hologram", "of": None}):
        assert turns(value) == (Turn("user", ({"type": "native", "value": value},)),)


def test_claudes_own_words():
    citation = {"type": "web_search_result_location", "cited_text": "h", "url": "u", "title": None}
    citation |= {"encrypted_index": "E"}
    (turn,) = turns(
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "hi", "citations": [citation]},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}},
        role="assistant",
    )
    note = {"type": "citation", "cited_text": "h", "url": "u", "extras": {"encrypted_index": "E"}}
    assert turn.origin == "anthropic_messages"
    assert turn.blocks == (
        {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "s"}},
        {**HI, "annotations": [note]},
        {"type": "tool_call", "id": "t", "name": "f", "args": {"a": 1}, "extras": {"caller": {"type": "direct"}}},
    )


def test_parameters():
    request = read(
        stop_sequences=["x"], top_k=3, metadata={"user_id": "u"}, service_tier="standard_only", speed="fast",
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": {}}, "task_budget": {}},
        thinking={"type": "adaptive", "display": "summarized"}, whatever=[None], container="c",
    )  # fmt: skip
    # The thinking is what the encoder sends with an effort.
    assert request.params == {
        "max_tokens": 9, "stop": ["x"], "top_k": 3, "user": "u", "service_tier": "default", "reasoning_effort": "low",
    }  # fmt: skip
    assert request.output == OutputFormat("json_schema", {})
    assert request.native == {"speed": "fast", "output_config": {"task_budget": {}}, "container": "c"}
    assert request.extra_body == {"whatever": [None]}


def test_the_former_place_of_the_schema():
    request = read(output_format={"type": "json_schema", "schema": {"type": "object"}}, output_config={"effort": "low"})
    assert request.output == OutputFormat("json_schema", {"type": "object"})
    assert (request.params["reasoning_effort"], request.native, request.extra_body) == ("low", {}, {})


def test_headers():
    body = {**SMALLEST, "context_management": {"edits": []}}
    headers = {"Anthropic-Beta": "context-management-2025-06-27, mine,mine", "anthropic-workspace-id": "w"}
    request = read_request(body, headers)
    assert request.betas == ("mine",)
    assert request.native == {"context_management": {"edits": []}, "workspace_id": "w"}


def test_tools():
    schema = {"type": "object", "properties": {}}
    own = {"type": "mcp_toolset", "mcp_server_name": "s", "cache_control": {"type": "ephemeral"}}
    new = {"name": "g", "input_schema": schema, "novelty": 1}
    function = {"type": "custom", "name": "f", "input_schema": schema, "strict": None, "defer_loading": True}
    request = read(
        tools=[function, own, new],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    )
    assert request.tools == (
        ToolSpec("f", parameters=schema, options={"defer_loading": True}),
        ToolSpec("s", "native", definition={"type": "mcp_toolset", "mcp_server_name": "s"}, mark={}),
        ToolSpec("g", "native", definition=new),
    )
    assert (request.tool_choice, request.params["parallel_tool_calls"]) == (ToolChoice("tool", ("f",)), False)


TOOL = {"name": "f", "input_schema": {}}
MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"model": None}, "model must be a string, not null"),
    ({"max_tokens": None}, "max_tokens must be an integer, not null"),
    ({"max_tokens": True}, "max_tokens must be an integer, not True"),
    ({"messages": []}, "messages is empty"),
    ({"messages": {}}, "messages must be a list"),
    ({"messages": ["hi"]}, r"messages\[0\] must be an object"),
    ({"messages": [{"content": "hi"}]}, r"messages\[0\].role must be a string"),
    ({"messages": [{"role": "tool", "content": "hi"}]}, r"messages\[0\].role must be one of user, assistant, system"),
    ({"messages": [{"role": "user"}]}, r"messages\[0\].content must be a string or a list of blocks, not null"),
    ({"messages": [{"role": "user", "content": "", "name": "n"}]}, r"messages\[0\].name: a message has"),
    ({"system": [{"type": "text"}]}, r"system\[0\].text must be a string"),
    ({"system": 5}, "system must be a string or a list"),
    ({"stream": "yes"}, "stream must be true or false"),
    ({"temperature": "hot"}, "temperature must be a number"),
    ({"stop_sequences": "x"}, "stop_sequences must be a list of strings"),
    ({"thinking": True}, "thinking must be an object"),
    ({"thinking": {"budget_tokens": 1024}}, "thinking.type must be a string"),
    ({"thinking": {"type": "enabled", "budget_tokens": "1024"}}, "thinking.budget_tokens must be an integer"),
    ({"metadata": "u"}, "metadata must be an object"),
    ({"metadata": {"user_id": 5}}, "metadata.user_id must be a string"),
    ({"service_tier": "flex"}, "service_tier must be one of auto, standard_only"),
    ({"output_config": []}, "output_config must be an object"),
    ({"output_config": {"effort": 5}}, "output_config.effort must be a string"),
    ({"output_config": {"format": {"type": "text"}}}, "output_config.format.type must be 'json_schema'"),
    ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema must be an object"),
    ({"context_management": {"edits": [1]}}, r"context_management.edits\[0\] must be an object"),
    ({"mcp_servers": ["s"]}, r"mcp_servers\[0\] must be an object"),
    ({"tools": [{"name": "f"}]}, r"tools\[0\].input_schema must be an object"),
    ({"tools": [{"input_schema": {}}]}, r"tools\[0\].name must be a string"),
    ({"tools": [{**TOOL, "strict": "yes"}]}, r"tools\[0\].strict must be true or false"),
    ({"tools": [{**TOOL, "cache_control": "1h"}]}, r"tools\[0\].cache_control must be an object"),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, r"tools\[0\].type: 'function' is a tool of OpenAI"),
    ({"tools": [TOOL], "tool_choice": "auto"}, "tool_choice must be an object"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.name must be a string"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "tool_choice.name: 'g' is not one of the tools"),
]


@pytest.mark.parametrize("fields, message", MALFORMED, ids=str)
def test_a_malformed_body_is_refused_by_the_path(fields: dict[str, Any], message: str):
    with pytest.raises(RequestError, match=f"^{message}"):
        read(**fields)


BROKEN_BLOCKS: list[tuple[dict[str, Any], str]] = [
    ({"text": "hi"}, "type must be a string"),
    ({"type": "text", "text": None}, "text must be a string"),
    ({"type": "text", "text": "hi", "citations": ["c"]}, r"citations\[0\] must be an object"),
    ({"type": "image"}, "source must be an object"),
    ({"type": "image", "source": {"type": "base64", "data": "AA=="}}, "source.media_type must be a string"),
    ({"type": "document", "source": {"type": "url", "url": 5}}, "source.url must be a string"),
    ({"type": "search_result", "source": "s", "title": "t", "content": ["x"]}, r"content\[0\] must be an object"),
    ({"type": "tool_use", "id": "t", "name": "f", "input": "{}"}, "input must be an object"),
    ({"type": "tool_result", "content": "42"}, "tool_use_id must be a string"),
    ({"type": "tool_result", "tool_use_id": "t", "content": 42}, "content must be a string or a list of blocks"),
    ({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text"}]}, r"content\[0\].text must be a string"),
    ({"type": "tool_addition", "tool": "f"}, "tool must be an object"),
]


@pytest.mark.parametrize("block, message", BROKEN_BLOCKS, ids=str)
def test_a_malformed_block_is_refused_by_the_path(block: dict[str, Any], message: str):
    with pytest.raises(RequestError, match=rf"^messages\[0\]\.content\[1\]\.{message}"):
        turns(HI, block)


def test_openais_tools_are_named():
    with pytest.raises(InvalidToolError):
        read(tools=[{"type": "web_search"}])
