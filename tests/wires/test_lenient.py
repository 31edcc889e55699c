"""What clients really send is read, with notes; the provider's own rules stay with the strict readers."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.errors import RequestError
from langchain_unified.request import JsonObject, WireName
from langchain_unified.wires import DOORS, WIRES
from langchain_unified.wires._door import Reading
from langchain_unified.wires.anthropic_messages import serve as messages
from langchain_unified.wires.openai_chat import serve as chat
from langchain_unified.wires.openai_responses import serve as responses
from tests.support.corpus import ENDPOINT_OF, exchanges, label, needs_corpus, representatives

STRICT = {"anthropic_messages": messages, "openai_chat": chat, "openai_responses": responses}
MESSAGES, CHAT, RESPONSES = WIRES
HI = {"role": "user", "content": "Hi"}
FUNCTION = {"name": "weather", "description": "The weather.", "parameters": {"type": "object", "properties": {}}}
NESTED = {"type": "function", "function": FUNCTION}


def read(wire: WireName, **body: Any) -> Reading:
    """A body of one question, with more keys, as the door reads it."""
    question = {"input": [HI]} if wire == RESPONSES else {"messages": [HI]}
    limit = {"max_tokens": 100} if wire == MESSAGES else {}
    return DOORS[wire].read({"model": "m", **question, **limit, **body}, {})


def whats(reading: Reading) -> list[str]:
    return [note["what"] for note in reading.notes]


def encoded(reading: Reading, wire: WireName) -> JsonObject:
    return WIRES[wire].encode(reading.request).body


RECORDED = [
    pytest.param(wire, exchange, id=label(exchange))
    for wire, endpoint in ENDPOINT_OF.items()
    for exchange in exchanges(endpoint)
    if exchange["id"] in representatives() and exchange["response"]["status"] == 200
]


@needs_corpus
@pytest.mark.parametrize("wire, exchange", RECORDED)
def test_what_the_provider_takes_is_read_as_before(wire: WireName, exchange: dict[str, Any]) -> None:
    body, headers = exchange["request"]["body"], exchange["request"]["headers"] or {}
    try:
        strict = STRICT[wire].read_request(body, headers)
    except RequestError:
        return
    assert DOORS[wire].read(body, headers) == Reading(strict)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("body", [None, [], "x", {}, {"model": 5}, {"model": "m"}, {"model": "m", "messages": 5}])
def test_what_is_no_request_is_refused_with_a_path(wire: WireName, body: Any) -> None:
    with pytest.raises(RequestError, match=r"The body|model|messages|input"):
        DOORS[wire].read(body, {})


# --- Messages ---------------------------------------------------------------------------------------------------------


def test_messages_a_limit_may_be_absent() -> None:
    reading = read(MESSAGES, max_tokens=None)
    assert "max_tokens" not in reading.request.params


def test_messages_a_name_and_an_unknown_tier_do_not_refuse_the_call() -> None:
    reading = read(MESSAGES, messages=[{**HI, "name": "anna"}], service_tier="flex")
    assert whats(reading) == ["name of a message"]
    assert reading.request.params["service_tier"] == "flex"


def test_messages_thinking_without_a_signature_and_broken_inputs_are_read() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": '{"city": "Bern"}'}
    empty = {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": None}
    turn = {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, call, empty]}
    reading = read(MESSAGES, messages=[HI, turn])
    thinking, first, second = reading.request.turns[1].blocks
    assert thinking["type"] == "native"
    assert (first["args"], second["args"]) == ({"city": "Bern"}, {})  # type: ignore[typeddict-item]


@pytest.mark.parametrize("tool", [NESTED, {"type": "function", **FUNCTION}])
def test_messages_openais_tools_and_words_are_read(tool: JsonObject) -> None:
    reading = read(MESSAGES, tools=[tool], tool_choice="required", stop_sequences="END")
    body = encoded(reading, MESSAGES)
    assert body["tools"] == [{"name": "weather", "description": "The weather.", "input_schema": FUNCTION["parameters"]}]
    assert body["tool_choice"] == {"type": "any"}
    assert body["stop_sequences"] == ["END"]


# --- Chat Completions -------------------------------------------------------------------------------------------------

PDF = "data:application/pdf;base64,JVBERi0xLjQK"
PNG = "data:image/png;base64,iVBORw0KGgo="


def test_chat_an_image_url_may_be_a_bare_string_of_a_pdf() -> None:
    # As LiteLLM's page on Anthropic shows it.
    parts = [{"type": "text", "text": "Read"}, {"type": "image_url", "image_url": PDF}]
    blocks = read(CHAT, messages=[{"role": "user", "content": parts}]).request.turns[0].blocks
    assert blocks[1] == {"type": "file", "base64": "JVBERi0xLjQK", "mime_type": "application/pdf"}
    picture = read(CHAT, messages=[{"role": "user", "content": [{"type": "image_url", "image_url": PNG}]}])
    assert picture.request.turns[0].blocks[0]["type"] == "image"


def test_chat_marks_are_read_on_messages_parts_and_tools() -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    reading = read(
        CHAT,
        messages=[
            {"role": "system", "content": "Long.", "cache_control": mark},
            {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": mark},
                                         {"type": "text", "text": "b"}]},
        ],
        tools=[{"type": "function", "function": FUNCTION, "cache_control": mark}],
    )  # fmt: skip
    assert [block.get("mark") for turn in reading.request.turns for block in turn.blocks] == [
        {"ttl": "1h"},
        {"ttl": "1h"},
        None,
    ]
    assert reading.request.tools[0].mark == {"ttl": "1h"}


def test_chat_both_limits_at_once_are_no_error() -> None:
    reading = read(CHAT, max_tokens=50, max_completion_tokens=70)
    assert reading.request.params["max_tokens"] == 70
    assert whats(reading) == ["max_tokens"]


def test_chat_flat_and_nested_tools_are_read_side_by_side() -> None:
    patch = {"type": "custom", "name": "patch", "description": "Patches.", "format": {"type": "text"}}
    anthropic = {"name": "bash", "description": "Runs.", "input_schema": {"type": "object", "properties": {}}}
    reading = read(
        CHAT,
        tools=[NESTED, {"type": "function", **FUNCTION, "name": "flat"}, patch, anthropic],
        tool_choice={"type": "function", "name": "flat"},
    )  # fmt: skip
    tools = encoded(reading, CHAT)["tools"]
    assert [tool[tool["type"]]["name"] for tool in tools] == ["weather", "flat", "patch", "bash"]
    assert [tool["type"] for tool in tools] == ["function", "function", "custom", "function"]
    assert encoded(reading, CHAT)["tool_choice"] == {"type": "function", "function": {"name": "flat"}}


@pytest.mark.parametrize(
    "choice, mode, names",
    [
        ({"type": "any"}, "any", ()),
        ({"type": "auto"}, "auto", ()),
        ({"type": "tool", "name": "weather"}, "tool", ("weather",)),
    ],
)
def test_chat_anthropics_tool_choice_is_read(choice: JsonObject, mode: str, names: tuple[str, ...]) -> None:
    reading = read(CHAT, tools=[NESTED], tool_choice=choice)
    assert reading.request.tool_choice is not None
    assert (reading.request.tool_choice.mode, reading.request.tool_choice.names) == (mode, names)


def test_chat_reasoning_comes_back_as_litellm_gives_it() -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": {"city": "Bern"}}}
    turn = {
        "role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "hm",
        "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "sig"}],
        "provider_specific_fields": {"x": 1}, "annotations": [],
    }  # fmt: skip
    reading = read(CHAT, messages=[HI, turn, {"role": "tool", "tool_call_id": "call_1", "content": {"warm": True}}])
    reasoning, made = reading.request.turns[1].blocks
    assert reasoning == {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "sig"}}
    assert made == {"type": "tool_call", "id": "call_1", "name": "weather", "args": {"city": "Bern"}}
    assert reading.request.turns[2].blocks == ({"type": "text", "text": '{"warm":true}'},)
    assert whats(reading) == ["provider_specific_fields of a message"]


def test_chat_a_servers_reasoning_without_proof_keeps_its_field() -> None:
    turn = {"role": "assistant", "content": "Hi", "reasoning_content": "hm"}
    found = read(CHAT, messages=[HI, turn]).request.turns[1]
    assert found.server == ""
    assert found.blocks[0] == {
        "type": "reasoning",
        "reasoning": "hm",
        "extras": {"fields": {"reasoning_content": "hm"}},
    }


def test_chat_thinking_of_litellms_clients_is_a_parameter() -> None:
    reading = read(CHAT, thinking={"type": "enabled", "budget_tokens": 1024}, top_k=5)
    assert reading.request.params["thinking"] == {"type": "enabled", "budget_tokens": 1024}
    assert reading.request.params["top_k"] == 5
    assert reading.request.extra_body == {}


def test_chat_a_body_of_the_responses_api_is_read_as_messages() -> None:
    # Cursor's agent mode (litellm#34029, CLIProxyAPI#658).
    body = {
        "model": "m", "instructions": "Be brief.", "max_output_tokens": 90, "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}, "verbosity": "low"},
        "tools": [{"type": "function", **FUNCTION}, {"type": "custom", "name": "patch"}],
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"},
                                         {"type": "input_image", "image_url": PNG}]},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"},
            {"type": "custom_tool_call", "call_id": "call_2", "name": "patch", "input": "***"},
            {"type": "function_call_output", "call_id": "call_1", "output": "12"},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "ok"}]},
        ],
    }  # fmt: skip
    reading = DOORS[CHAT].read(body, {})
    found = encoded(reading, CHAT)
    assert [message["role"] for message in found["messages"]] == ["system", "user", "assistant", "tool", "tool"]
    assert found["messages"][2]["tool_calls"] == [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
        {"id": "call_2", "type": "custom", "custom": {"name": "patch", "input": "***"}},
    ]
    assert found["max_completion_tokens"] == 90
    assert found["reasoning_effort"] == "low"
    assert found["verbosity"] == "low"
    assert found["response_format"]["json_schema"]["name"] == "a"
    assert whats(reading)[0] == "input"


# --- Responses --------------------------------------------------------------------------------------------------------


def test_responses_reasoning_needs_no_id_where_it_is_encrypted() -> None:
    # vercel/ai#12869; the provider takes it, so the strict reader does.
    item = {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}
    body = {"model": "m", "store": False, "input": [HI, item, {"role": "assistant", "content": "Hi"}]}
    request = responses.read_request(body)
    assert WIRES[RESPONSES].encode(request).body["input"] == body["input"]
    with pytest.raises(RequestError, match="id must be a string"):
        responses.read_request({"model": "m", "input": [HI, {"type": "reasoning", "summary": []}]})


def test_responses_chats_spellings_are_read() -> None:
    reading = read(
        RESPONSES,
        max_tokens=40,
        tools=[NESTED],
        tool_choice={"type": "function", "function": {"name": "weather"}},
        input=[
            {"role": "user", "content": [{"type": "text", "text": "Hi"},
                                         {"type": "image_url", "image_url": {"url": PNG}}]},
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": {"city": "Bern"}},
            {"role": "tool", "tool_call_id": "call_1", "content": "12"},
        ],
    )  # fmt: skip
    body = encoded(reading, RESPONSES)
    assert body["max_output_tokens"] == 40
    assert body["tools"][0] == {"type": "function", **FUNCTION}
    assert body["tool_choice"] == {"type": "function", "name": "weather"}
    assert [part["type"] for part in body["input"][0]["content"]] == ["input_text", "input_image"]
    assert body["input"][1]["arguments"] == '{"city":"Bern"}'
    assert body["input"][2] == {"type": "function_call_output", "call_id": "call_1", "output": "12"}


def test_responses_a_key_that_clients_add_to_messages_is_noted() -> None:
    reading = read(RESPONSES, input=[{**HI, "internal": {"turn": 1}}])
    assert whats(reading) == ["internal of a message"]
