"""A recorded answer goes through a client of another API and comes back: calls, proofs and texts are the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from langchain_unified.request import JsonObject, WireName
from langchain_unified.wires import DOORS, WIRES
from langchain_unified.wires._door import StreamSettings
from tests.gateway.crossing.crossed import CHAT, MESSAGES, RESPONSES, crossed
from tests.support.corpus import ENDPOINT_OF, label, needs_corpus, replies, representatives

# What the parts of an answer are called in each API's bodies.
TEXTS = {"text", "output_text"}
PROOF_KEYS = ("signature", "data", "encrypted_content")


def recorded() -> Iterator[Any]:
    for upstream in (MESSAGES, CHAT, RESPONSES):
        for exchange in replies(ENDPOINT_OF[upstream]):
            body = exchange["response"]["body"]
            if exchange["id"] in representatives() and not body.get("error"):
                yield pytest.param(exchange, upstream, id=label(exchange))


def question(client: WireName, *turns: JsonObject) -> JsonObject:
    key = "input" if client == RESPONSES else "messages"
    asked = {"thinking": {"type": "enabled", "budget_tokens": 2048}} if client == MESSAGES else {}
    return {"model": "m", "max_tokens": 9000, **asked, key: [{"role": "user", "content": "Hi"}, *turns]}


def turns_of(reply: JsonObject, client: WireName) -> list[JsonObject]:
    """What a client sends back of a reply, and its next question."""
    again = {"role": "user", "content": "Go on"}
    if client == MESSAGES:
        return [{"role": "assistant", "content": reply["content"]}, again]
    if client == RESPONSES:
        return [*reply["output"], again]
    return [reply["choices"][0]["message"], again]


def objects(value: Any) -> Iterator[JsonObject]:
    """Every object in a JSON value, in its order."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from objects(inner)


def calls_in(value: Any) -> list[tuple[str, str, Any]]:
    """The calls of the caller's tools: id, name, arguments."""
    found = []
    for each in objects(value):
        if each.get("type") == "tool_use":
            found.append((each["id"], each["name"], each["input"]))
        elif each.get("type") == "function_call":
            found.append((each["call_id"], each["name"], json.loads(each["arguments"] or "{}")))
        elif each.get("type") == "function" and "id" in each:
            function = each["function"]
            found.append((each["id"], function["name"], json.loads(function["arguments"] or "{}")))
    return found


def proofs_in(value: Any) -> list[str]:
    """What proves reasoning: signatures, encrypted content."""
    kinds = ("thinking", "redacted_thinking", "reasoning")
    blocks = (each for each in objects(value) if each.get("type") in kinds)
    return [each[key] for each in blocks for key in PROOF_KEYS if isinstance(each.get(key), str) and each[key]]


def texts_in(value: Any) -> list[str]:
    """The texts of an answer, without the white space around them."""
    parts = [each.get("text") for each in objects(value) if each.get("type") in TEXTS]
    if not parts:
        parts = [each.get("content") for each in objects(value)]
    return [text.strip() for text in parts if isinstance(text, str) and text.strip()]


@needs_corpus
@pytest.mark.parametrize("exchange, upstream", [*recorded()])
def test_what_a_model_answered_comes_back_to_it(exchange: dict[str, Any], upstream: WireName) -> None:
    reply = exchange["response"]["body"]
    content = reply["choices"] if upstream == CHAT else reply["output" if upstream == RESPONSES else "content"]
    for client in WIRES:
        if client == upstream:
            continue
        body = question(client)
        first = crossed(body, client, upstream)
        message = first.restore(WIRES[upstream].decode(reply)[0])
        door = DOORS[client]
        shown = door.render_reply(door.completion(message, StreamSettings(f"{door.id_prefix}1", "m")), body)
        second = crossed(question(client, *turns_of(shown, client)), client, upstream).plan.call.body
        key = "input" if upstream == RESPONSES else "messages"
        came = [each for each in second[key][1:] if each.get("role") not in ("user", "tool")]
        assert calls_in(came) == [call for call in calls_in(content) if call[0] not in answered(content)]
        if followed(content, upstream):
            assert proofs_in(came) == proofs_in(content)
        whole = " ".join(" ".join(texts_in(second[key])).split())
        for text in texts_in(seen(content)):
            assert " ".join(text.split()) in whole


def answered(content: Any) -> set[str]:
    """The calls that the provider ran itself, whose results stand in the answer."""
    return {str(each.get("call_id")) for each in objects(content) if str(each.get("type")).endswith("_call_output")}


SHOWN = ("text", "tool_use", "message", "function_call", "custom_tool_call")
"""The types of what the clients of every API see of an answer."""


def followed(content: Any, upstream: WireName) -> bool:
    """Whether reasoning is followed by what every client sees. Alone it is not sent back."""
    if upstream == CHAT:
        return True
    last = content[-1] if content else {}
    return not last or (last["type"] in SHOWN and bool(calls_in(last) or texts_in(last)))


def seen(content: Any) -> Any:
    """The answer without what a provider's tool gave, which not every API shows."""
    return [each for each in content if not str(each.get("type")).endswith(("_tool_result", "_call_output"))]
