"""Free-form tools, namespaces and server tools of one API on another, and their calls on the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_unified.chat_models._events import EventWriter
from langchain_unified.errors import InvalidToolError
from langchain_unified.gateway.crossing import Crossing
from langchain_unified.request import JsonObject, WireName
from langchain_unified.wires import DOORS
from langchain_unified.wires._door import StreamSettings
from tests.gateway.crossing.crossed import CHAT, MESSAGES, RESPONSES, crossed, noted, sent

SCHEMA: JsonObject = {"type": "object", "properties": {"path": {"type": "string"}}}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Patches.", "format": GRAMMAR}
FILES = {
    "type": "namespace",
    "name": "mcp__files__",
    "description": "Files.",
    "tools": [
        {"type": "function", "name": "list", "description": "Lists.", "parameters": SCHEMA},
        {"type": "custom", "name": "write", "description": "Writes."},
    ],
}
CODEX: JsonObject = {
    "model": "m",
    "store": False,
    "tools": [PATCH, FILES, {"type": "web_search", "external_web_access": False}],
    "tool_choice": "auto",
    "input": [
        {"role": "user", "content": "Go"},
        {"type": "custom_tool_call", "call_id": "call_1", "name": "apply_patch", "input": "*** Begin Patch\n"},
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "Done"},
        {"type": "function_call", "call_id": "call_2", "name": "list", "namespace": "mcp__files__", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_2", "output": "a"},
    ],
}


def test_codexs_tools_become_functions_of_claudes() -> None:
    crossing = crossed(CODEX, RESPONSES, MESSAGES)
    body = crossing.plan.call.body
    patch, listing, writing = body["tools"]
    assert patch["name"] == "apply_patch"
    assert patch["input_schema"]["required"] == ["__arg1"]
    assert "start: /.+/" in patch["input_schema"]["properties"]["__arg1"]["description"]
    assert listing == {"name": "mcp__files____list", "description": "Files. Lists.", "input_schema": SCHEMA}
    assert (writing["name"], writing["input_schema"]["required"]) == ("mcp__files____write", ["__arg1"])
    assert body["messages"][1]["content"] == [
        {"type": "tool_use", "id": "call_1", "name": "apply_patch", "input": {"__arg1": "*** Begin Patch\n"}}
    ]
    assert body["messages"][3]["content"] == [
        {"type": "tool_use", "id": "call_2", "name": "mcp__files____list", "input": {}}
    ]
    assert "access to the web" in noted(crossing)["the tool 'web_search'"]


def test_codexs_tools_on_chat_completions() -> None:
    body = sent(CODEX, RESPONSES, CHAT)
    assert [tool[tool["type"]]["name"] for tool in body["tools"]] == [
        "apply_patch",
        "mcp__files____list",
        "mcp__files____write",
    ]
    assert [tool["type"] for tool in body["tools"]] == ["custom", "function", "custom"]
    assert body["messages"][1]["tool_calls"][0]["custom"] == {"name": "apply_patch", "input": "*** Begin Patch\n"}


def test_on_their_own_api_they_stay_as_they_are() -> None:
    assert sent(CODEX, RESPONSES, RESPONSES)["tools"] == CODEX["tools"]


CALLS = [
    {"type": "tool_use", "id": "toolu_1", "name": "apply_patch", "input": {"__arg1": "*** End"}},
    {"type": "tool_use", "id": "toolu_2", "name": "mcp__files____list", "input": {"path": "."}},
    {"type": "tool_use", "id": "toolu_3", "name": "mcp__files____write", "input": {"__arg1": "b"}},
]
EXPECTED = [
    {"type": "custom_tool_call", "call_id": "toolu_1", "name": "apply_patch", "input": "*** End"},
    {"type": "function_call", "call_id": "toolu_2", "name": "list", "namespace": "mcp__files__",
     "arguments": '{"path":"."}'},
    {"type": "custom_tool_call", "call_id": "toolu_3", "name": "write", "namespace": "mcp__files__", "input": "b"},
]  # fmt: skip


def named(item: JsonObject) -> JsonObject:
    """An item without its own id and status. Its arguments are one JSON text."""
    found = {key: value for key, value in item.items() if key not in ("id", "status")}
    if "arguments" in found:
        found["arguments"] = json.dumps(json.loads(found["arguments"]), separators=(",", ":"))
    return found


def reply(*blocks: JsonObject) -> JsonObject:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [*blocks],
            "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}}  # fmt: skip


def events(*calls: JsonObject) -> list[JsonObject]:
    """The stream of such a reply."""
    found: list[JsonObject] = [{"type": "message_start", "message": {**reply(), "stop_reason": None}}]
    for at, call in enumerate(calls):
        text = json.dumps(call["input"])
        found += [
            {"type": "content_block_start", "index": at, "content_block": {**call, "input": {}}},
            *({"type": "content_block_delta", "index": at,
               "delta": {"type": "input_json_delta", "partial_json": piece}} for piece in (text[:4], text[4:])),
            {"type": "content_block_stop", "index": at},
        ]  # fmt: skip
    return [
        *found,
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]


def streamed(crossing: Crossing, upstream: list[JsonObject], client: WireName, body: JsonObject) -> list[JsonObject]:
    """The events that the client gets."""
    decoder, writer = crossing.plan.wire.stream_decoder(False), EventWriter("m")
    renderer = DOORS[client].stream(body, StreamSettings("id_1", "m"))
    chunks = [chunk for event in upstream for chunk in decoder.feed(event)]
    chunks += decoder.end(ended=True)
    standard = [event for chunk in chunks for event in writer.feed(crossing.restore(chunk))]
    return [found for event in [*standard, *writer.close()] for found in renderer.feed(event)] + list(renderer.close())


def test_the_calls_come_back_as_codex_knows_them() -> None:
    crossing = crossed(CODEX, RESPONSES, MESSAGES)
    message = crossing.restore(crossing.plan.wire.decode(reply(*CALLS))[0])
    door = DOORS[RESPONSES]
    shown = door.render_reply(door.completion(message, StreamSettings("resp_1", "m")), CODEX)
    assert [named(item) for item in shown["output"]] == EXPECTED


def test_the_calls_of_a_stream_come_back_as_codex_knows_them() -> None:
    body = {**CODEX, "stream": True}
    crossing = crossed(body, RESPONSES, MESSAGES)
    found = streamed(crossing, events(*CALLS), RESPONSES, body)
    done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert [named(item) for item in done] == EXPECTED
    added = [event["item"] for event in found if event["type"] == "response.output_item.added"]
    assert [(item["name"], item.get("namespace")) for item in added] == [
        ("apply_patch", None),
        ("list", "mcp__files__"),
        ("write", "mcp__files__"),
    ]


def test_names_that_the_upstream_does_not_take_come_back_as_they_were() -> None:
    body = {
        "model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"name": "a" * 100, "input_schema": SCHEMA}],
    }  # fmt: skip
    crossing = crossed(body, MESSAGES, CHAT)
    name = crossing.plan.call.body["tools"][0]["function"]["name"]
    assert len(name) <= 64
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}"}}
    answer = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": answer}
    payload = {"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4.1", "choices": [choice]}
    message = crossing.restore(crossing.plan.wire.decode(payload)[0])
    assert message.tool_calls[0]["name"] == "a" * 100


# --- restrictions and choices -----------------------------------------------------------------------------------------

SEARCH = {"type": "web_search", "external_web_access": False}


def ask(client: WireName, **more: Any) -> JsonObject:
    key = "input" if client == RESPONSES else "messages"
    return {"model": "m", "max_tokens": 9, key: [{"role": "user", "content": "Hi"}], **more}


def test_a_search_without_the_web_never_becomes_one_with_it() -> None:
    crossing = crossed(ask(RESPONSES, tools=[SEARCH]), RESPONSES, MESSAGES)
    assert "tools" not in crossing.plan.call.body
    assert "the tool 'web_search'" in noted(crossing)
    with pytest.raises(InvalidToolError, match="web_search"):
        crossed(ask(RESPONSES, tools=[SEARCH], tool_choice={"type": "web_search"}), RESPONSES, MESSAGES)
    assert sent(ask(RESPONSES, tools=[{"type": "web_search"}]), RESPONSES, MESSAGES)["tools"][0]["name"] == "web_search"


def test_claude_codes_search_and_its_forced_choice_cross_together() -> None:
    # bifrost#3596: a choice that names a tool which was not translated.
    tools = [{"type": "web_search_20250305", "name": "web_search", "max_uses": 8}]
    body = sent(ask(MESSAGES, tools=tools, tool_choice={"type": "tool", "name": "web_search"}), MESSAGES, RESPONSES)
    assert body["tools"] == [{"type": "web_search"}]
    assert body["max_tool_calls"] == 8
    assert body["tool_choice"] == "required"


def test_a_choice_of_a_tool_in_a_namespace_names_it_whole() -> None:
    choice = {"type": "function", "name": "list", "namespace": "mcp__files__"}
    body = sent({**CODEX, "tool_choice": choice, "reasoning": {"effort": "none"}}, RESPONSES, CHAT)
    assert body["tool_choice"] == {"type": "function", "function": {"name": "mcp__files____list"}}


def test_tools_that_another_api_lacks_are_left_out_by_name() -> None:
    tools = [{"type": "file_search", "vector_store_ids": ["vs_1"]}, {"type": "local_shell"},
             {"type": "tool_search", "execution": "client"},
             {"type": "function", "name": "f", "parameters": SCHEMA, "defer_loading": True}]  # fmt: skip
    crossing = crossed(ask(RESPONSES, tools=tools), RESPONSES, MESSAGES)
    assert [tool["name"] for tool in crossing.plan.call.body["tools"]] == ["f"]
    assert "defer_loading" not in crossing.plan.call.body["tools"][0]
    assert {"the tool 'file_search'", "the tool 'local_shell'", "the tool 'tool_search'"} <= noted(crossing).keys()


def test_tools_that_a_search_loaded_are_in_the_list() -> None:
    loaded = {"type": "function", "name": "rate", "description": "Rates.", "parameters": SCHEMA, "defer_loading": True}
    items = [
        {"type": "tool_search_call", "call_id": "call_1", "execution": "client", "arguments": {"queries": ["rate"]}},
        {"type": "tool_search_output", "call_id": "call_1", "execution": "client", "tools": [loaded]},
        {"type": "function_call", "call_id": "call_2", "name": "rate", "namespace": "rate", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_2", "output": "0.92"},
    ]
    body = ask(RESPONSES, tools=[{"type": "tool_search", "execution": "client"}])
    found = sent({**body, "input": [*body["input"], *items]}, RESPONSES, CHAT)
    assert [tool["function"]["name"] for tool in found["tools"]] == ["rate"]
    # A call that a search led to has its own name as its namespace.
    assert "rate" in [call["function"]["name"] for each in found["messages"] for call in each.get("tool_calls", ())]


def test_functions_of_old_clients_become_tools() -> None:
    functions = [{"name": "f", "description": "F.", "parameters": SCHEMA}]
    body = sent(ask(CHAT, functions=functions, function_call={"name": "f"}), CHAT, MESSAGES)
    assert body["tools"] == [{"name": "f", "description": "F.", "input_schema": SCHEMA}]
    assert body["tool_choice"] == {"type": "tool", "name": "f"}
