"""Every API in, every API out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from langchain_unified.errors import RequestError
from langchain_unified.request import WireName
from langchain_unified.wires import WIRES
from tests.gateway.crossing.crossed import CHAT, MESSAGES, RESPONSES, sent
from tests.gateway.crossing.test_second_turns import TEXTS, calls_in, objects
from tests.support.corpus import ENDPOINT_OF, exchanges, label, needs_corpus, representatives
from tests.support.field_rules import needs_field_rules, violations

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
QUESTION = "How warm is it in Bern?"

BODIES: dict[WireName, dict[str, Any]] = {
    "anthropic_messages": {
        "model": "m",
        "max_tokens": 300,
        "temperature": 0.5,
        "system": "Be brief.",
        "tools": [{"name": "weather", "description": "The weather.", "input_schema": SCHEMA}],
        "messages": [
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern"}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "12 °C"}]},
        ],
    },
    "openai_chat": {
        "model": "m",
        "max_completion_tokens": 300,
        "temperature": 0.5,
        "tools": [{"type": "function", "function": {
            "name": "weather", "description": "The weather.", "parameters": SCHEMA}}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": "Let me see.", "tool_calls": [
                {"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
            ]},
            {"role": "tool", "tool_call_id": "toolu_1", "content": "12 °C"},
        ],
    },
    "openai_responses": {
        "model": "m",
        "max_output_tokens": 300,
        "temperature": 0.5,
        "instructions": "Be brief.",
        "tools": [{"type": "function", "name": "weather", "description": "The weather.", "parameters": SCHEMA}],
        "input": [
            {"role": "user", "content": QUESTION},
            {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
             "content": [{"type": "output_text", "text": "Let me see.", "annotations": []}]},
            {"type": "function_call", "call_id": "toolu_1", "name": "weather", "arguments": '{"city":"Bern"}'},
            {"type": "function_call_output", "call_id": "toolu_1", "output": "12 °C"},
        ],
    },
}  # fmt: skip

EXPECTED: dict[WireName, dict[str, Any]] = {
    "anthropic_messages": {
        "model": "claude-sonnet-4-5",
        "max_tokens": 300,
        "temperature": 0.5,
        "system": "Be brief.",
        "tools": BODIES["anthropic_messages"]["tools"],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
            BODIES["anthropic_messages"]["messages"][1],
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12 °C"},
            ]},
        ],
    },
    "openai_chat": {**BODIES["openai_chat"], "model": "gpt-4.1"},
    "openai_responses": {
        "model": "gpt-4.1",
        "max_output_tokens": 300,
        "temperature": 0.5,
        "store": False,
        "tools": [{**BODIES["openai_responses"]["tools"][0]}],
        "input": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": "Let me see."},
            *BODIES["openai_responses"]["input"][2:],
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("upstream", WIRES)
@pytest.mark.parametrize("client", WIRES)
def test_text_tools_system_and_parameters_cross(client: WireName, upstream: WireName) -> None:
    body = sent(BODIES[client], client, upstream, model="gpt-4.1" if upstream == RESPONSES else "")
    own = {**BODIES[RESPONSES], "model": "gpt-4.1"}
    assert body == (own if client == upstream == RESPONSES else EXPECTED[upstream])


RECORDED = [
    pytest.param(exchange, wire, id=label(exchange))
    for wire, endpoint in ENDPOINT_OF.items()
    for exchange in exchanges(endpoint)
    if exchange["id"] in representatives() and exchange["response"]["status"] == 200
]


REFUSED = (
    "background:",
    "conversation:",
    "this model has no such tool",
    "takes no file by URL",
    "takes no audio",
    "'audio' block",
)
"""What in the recorded requests another API cannot do, in the words of the errors."""


@needs_corpus
@needs_field_rules
@pytest.mark.parametrize("exchange, client", RECORDED)
def test_every_recorded_request_crosses_or_is_refused_by_name(exchange: dict[str, Any], client: WireName) -> None:
    for upstream in WIRES:
        body = None
        try:
            body = None if upstream == client else sent(exchange["request"]["body"], client, upstream)
        except RequestError as error:
            refusal = str(error)
            if not any(words in refusal for words in REFUSED):
                raise
        if body is not None:
            assert violations(ENDPOINT_OF[upstream], body) == []


def texts(conversation: Any) -> list[str]:
    """Every text of the messages, its white space as one blank."""
    found = [each.get("content") if each.get("role") else None for each in objects(conversation)]
    found += [each.get("text") for each in objects(conversation) if each.get("type") in TEXTS | {"input_text"}]
    return [" ".join(text.split()) for text in found if isinstance(text, str) and text.strip()]


@needs_corpus
@pytest.mark.parametrize("exchange, client", RECORDED)
def test_every_text_and_call_of_a_recorded_request_arrives(exchange: dict[str, Any], client: WireName) -> None:
    given = exchange["request"]["body"]
    conversation = given.get("messages") or given.get("input") or []
    for upstream in WIRES:
        try:
            body = sent(given, client, upstream)
        except RequestError:
            continue  # the test above says why
        arrived = body.get("messages") or body.get("input") or []
        whole = " ".join(" ".join(strings(body)).split())
        assert [text for text in texts(conversation) if text not in whole] == []
        assert [call for call in calls_in(conversation) if call not in calls_in(arrived)] == []


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)


def test_the_pairs_are_all_there() -> None:
    assert set(BODIES) == set(EXPECTED) == {MESSAGES, CHAT, RESPONSES}
