"""The Responses wire: input that goes out."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage

from langchain_unified.errors import UnsupportedContentError
from tests.wires.openai_responses.helpers import CUSTOM, PNG, call_item, own, sent


def parts(*blocks: Any) -> Any:
    return sent(HumanMessage(list(blocks)))[0]["content"]


@pytest.mark.parametrize(
    "block,part",
    [
        ({"type": "text", "text": "a"}, {"type": "input_text", "text": "a"}),
        (
            {"type": "image", "url": "https://a.b/c.png"},
            {"type": "input_image", "detail": "auto", "image_url": "https://a.b/c.png"},
        ),
        (
            {"type": "image", "base64": PNG, "mime_type": "image/webp"},
            {"type": "input_image", "detail": "auto", "image_url": f"data:image/webp;base64,{PNG}"},
        ),
        (
            {"type": "image", "file_id": "file-1"},
            {"type": "input_image", "detail": "auto", "file_id": "file-1"},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.b", "detail": "low"}},
            {"type": "input_image", "detail": "low", "image_url": "https://a.b"},
        ),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PNG}"},
        ),
        ({"type": "file", "url": "https://a.b/c.pdf"}, {"type": "input_file", "file_url": "https://a.b/c.pdf"}),
        ({"type": "file", "file_id": "file-1"}, {"type": "input_file", "file_id": "file-1"}),
        (
            {"type": "file", "base64": "JVBE", "mime_type": "application/pdf"},
            {"type": "input_file", "filename": "file.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        ),
        (
            {"type": "file", "base64": "YQ==", "mime_type": "text/csv", "filename": "b.csv"},
            {"type": "input_file", "filename": "b.csv", "file_data": "data:text/csv;base64,YQ=="},
        ),
        (
            {"type": "text-plain", "text": "body", "title": "Note", "mime_type": "text/plain"},
            {"type": "input_text", "text": "Note\n\nbody"},
        ),
        (
            {"type": "search_result", "source": "s", "title": "T", "content": [{"type": "text", "text": "x"}]},
            {"type": "input_text", "text": "T\ns\n\nx"},
        ),
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}, "context": "C"},
            {"type": "input_text", "text": "C\n\nd"},
        ),
        ({"type": "input_file", "file_id": "file-1"}, {"type": "input_file", "file_id": "file-1"}),
        (
            {"type": "non_standard", "value": {"type": "input_text", "text": "raw", "new": 1}},
            {"type": "input_text", "text": "raw", "new": 1},
        ),
    ],
)
def test_user_parts(block, part):
    assert parts({"type": "text", "text": "look"}, block) == [{"type": "input_text", "text": "look"}, part]


def test_a_document_of_blocks():
    document = {
        "type": "document",
        "title": "T",
        "source": {
            "type": "content",
            "content": [{"type": "text", "text": "a"}, {"type": "image", "url": "https://a.b"}],
        },
    }
    assert parts(document) == [
        {"type": "input_text", "text": "T"},
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "detail": "auto", "image_url": "https://a.b"},
    ]


def test_messages_and_roles():
    system = SystemMessage("be brief", additional_kwargs={"__openai_role__": "developer"})
    assert sent(SystemMessage("s"), system, HumanMessage("hi"), HumanMessage([{"type": "text", "text": "there"}])) == [
        {"role": "system", "content": "s"},
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": "hi"},
        {"role": "user", "content": "there"},
    ]
    assert sent(HumanMessage("")) == [{"role": "user", "content": ""}]


def test_items_stand_between_the_parts_of_a_message():
    approval = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
    tools = {"type": "additional_tools", "role": "developer", "tools": []}
    assert sent(HumanMessage([{"type": "text", "text": "a"}, approval, {"type": "text", "text": "b"}])) == [
        {"role": "user", "content": "a"},
        approval,
        {"role": "user", "content": "b"},
    ]
    assert sent(SystemMessage([{"type": "text", "text": "a"}, tools]), HumanMessage("b"))[:2] == [
        {"role": "system", "content": "a"},
        tools,
    ]


@pytest.mark.parametrize(
    "block,words",
    [
        ({"type": "audio", "base64": "YQ==", "mime_type": "audio/wav"}, "Chat Completions"),
        ({"type": "video", "url": "https://a.b"}, "frames"),
        ({"type": "image", "mime_type": "image/png"}, "mime_type"),
        ({"type": "file", "mime_type": "application/pdf"}, "base64"),
        ({"type": "container_upload", "file_id": "f"}, "container_upload"),
    ],
)
def test_what_cannot_be_carried_is_refused_by_name(block, words):
    with pytest.raises(UnsupportedContentError, match=words) as caught:
        sent(SystemMessage("s"), HumanMessage([block]))
    assert "message 1 (user)" in str(caught.value)
    assert "openai_responses" in str(caught.value)


def test_tool_results():
    call = own([call_item(), CUSTOM])
    first = ToolMessage("42", tool_call_id="call_1")
    blocks = [{"type": "text", "text": "a"}, {"type": "image", "url": "https://a.b"}]
    second = ToolMessage(blocks, tool_call_id="call_2")
    empty = ToolMessage("", tool_call_id="call_1", status="error")
    assert sent(call, first, second, empty)[2:] == [
        {"type": "function_call_output", "call_id": "call_1", "output": "42"},
        {
            "type": "custom_tool_call_output",
            "call_id": "call_2",
            "output": [
                {"type": "input_text", "text": "a"},
                {"type": "input_image", "detail": "auto", "image_url": "https://a.b"},
            ],
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "error"},
    ]


def test_results_of_the_providers_client_tools():
    computer = {"type": "computer_call", "id": "cu_1", "call_id": "c1", "action": {"type": "screenshot"}}
    shell = {"type": "shell_call", "id": "sh_1", "call_id": "c2", "action": {"commands": ["ls"]}}
    patch = {"type": "apply_patch_call", "id": "ap_1", "call_id": "c3", "status": "completed", "operation": {}}
    local = {"type": "local_shell_call", "id": "ls_1", "call_id": "c4", "status": "completed", "action": {}}
    shot = ToolMessage(
        [{"type": "input_image", "image_url": "data:image/png;base64,AA"}],
        tool_call_id="c1",
        additional_kwargs={"acknowledged_safety_checks": [{"id": "sc_1"}]},
    )
    results = [
        shot,
        ToolMessage("a.txt", tool_call_id="c2"),
        ToolMessage("no such file", tool_call_id="c3", status="error"),
        ToolMessage("ok", tool_call_id="c4"),
        ToolMessage("https://a.b/s.png", tool_call_id="c5", additional_kwargs={"type": "computer_call_output"}),
    ]
    assert sent(own([computer, shell, patch, local]), *results)[4:] == [
        {
            "type": "computer_call_output",
            "call_id": "c1",
            "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA"},
            "acknowledged_safety_checks": [{"id": "sc_1"}],
        },
        {
            "type": "shell_call_output",
            "call_id": "c2",
            "output": [{"stdout": "a.txt", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
        },
        {"type": "apply_patch_call_output", "call_id": "c3", "status": "failed", "output": "no such file"},
        {"type": "local_shell_call_output", "id": "c4", "output": "ok"},
        {
            "type": "computer_call_output",
            "call_id": "c5",
            "output": {"type": "computer_screenshot", "image_url": "https://a.b/s.png"},
        },
    ]


def test_a_result_may_be_written_as_an_item():
    item = {"type": "custom_tool_call_output", "output": "x"}
    assert sent(own([CUSTOM]), ToolMessage([item], tool_call_id="call_2"))[1] == {"call_id": "call_2", **item}
