"""Reasoning survives a client of another API, byte for byte, or is left out by name."""

from __future__ import annotations

import base64
import copy
import random
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_unified.gateway.crossing import Crossing, holds_proofs
from langchain_unified.gateway.crossing.proofs import MAX_SEAL, PREFIX, Proofs, is_seal
from langchain_unified.request import JsonObject, WireName
from langchain_unified.wires import DOORS, WIRES
from langchain_unified.wires._door import StreamSettings
from tests.gateway.crossing.crossed import CHAT, MESSAGES, RESPONSES, SECRET, crossed, noted
from tests.support.corpus import ENDPOINT_OF, needs_corpus, sse_events, streams

TOOL_CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern"}}
THINKING = {"type": "thinking", "thinking": "Bern, so I ask\n\nfor it.", "signature": "EqoBCkgIARABGAIiQL"}
REDACTED = {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"}
BARE = {"type": "thinking", "thinking": "", "signature": "only-a-signature=="}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "status": "completed",
        "arguments": '{"city":"Bern"}'}  # fmt: skip
PARTS = [{"type": "summary_text", "text": "**Bern**\n\nAsking."}, {"type": "summary_text", "text": "More."}]
ITEM = {"type": "reasoning", "id": "rs_1", "summary": PARTS, "encrypted_content": "gAAAAABo-qDm=="}

TOOLS: dict[WireName, list[JsonObject]] = {
    "anthropic_messages": [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}],
    "openai_chat": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
    "openai_responses": [{"type": "function", "name": "weather", "parameters": {"type": "object"}}],
}


def question(client: WireName, *turns: JsonObject) -> JsonObject:
    """The body of a client that asks, with the turns since."""
    messages = [{"role": "user", "content": "How warm is it in Bern?"}, *turns]
    key = "input" if client == RESPONSES else "messages"
    # A client of Messages that asks for no thinking gets none of another provider.
    asked = {"thinking": {"type": "enabled", "budget_tokens": 2048}} if client == MESSAGES else {}
    return {"model": "m", "max_tokens": 9000, "tools": TOOLS[client], **asked, key: messages}


def claude(*blocks: JsonObject) -> JsonObject:
    """A reply of Claude's."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [*blocks],
            "stop_reason": "tool_use", "stop_sequence": None, "usage": usage}  # fmt: skip


def gpt(*items: JsonObject) -> JsonObject:
    """A reply of the Responses API."""
    return {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-5.2",
            "output": [*items], "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}}  # fmt: skip


def shown(crossing: Crossing, reply: JsonObject, client: WireName, body: JsonObject) -> JsonObject:
    """The reply as the client sees it."""
    message = crossing.restore(crossing.plan.wire.decode(copy.deepcopy(reply))[0])
    door = DOORS[client]
    return door.render_reply(door.completion(message, StreamSettings("id_1", "m")), body)


def replayed(reply: JsonObject, client: WireName) -> list[JsonObject]:
    """The messages or items with which a client goes on after a reply."""
    if client == MESSAGES:
        results = [{"type": "tool_result", "tool_use_id": block["id"], "content": "12 °C"}
                   for block in reply["content"] if block["type"] == "tool_use"]  # fmt: skip
        return [{"role": "assistant", "content": reply["content"]}, {"role": "user", "content": results}]
    if client == RESPONSES:
        results = [{"type": "function_call_output", "call_id": item["call_id"], "output": "12 °C"}
                   for item in reply["output"] if item["type"] == "function_call"]  # fmt: skip
        return [*reply["output"], *results]
    message = reply["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "12 °C"} for call in message["tool_calls"]]
    return [message, *results]


def second_turn(reply: JsonObject, client: WireName, upstream: WireName, **more: Any) -> Crossing:
    """The second call of a client whose first one had this reply."""
    body = question(client)
    answer = shown(crossed(body, client, upstream), reply, client, body)
    return crossed(question(client, *replayed(answer, client)), client, upstream, **more)


@pytest.mark.parametrize("client", [CHAT, RESPONSES])
@pytest.mark.parametrize("blocks", [[THINKING], [REDACTED], [BARE], [THINKING, REDACTED], [BARE, THINKING]])
def test_claude_gets_its_thinking_back_unchanged(client: WireName, blocks: list[JsonObject]) -> None:
    body = second_turn(claude(*blocks, TOOL_CALL), client, MESSAGES).plan.call.body
    assert body["messages"][1]["content"] == [*blocks, TOOL_CALL]
    assert body["messages"][2]["content"][0]["tool_use_id"] == "toolu_1"


@pytest.mark.parametrize("client", [MESSAGES, CHAT])
def test_gpt_gets_its_reasoning_back_unchanged(client: WireName) -> None:
    items = second_turn(gpt(ITEM, CALL), client, RESPONSES).plan.call.body["input"]
    # Without ids: those of the items that follow are not known to clients of other APIs. (vercel/ai#12869)
    assert items[1] == {key: value for key, value in ITEM.items() if key != "id"}
    assert items[2]["call_id"] == "call_1"
    assert items[3] == {"type": "function_call_output", "call_id": "call_1", "output": "12 °C"}


def test_a_reply_on_its_own_api_keeps_its_proof() -> None:
    crossing = crossed(question(MESSAGES), MESSAGES, MESSAGES)
    message = crossing.restore(WIRES[MESSAGES].decode(claude(THINKING))[0])
    assert message.content == [THINKING]


@pytest.mark.parametrize("model", ["claude-opus-4-5", "claude-haiku-4-5"])
def test_another_model_does_not_get_it(model: str) -> None:
    crossing = second_turn(claude(THINKING, TOOL_CALL), RESPONSES, MESSAGES, model=model)
    assert crossing.plan.call.body["messages"][1]["content"] == [TOOL_CALL]
    assert "claude-sonnet-4-5 wrote it" in noted(crossing)["reasoning"]


def test_a_snapshot_is_its_alias() -> None:
    body = second_turn(
        claude(THINKING, TOOL_CALL), RESPONSES, MESSAGES, model="claude-sonnet-4-5-20250929"
    ).plan.call.body
    assert body["messages"][1]["content"] == [THINKING, TOOL_CALL]


def test_another_gateway_does_not_open_it() -> None:
    crossing = second_turn(claude(THINKING, TOOL_CALL), RESPONSES, MESSAGES, secret=b"another")
    assert crossing.plan.call.body["messages"][1]["content"] == [TOOL_CALL]
    assert "altered" in noted(crossing)["reasoning"]


def test_an_altered_proof_is_refused() -> None:
    proofs = Proofs(SECRET, MESSAGES, "claude-sonnet-4-5")
    seal = proofs.seal(THINKING)
    assert seal is not None
    assert proofs.open(seal).block == THINKING
    raw = bytearray(base64.b64decode(seal))
    for at in (len(raw) - 1, 6, 40, len(raw) // 2):
        changed = bytearray(raw)
        changed[at] ^= 1
        assert proofs.open(base64.b64encode(changed).decode()).block is None
    for text in (seal[:-4], seal + "AAAA", PREFIX, PREFIX + "!", PREFIX + "é", "A" * (MAX_SEAL + 4)):
        assert proofs.open(text).block is None


def test_a_proof_of_one_api_does_not_count_on_another() -> None:
    seal = Proofs(SECRET, MESSAGES, "a-model").seal(THINKING)
    assert seal is not None
    assert Proofs(SECRET, RESPONSES, "a-model").open(seal).block is None
    assert Proofs(SECRET, MESSAGES, "another-model").open(seal).block is None


def test_what_is_too_long_is_not_sealed() -> None:
    noise = random.Random(1).randbytes(MAX_SEAL).hex()
    assert Proofs(SECRET, MESSAGES, "m").seal({"type": "thinking", "thinking": noise, "signature": "s"}) is None


def test_a_body_shows_whether_it_holds_proofs() -> None:
    seal = Proofs(SECRET, MESSAGES, "m").seal(THINKING)
    assert is_seal(seal)
    assert holds_proofs(f'{{"signature":"{seal}"}}'.encode())
    assert not holds_proofs(b'{"signature":"EqoBCkgIARABGAIiQL"}')


@pytest.mark.parametrize("client, upstream", [(MESSAGES, RESPONSES), (RESPONSES, MESSAGES), (MESSAGES, MESSAGES)])
def test_sealed_reasoning_never_reaches_another_api(client: WireName, upstream: WireName) -> None:
    # The gateway's own proof, for a model behind a third API.
    seal = Proofs(SECRET, CHAT, "deepseek-chat").seal({"fields": {"reasoning_content": "hm"}})
    turn: JsonObject = {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": seal},
                                                         {"type": "text", "text": "12"}]}  # fmt: skip
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": seal}
    turns = [item, {"role": "assistant", "content": "12"}] if client == RESPONSES else [turn]
    crossing = crossed(question(client, *turns, {"role": "user", "content": "Sure?"}), client, upstream)
    assert "reasoning" in noted(crossing)
    assert str(seal) not in str(crossing.plan.call.body)
    assert "hm" not in str(crossing.plan.call.body)


@pytest.mark.parametrize("upstream", [CHAT, RESPONSES])
def test_a_raw_signature_is_dropped_with_a_note_and_never_becomes_text(upstream: WireName) -> None:
    turn = {"role": "assistant", "content": [THINKING, REDACTED, {"type": "text", "text": "Cold."}]}
    crossing = crossed(question(MESSAGES, turn, {"role": "user", "content": "Sure?"}), MESSAGES, upstream)
    assert "reasoning" in noted(crossing)
    assert "Bern, so I ask" not in str(crossing.plan.call.body)
    assert THINKING["signature"] not in str(crossing.plan.call.body)


# --- streams ----------------------------------------------------------------------------------------------------------


def restored(crossing: Crossing, events: list[JsonObject]) -> list[AIMessage]:
    """The chunks of a stream as the client must see them."""
    decoder = crossing.plan.wire.stream_decoder(False)
    chunks = [crossing.restore(chunk) for event in events for chunk in decoder.feed(event)]
    return [*chunks, *map(crossing.restore, decoder.end(ended=True))]


def reasoning_in(message: AIMessage) -> list[JsonObject]:
    content = message.content if isinstance(message.content, list) else []
    return [block for block in content if isinstance(block, dict) and block["type"] in ("thinking", "redacted_thinking",
                                                                                        "reasoning")]  # fmt: skip


def whole(chunks: list[AIMessage]) -> AIMessage:
    """The sum of a stream's chunks."""
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk  # type: ignore[assignment]
    return total


SEALED_KEYS = ("signature", "data", "encrypted_content")


@needs_corpus
@pytest.mark.parametrize("upstream, client", [(MESSAGES, RESPONSES), (RESPONSES, MESSAGES)])
def test_a_recorded_stream_seals_what_its_whole_holds(upstream: WireName, client: WireName) -> None:
    seen = 0
    for exchange in streams(ENDPOINT_OF[upstream]):
        events = sse_events(exchange["response"]["sse"])
        decoder = WIRES[upstream].stream_decoder(False)
        plain = [chunk for event in events for chunk in decoder.feed(event)]
        blocks = reasoning_in(whole([*plain, *decoder.end(ended=True)]))
        if not any(block.get(key) for block in blocks for key in SEALED_KEYS):
            continue
        crossing = crossed(question(client), client, upstream)
        sealed = reasoning_in(whole(restored(crossing, events)))
        opened = [Proofs(SECRET, upstream, crossing.plan.call.model).open(seal).block
                  for block in sealed for key in SEALED_KEYS if is_seal(seal := str(block.get(key)))]  # fmt: skip
        expected = [without_indexes(block) for block in blocks if any(block.get(key) for key in SEALED_KEYS)]
        assert opened == expected
        seen += 1
    assert seen >= 3


def without_indexes(block: JsonObject) -> JsonObject:
    found = {key: value for key, value in block.items() if key != "index"}
    if "summary" in found:
        found["summary"] = [{key: value for key, value in part.items() if key != "index"} for part in found["summary"]]
    return found
