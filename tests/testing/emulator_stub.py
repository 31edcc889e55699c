"""A codec small enough to be read at a glance, for tests of the emulator that are not about a wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_unified.request import Block, Params, Request, Turn
from langchain_unified.testing.emulation.codecs import Codec
from langchain_unified.testing.emulation.faults import FaultSource
from langchain_unified.testing.emulation.providers import EmulatedProviders
from langchain_unified.testing.emulation.script import AnswerSource
from langchain_unified.testing.emulation.server import Emulator
from langchain_unified.wires._completion import Completion


def read_request(body: Mapping[str, Any], headers: Mapping[str, str]) -> Request:
    given = body.get("messages", body.get("input", []))
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
    turns = tuple(Turn(item["role"], _blocks(item["content"])) for item in messages if "role" in item)
    params: Params = {"max_tokens": body["max_tokens"]} if "max_tokens" in body else {}
    return Request(str(body["model"]), turns, params=params, stream=bool(body.get("stream")))


def _blocks(content: Any) -> tuple[Block, ...]:
    if isinstance(content, str):
        return ({"type": "text", "text": content},)
    return tuple({"type": "text", "text": part.get("text", "")} for part in content)


def render_reply(completions: Sequence[Completion], body: Mapping[str, Any]) -> dict[str, Any]:
    first = completions[0]
    tokens = {name: getattr(first.tokens, name) for name in first.tokens.__slots__}
    items = [{"type": "message", "role": "assistant", "id": f"msg_{first.id}", "content": [
        {"type": "output_text", "text": block.get("text", "")} for block in first.blocks]}]  # fmt: skip
    return {"id": first.id, "model": first.model, "text": text_of(first), "tokens": tokens, "output": items}


def render_events(completions: Sequence[Completion], body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start"}
    for word in text_of(completions[0]).split():
        yield {"type": "content_block_delta", "text": word}
    yield {"type": "message_stop"}


def text_of(completion: Completion) -> str:
    return " ".join(str(block.get("text", "")) for block in completion.blocks)


STUB = Codec(read_request, render_reply, render_events)


def stubbed(script: Any = None, *, faults: Any = None, keys: frozenset[str] | None = None) -> Emulator:
    """An emulator whose wires are stubs."""
    return Emulator(EmulatedProviders(AnswerSource(script), FaultSource(faults), keys, codecs=lambda wire: STUB))
