"""What one provider's model said, as another provider's model reads it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified.history.foreign import same_model
from langchain_unified.messages.turns import turns
from langchain_unified.request import Profile, Turn
from tests.history.foreign_helpers import ALL, SEARCHED, THOUGHT, said, sent
from tests.support.histories import repair

PNG = "iVBORw0KGgoAAAANSUhEUg=="


def texts(body: Any) -> list[str]:
    """Every text of a body's messages, in order."""
    if isinstance(body, dict):
        return [text for key, value in body.items() if key not in ("role", "type", "model") for text in texts(value)]
    if isinstance(body, list):
        return [text for value in body for text in texts(value)]
    return [body] if isinstance(body, str) else []


def reads(wire: str, *blocks: dict[str, Any], of: str, **fields: Any) -> list[str]:
    """The texts in which `wire` reads an answer of `of`."""
    body = sent(wire, HumanMessage("go"), said(of, *blocks, **fields), HumanMessage("on"), policy="fix")
    return [text for text in texts(body.get("messages") or body.get("input"))[1:-1] if text]


# --- golden blocks ----------------------------------------------------------------------------------------------------

SEARCHED_IN_WORDS = """\
[web_search was called with height of K2]

[web_search returned: url: https://k2.example
title: K2
page_age: 2 days]

It is 8611 m high.

Sources:
- K2 https://k2.example "8,611 metres\""""


@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses"])
def test_a_search_of_claude(wire: str):
    assert reads(wire, *SEARCHED, of="anthropic_messages") == [SEARCHED_IN_WORDS]


WORDS: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "openai_responses",
        {"type": "web_search_call", "id": "ws_1", "status": "completed",
         "action": {"type": "search", "query": "K2", "sources": [{"type": "url", "url": "https://k2.example"}]}},
        ["[web_search was called with K2]\n\n[web_search returned: https://k2.example]"],
    ),
    (
        "openai_responses",
        {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "container_id": "cntr", "code": "1+1",
         "outputs": [{"type": "logs", "logs": "2"}]},
        ["[code_interpreter was called with 1+1]\n\n[code_interpreter returned: 2]"],
    ),
    (
        "openai_responses",
        {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["a", "b"],
         "results": [{"file_id": "file_1", "filename": "a.txt", "text": "Paris", "score": 0.5, "attributes": {}}]},
        [
            (
                "[file_search was called with - a\n- b]\n\n[file_search returned: file_id: file_1\nfilename: a.txt\n"
                "text: Paris\nscore: 0.5]"
            ),
        ],
    ),
    (
        "openai_responses",
        {"type": "mcp_call", "id": "mcp_1", "status": "failed", "name": "find", "server_label": "cal",
         "arguments": '{"day": "today"}', "output": None, "error": {"type": "http_error", "message": "gone"}},
        ["[find of cal was called with today]\n\n[find of cal failed: gone]"],
    ),
    (
        "openai_responses",
        {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "cal",
         "tools": [{"name": "find", "description": "Finds.", "input_schema": {"type": "object"}, "annotations": None}]},
        ["[mcp_list_tools of cal was called]\n\n[mcp_list_tools of cal returned: name: find\ndescription: Finds.]"],
    ),
    (
        "openai_responses",
        {"type": "text", "text": "Paris.", "id": "msg_1", "annotations": [
            {"type": "url_citation", "url": "https://p.example", "title": "P", "start_index": 0, "end_index": 5},
            {"type": "file_citation", "file_id": "file_1", "filename": "p.txt", "file_index": 3},
            {"type": "container_file_citation", "file_id": "cf_1", "filename": "p.png", "container_id": "cntr",
             "start_index": 0, "end_index": 0}]},
        ["Paris.\n\nSources:\n- P https://p.example\n- p.txt\n- p.png"],
    ),
    ("openai_responses", {"type": "refusal", "refusal": "I won't.", "id": "msg_1"}, ["I won't."]),
    (
        "openai_responses",
        {"type": "mcp_approval_request", "id": "mcpr_1", "name": "find", "server_label": "cal", "arguments": "{}"},
        ["[mcp_approval_request: name: find\nserver_label: cal\narguments: {}]"],
    ),
    ("openai_responses", {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "S"}, []),
    ("anthropic_messages", {"type": "redacted_thinking", "data": "S"}, []),
    (
        "anthropic_messages",
        {"type": "compaction", "content": "They spoke of K2.", "encrypted_content": "S", "signature": "S"},
        ["[Summary of the conversation before this point]\nThey spoke of K2."],
    ),
    (
        "anthropic_messages",
        {"type": "bash_code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {
            "type": "bash_code_execution_result", "stdout": "", "stderr": "no such file", "return_code": 1,
            "content": []}},
        ["[the tool returned: stderr: no such file\nreturn_code: 1]"],
    ),
    (
        "anthropic_messages",
        {"type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_1", "content": {
            "type": "web_fetch_result", "url": "https://k2.example/a.pdf", "retrieved_at": "today", "content": {
                "type": "document", "title": "K2", "source": {
                    "type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}}},
        [
            (
                "[the tool returned: url: https://k2.example/a.pdf\nretrieved_at: today\ncontent: title: K2\n"
                "source: [application/pdf]]"
            ),
        ],
    ),
    (
        "anthropic_messages",
        {"type": "text", "text": "Yes.", "citations": [
            {"type": "char_location", "document_index": 0, "document_title": "Deed", "start_char_index": 0,
             "end_char_index": 3, "cited_text": "aye "},
            {"type": "page_location", "document_index": 1, "document_title": None, "start_page_number": 1,
             "end_page_number": 2, "cited_text": "also"},
            {"type": "search_result_location", "source": "https://in.example", "title": "In", "cited_text": "so",
             "search_result_index": 0, "start_block_index": 0, "end_block_index": 1}]},
        ['Yes.\n\nSources:\n- Deed "aye"\n- a document "also"\n- In https://in.example "so"'],
    ),
    ("anthropic_messages", {"type": "container_upload", "file_id": "file_1"}, ["[container_upload: file_1]"]),
    ("anthropic_messages", {"type": "novelty", "idea": "new", "signature": "S"}, ["[novelty: new]"]),
]  # fmt: skip


@pytest.mark.parametrize("wire", ALL)
@pytest.mark.parametrize("of, block, expected", WORDS, ids=[case[1]["type"] + "-" + case[0] for case in WORDS])
def test_a_block_in_the_words_of_another_wire(wire: str, of: str, block: dict[str, Any], expected: list[str]):
    if wire == of:
        return
    assert reads(wire, block, of=of) == expected


def test_a_summary_that_is_sealed_is_missed():
    message = said("openai_responses", {"type": "compaction", "id": "c", "encrypted_content": "S"})
    for wire in ("anthropic_messages", "openai_chat"):
        found = turns([HumanMessage("a"), message, HumanMessage("b")], wire)
        again, adjustments = repair(found, wire=wire, profile=Profile())
        assert [turn.role for turn in again] == ["user", "user"]
        assert [each["what"] for each in adjustments] == ["compaction in message 1", "message 1 (assistant)"]


@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_responses"])
def test_sources_and_speech_beside_the_text_of_chat(wire: str):
    note = {"type": "url_citation", "url_citation": {"url": "https://k2.example", "title": "K2"}}
    audio = {"id": "audio_1", "transcript": "It is high.", "data": "AAAA"}
    message = AIMessage(
        "", additional_kwargs={"annotations": [note], "audio": audio}, response_metadata={"model_provider": "openai"}
    )
    body = sent(wire, HumanMessage("go"), message, HumanMessage("on"))
    assert texts(body.get("messages") or body["input"])[1:-1] == ["It is high.\n\nSources:\n- K2 https://k2.example"]


# --- images -----------------------------------------------------------------------------------------------------------

DRAWN = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PNG, "output_format": "png",
         "revised_prompt": "A small peak"}  # fmt: skip
PLOTTED = {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "container_id": "cntr", "code": "plot",
           "outputs": [{"type": "image", "url": f"data:image/png;base64,{PNG}"}]}  # fmt: skip


def images(body: dict[str, Any]) -> list[str]:
    """The base64 of the images in a body's user messages, in order."""
    found: list[str] = []
    shown = [message["content"] for message in body["messages"] if message["role"] == "user"]
    for part in (part for content in shown if isinstance(content, list) for part in content):
        if part["type"] == "image":
            found.append(part["source"]["data"])
        elif part["type"] == "image_url":
            found.append(part["image_url"]["url"].rpartition(",")[2])
    return found


@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_chat"])
def test_an_image_of_one_is_an_image_for_the_other(wire: str):
    messages = [HumanMessage("draw"), said("openai_responses", DRAWN, PLOTTED), HumanMessage("on")]
    body = sent(wire, *messages)
    assert images(body) == [PNG, PNG]
    assert "[image 1: A small peak]" in "\n".join(texts(body))
    assert [each["role"] for each in body["messages"]][:3] == ["user", "assistant", "user"]


@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_chat"])
def test_an_image_comes_after_the_results_of_its_message(wire: str):
    call = {"name": "f", "args": {}, "id": "c1"}
    function = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}
    message = said("openai_responses", DRAWN, function, calls=[call])
    body = sent(wire, HumanMessage("draw"), message, ToolMessage("42", tool_call_id="c1"))
    assert images(body) == [PNG]
    assert body["messages"][-1]["role"] == "user"


def test_an_image_keeps_its_place_on_its_own_wire():
    assert sent("openai_responses", HumanMessage("draw"), said("openai_responses", DRAWN))["input"][1] == DRAWN


@pytest.mark.parametrize(
    "block, kind",
    [
        ({"type": "image", "base64": "iVBORw0K"}, "image/png"),
        ({"type": "image", "base64": "/9j/4AAQ"}, "image/jpeg"),
        ({"type": "image", "base64": "R0lGODlh"}, "image/gif"),
        ({"type": "image", "base64": "UklGRiIA", "mime_type": "image/WEBP"}, "image/webp"),
        ({"type": "image", "base64": "/9j/4AAQ", "mime_type": "image/jpg"}, "image/jpeg"),
        ({"type": "image", "base64": "iVBORw0K", "mime_type": "image/jpg"}, "image/png"),
    ],
)
def test_the_kind_of_an_image(block: dict[str, Any], kind: str):
    body = sent("anthropic_messages", HumanMessage("a"), AIMessage([block]), HumanMessage("b"))
    assert body["messages"][2]["content"][1]["source"]["media_type"] == kind


@pytest.mark.parametrize("wire", ALL)
@pytest.mark.parametrize(
    "block, words",
    [
        ({"type": "image", "file_id": "file_1"}, "[image (file_1)]"),
        ({"type": "image", "base64": "AAAA", "mime_type": "image/tiff"}, "[image (image/tiff)]"),
        ({"type": "file", "file_id": "file_1", "filename": "a.pdf"}, "[file: a.pdf]"),
        ({"type": "audio", "base64": "AAAA", "mime_type": "audio/wav", "transcript": "Hello"}, "Hello"),
        ({"type": "video", "url": "https://v.example"}, "[video: https://v.example]"),
    ],
)
def test_media_that_an_answer_cannot_hold_are_named(wire: str, block: dict[str, Any], words: str):
    body = sent(wire, HumanMessage("a"), AIMessage([block]), HumanMessage("b"))
    assert texts(body.get("messages") or body["input"])[1] == words


# --- results written for another provider -----------------------------------------------------------------------------


def test_a_screenshot_for_openai_is_an_image_for_claude():
    action = {"type": "computer_call", "id": "cu", "call_id": "c1", "action": {"type": "screenshot"}}
    shot = {"type": "computer_screenshot", "image_url": f"data:image/png;base64,{PNG}"}
    body = sent(
        "anthropic_messages",
        HumanMessage("look"),
        said("openai_responses", action),
        ToolMessage([shot], tool_call_id="c1"),
    )
    assert body["messages"][1]["content"] == [
        {"type": "tool_use", "id": "c1", "name": "computer", "input": {"type": "screenshot"}}
    ]
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    assert body["messages"][2]["content"][0]["content"] == [{"type": "image", "source": source}]


def test_tools_found_for_claude_are_named_to_openai():
    found = ToolMessage([{"type": "tool_reference", "tool_name": "get_rate"}], tool_call_id="c1")
    asked = AIMessage("", tool_calls=[{"name": "find", "args": {}, "id": "c1"}])
    for wire in ("openai_chat", "openai_responses"):
        assert "[tool_reference: get_rate]" in texts(sent(wire, HumanMessage("a"), asked, found))
    own = sent("anthropic_messages", HumanMessage("a"), asked, found)
    assert own["messages"][2]["content"][0]["content"] == [{"type": "tool_reference", "tool_name": "get_rate"}]


def test_a_hosted_shell_is_described_with_its_output():
    call = {"type": "shell_call", "id": "sh", "call_id": "c1", "action": {"commands": ["ls"]}, "status": "completed"}
    output = {"type": "shell_call_output", "id": "sho", "call_id": "c1", "output": [
        {"stdout": "a.txt", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]}  # fmt: skip
    assert reads("openai_chat", call, output, of="openai_responses") == [
        "[shell_call: ls]\n\n[shell_call_output: stdout: a.txt\noutcome: 0]"
    ]
    assert sent("openai_responses", HumanMessage("a"), said("openai_responses", call, output))["input"][1:] == [
        call,
        output,
    ]


# --- bound to the model -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", True),
        ("claude-sonnet-4-0", "claude-sonnet-4-20250514", True),
        ("claude-3-opus-latest", "claude-3-opus-20240229", True),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", True),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5", True),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", True),
        ("gpt-5", "gpt-5-2025-08-07", True),
        ("gpt-5.6", "gpt-5.6-sol", True),
        ("my-deployment", "gpt-5-2025-08-07", True),
        (None, "gpt-5", True),
        ("", "gpt-5", True),
        ("gpt-5", "gpt-5-mini-2025-08-07", False),
        ("gpt-5.6-luna", "gpt-5.6-sol", False),
        ("gpt-6-sol", "gpt-5.6-sol", False),
        ("o3", "o3-mini", False),
        ("claude-opus-5", "claude-opus-5-5", False),
        ("claude-opus-5", "claude-fable-5", False),
        ("claude-sonnet-4-5", "claude-sonnet-4-20250514", False),
    ],
)
def test_which_names_are_one_model(one: str | None, other: str, same: bool):
    assert same_model(one, other) is same
    assert same_model(other, one) is same


def test_thinking_goes_back_to_its_own_model_alone():
    messages = [HumanMessage("a"), said("anthropic_messages", *THOUGHT, model="claude-opus-5"), HumanMessage("b")]
    assert sent("anthropic_messages", *messages, model="claude-opus-5")["messages"][1]["content"] == THOUGHT
    assert sent("anthropic_messages", *messages, model="claude-fable-5")["messages"][1]["content"] == THOUGHT[2:]
    assert messages[1].content == THOUGHT


REASONED = [
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "S"},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "K2"}},
    {"type": "text", "text": "Let me see.", "id": "msg_1", "phase": "commentary"},
    {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'},
]
CALL = {"name": "f", "args": {"x": 1}, "id": "c1"}


def test_reasoning_goes_back_to_its_own_model_with_what_it_led_to():
    reply = said("openai_responses", *REASONED, calls=[CALL], model="gpt-5-2025-08-07")
    messages = [HumanMessage("a"), reply, ToolMessage("42", tool_call_id="c1")]
    own = sent("openai_responses", *messages, model="gpt-5")["input"]
    assert [item.get("id") for item in own[1:5]] == ["rs_1", "ws_1", "msg_1", "fc_1"]
    other = sent("openai_responses", *messages, model="gpt-5-mini")["input"]
    assert other[1:] == [
        {"role": "assistant", "content": "[web_search was called with K2]\n\nLet me see."},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "42"},
    ]


def test_reasoning_in_standard_blocks_is_bound_as_well():
    reply = AIMessage(
        [
            {"type": "reasoning", "id": "rs_1", "reasoning": "hm", "encrypted_content": "S"},
            {"type": "text", "text": "Let me see.", "id": "msg_1"},
            {"type": "refusal", "refusal": "But not that.", "id": "msg_1"},
            {"type": "tool_call", "id": "c1", "name": "f", "args": {"x": 1}, "extras": {"item_id": "fc_1"}},
        ],
        tool_calls=[CALL],
        response_metadata={"model_provider": "openai", "model_name": "gpt-5", "output_version": "v1"},
    )
    messages = [HumanMessage("a"), reply, ToolMessage("42", tool_call_id="c1")]
    own = sent("openai_responses", *messages, model="gpt-5")["input"]
    assert [item.get("id") for item in own[1:4]] == ["rs_1", "msg_1", "fc_1"]
    assert sent("openai_responses", *messages, model="gpt-6-sol")["input"][1:] == [
        {"role": "assistant", "content": "Let me see."},
        {"role": "assistant", "content": "But not that."},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"x":1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "42"},
    ]


def test_a_cache_mark_does_not_change_how_texts_are_joined():
    """Else a mark that moves on would change what stands before it, and nothing would be read from the cache."""
    one, other = {"type": "text", "text": "One. "}, {"type": "text", "text": "Two."}
    marked = {**one, "mark": {"ttl": "1h"}}
    for first, mark in ((one, {}), (marked, {"mark": {"ttl": "1h"}})):
        turn = Turn("assistant", (first, other), origin="anthropic_messages")
        found, _ = repair((turn, Turn("user", (other,))), wire="openai_chat", profile=Profile())
        assert found[0].blocks == ({"type": "text", "text": "One. Two.", **mark},)


def test_an_answer_without_reasoning_is_bound_to_no_model():
    reply = said("openai_responses", *REASONED[1:], calls=[CALL], model="gpt-4o")
    messages = [HumanMessage("a"), reply, ToolMessage("42", tool_call_id="c1")]
    assert sent("openai_responses", *messages, model="gpt-5") == {
        **sent("openai_responses", *messages, model="gpt-4o"),
        "model": "gpt-5",
    }
