"""Reasoning of servers of Chat Completions, which some of them need back, through clients of other APIs."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.chat_models._events import EventWriter
from langchain_unified.gateway.crossing import Crossing, cross
from langchain_unified.request import JsonObject, Profile, WireName
from langchain_unified.servers import known_dialect
from langchain_unified.wires import DOORS, WIRES
from langchain_unified.wires._door import StreamSettings
from tests.gateway.crossing.crossed import CHAT, MESSAGES, RESPONSES, SECRET
from tests.gateway.crossing.test_proofs import question, replayed

CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
MESSAGE = {"role": "assistant", "content": "I ask.", "reasoning_content": "Bern, hm.", "tool_calls": [CALL]}
MODEL = "deepseek-reasoner"


def on_deepseek(body: JsonObject, client: WireName, server: str = "deepseek", model: str = MODEL) -> Crossing:
    return cross(
        DOORS[client].read(body, {}), client=client, upstream=WIRES[CHAT], model=model, profile=Profile(),
        dialect=known_dialect(server, "openai"), secret=SECRET, on_unsupported="warn",
    )  # fmt: skip


def reply(message: JsonObject) -> JsonObject:
    choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
    return {"id": "x", "object": "chat.completion", "model": MODEL, "choices": [choice]}


def chunks(*deltas: JsonObject) -> list[JsonObject]:
    head = {"id": "x", "object": "chat.completion.chunk", "model": MODEL}
    parts = [*({"index": 0, "delta": delta, "finish_reason": None} for delta in deltas)]
    return [{**head, "choices": [part]} for part in [*parts, {"index": 0, "delta": {}, "finish_reason": "tool_calls"}]]


def sent_back(shown: JsonObject, client: WireName, **more: Any) -> list[JsonObject]:
    body = on_deepseek(question(client, *replayed(shown, client)), client, **more).plan.call.body
    return [message for message in body["messages"] if message["role"] == "assistant"]


@pytest.mark.parametrize("client", [MESSAGES, RESPONSES])
def test_a_server_gets_its_reasoning_back(client: WireName) -> None:
    body = question(client)
    crossing, door = on_deepseek(body, client), DOORS[client]
    message = crossing.restore(WIRES[CHAT].decode(reply(MESSAGE))[0])
    shown = door.render_reply(door.completion(message, StreamSettings("id_1", "m")), body)
    assert "Bern, hm." in str(shown)
    assert sent_back(shown, client) == [MESSAGE]
    assert sent_back(shown, client, model="deepseek-chat")[0]["reasoning_content"] != "Bern, hm."


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_a_stream_shows_the_text_as_it_comes_and_the_proof_at_its_end(field: str) -> None:
    crossing = on_deepseek(question(MESSAGES), MESSAGES)
    called = {"index": 0, **CALL}
    deltas = chunks({field: "Bern,"}, {field: " hm."}, {"content": "I "}, {"content": "ask."}, {"tool_calls": [called]})
    decoder, writer = WIRES[CHAT].stream_decoder(False), EventWriter("m")
    found = [crossing.restore(chunk) for delta in deltas for chunk in decoder.feed(delta)]
    found += [crossing.restore(chunk) for chunk in decoder.end(ended=True)]
    events = [event for chunk in found for event in writer.feed(chunk)] + list(writer.close())
    renderer = DOORS[MESSAGES].stream(question(MESSAGES), StreamSettings("msg_1", "m"))
    shown = [each for event in events for each in renderer.feed(event)]
    deltas_shown = [each["delta"] for each in shown if each["type"] == "content_block_delta"]
    assert [delta["type"] for delta in deltas_shown] == [
        "thinking_delta", "thinking_delta", "signature_delta", "text_delta", "text_delta", "input_json_delta",
    ]  # fmt: skip
    signature = next(delta["signature"] for delta in deltas_shown if "signature" in delta)
    content = [
        {"type": "thinking", "thinking": "Bern, hm.", "signature": signature},
        {"type": "text", "text": "I ask."},
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Bern"}},
    ]
    assert sent_back({"content": content}, MESSAGES) == [MESSAGE]


def test_a_chat_client_sends_it_back_as_it_came() -> None:
    turns = [MESSAGE, {"role": "tool", "tool_call_id": "call_1", "content": "12"}]
    body = on_deepseek(question(CHAT, *turns), CHAT).plan.call.body
    assert body["messages"][1] == MESSAGE
    plain = on_deepseek(question(CHAT, *turns), CHAT, server="openai", model="gpt-4.1").plan.call.body
    assert "reasoning_content" not in plain["messages"][1]
