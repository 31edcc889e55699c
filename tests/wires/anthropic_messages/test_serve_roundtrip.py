"""Messages, the server side: what was encoded is read back; recorded bodies."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from langchain_unified.schemas.anthropic import adapt_schema
from langchain_unified.wires.anthropic_messages import WIRE
from langchain_unified.wires.anthropic_messages.serve import read_request
from tests.support.corpus import exchanges, label, needs_corpus

ENDPOINT = "anthropic.messages"


# What means the same, in the encoder's way. Each is needed by at least one recorded body.


def _text_as_blocks(body: dict[str, Any]) -> None:
    for message in body["messages"]:
        if isinstance(message["content"], str):
            message["content"] = [{"type": "text", "text": message["content"]}]


def _one_text_as_a_string(body: dict[str, Any]) -> None:
    holders = [(body, "system")] if "system" in body else []
    holders += [(block, "content") for block in blocks_of(body) if block["type"] == "tool_result"]
    for holder, key in holders:
        inner = holder[key]
        if isinstance(inner, list) and len(inner) == 1 and inner[0].keys() == {"type", "text"}:
            holder[key] = inner[0]["text"]


def _one_message_per_role(body: dict[str, Any]) -> None:
    merged: list[dict[str, Any]] = []
    for message in body["messages"]:
        if merged and merged[-1]["role"] == message["role"]:
            merged[-1]["content"] += message["content"]
        else:
            merged.append(message)
    body["messages"] = merged


def _no_error_is_not_said(body: dict[str, Any]) -> None:
    for block in blocks_of(body):
        if block["type"] == "tool_result" and block.get("is_error") is False:
            del block["is_error"]


def _no_stream_is_not_said(body: dict[str, Any]) -> None:
    if body.get("stream") is False:
        del body["stream"]


def _nulls_are_not_said(body: dict[str, Any]) -> None:
    for block in blocks_of(body):
        for key in [key for key, value in block.items() if value is None]:
            del block[key]


def _plain_tools(body: dict[str, Any]) -> None:
    """A function's `type` is left out, and a description without words."""
    for tool in body.get("tools", ()):
        for key, value in (("type", "custom"), ("description", "")):
            if tool.get(key) == value:
                del tool[key]


def _format_in_its_new_place(body: dict[str, Any]) -> None:
    if "output_format" in body:
        body["output_config"] = {**body.get("output_config", {}), "format": body.pop("output_format")}


def _adapted_schemas(body: dict[str, Any]) -> None:
    """One strict schema was recorded with a default, which the encoder tells in the description."""
    for tool in body.get("tools", ()):
        if tool.get("strict"):
            tool["input_schema"] = adapt_schema(tool["input_schema"]).schema


NORMAL_FORMS = (
    _text_as_blocks,
    _one_text_as_a_string,
    _one_message_per_role,
    _no_error_is_not_said,
    _no_stream_is_not_said,
    _nulls_are_not_said,
    _plain_tools,
    _format_in_its_new_place,
    _adapted_schemas,
)


def blocks_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    contents = [message["content"] for message in body["messages"]] + [body.get("system")]
    return [block for content in contents if isinstance(content, list) for block in content]


def normal(body: dict[str, Any], leave_out: Any = None) -> dict[str, Any]:
    body = copy.deepcopy(body)
    for form in NORMAL_FORMS:
        if form is not leave_out:
            form(body)
    return body


def come_back(leave_out: Any = None) -> list[bool]:
    """For each recorded body whether reading and encoding gives its normal form."""
    sent = [(exchange["request"]["body"], exchange["request"]["headers"] or {}) for exchange in exchanges(ENDPOINT)]
    return [WIRE.encode(read_request(body, headers)).body == normal(body, leave_out) for body, headers in sent]


@needs_corpus
def test_every_recorded_body_comes_back():
    bodies = [exchange["request"]["body"] for exchange in exchanges(ENDPOINT)]
    assert come_back() == [True] * 378
    assert sum(WIRE.encode(read_request(body)).body == body for body in bodies) == 7


@needs_corpus
@pytest.mark.parametrize("form", NORMAL_FORMS, ids=lambda form: form.__name__)
def test_every_normal_form_is_needed(form: Any):
    assert not all(come_back(leave_out=form))


@needs_corpus
@pytest.mark.parametrize("exchange", exchanges(ENDPOINT), ids=label)
def test_recorded_request(exchange: dict[str, Any]):
    body, headers = exchange["request"]["body"], exchange["request"]["headers"] or {}
    before = copy.deepcopy(body)
    request = read_request(body, headers)
    encoded = WIRE.encode(request)
    assert body == before
    assert (encoded.adjustments, request.extra_body) == ((), {})
    assert headers.get("anthropic-beta", "") in encoded.headers.get("anthropic-beta", "")
    results = [block for block in blocks_of(body) if block["type"] == "tool_result"]
    assert [turn.tool_call_id for turn in request.turns if turn.role == "tool"] == [b["tool_use_id"] for b in results]
    uses = [block["id"] for block in blocks_of(body) if block["type"] == "tool_use"]
    calls = [block for turn in request.turns for block in turn.blocks if block["type"] == "tool_call"]
    assert [call["id"] for call in calls] == uses
    assert [spec.name for spec in request.tools] == [tool["name"] for tool in body.get("tools", ())]
    own = {block["value"]["type"] for turn in request.turns for block in turn.blocks if block["type"] == "native"}
    assert own <= OWN_TYPES


OWN_TYPES = {
    "advisor_tool_result", "bash_code_execution_tool_result", "compaction", "container_upload", "mcp_tool_result",
    "mcp_tool_use", "redacted_thinking", "server_tool_use", "tool_addition", "tool_reference",
    "tool_search_tool_result", "web_search_tool_result",
}  # fmt: skip
