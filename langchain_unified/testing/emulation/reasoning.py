"""What a model's answer shows of its reasoning."""

from __future__ import annotations

from dataclasses import replace

from langchain_unified.request.blocks import Block, changed
from langchain_unified.testing.emulation.exchange import Exchange
from langchain_unified.testing.emulation.servers import EmulatedServer
from langchain_unified.wires._completion import Completion


def thought_of(completion: Completion) -> str:
    """The reasoning of a completion."""
    return "".join(block["reasoning"] for block in completion.blocks if block["type"] == "reasoning")


def with_thought(completion: Completion, server: EmulatedServer, exchange: Exchange) -> Completion:
    """The completion with reasoning, where the server's model thinks without being asked."""
    reasons = server.reasons is not None and server.reasons(exchange.body)
    if not reasons or any(block["type"] == "reasoning" for block in completion.blocks):
        return completion
    thought: Block = {"type": "reasoning", "reasoning": "The last message asks for this answer."}
    return replace(completion, blocks=(thought, *completion.blocks))


def visible_reasoning(block: Block, exchange: Exchange) -> Block:
    """A reasoning block with only those parts that the request asks to see. Other blocks are unchanged."""
    if block["type"] != "reasoning":
        return block
    body, extras = exchange.body, dict(block.get("extras") or {})
    if exchange.endpoint.provider == "anthropic":
        omitted = (body.get("thinking") or {}).get("display") == "omitted"
        return changed(block, reasoning="", extras=extras) if omitted else block
    if "reasoning.encrypted_content" not in (body.get("include") or ()):
        extras.pop("encrypted_content", None)
    summary = (body.get("reasoning") or {}).get("summary")
    return changed(block, reasoning=block["reasoning"] if summary else "", extras=extras)
