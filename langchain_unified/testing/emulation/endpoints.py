"""The endpoints that the emulator serves: their addresses, their names, and the wire that each one speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from langchain_unified.caching.segments import Segment
from langchain_unified.request import JsonObject, Profile, Provider, WireName
from langchain_unified.wires import WIRES

MESSAGES, COUNT_TOKENS = "anthropic.messages", "anthropic.count_tokens"
CHAT, RESPONSES, INPUT_TOKENS = "openai.chat", "openai.responses", "openai.input_tokens"

ANTHROPIC = frozenset({MESSAGES, COUNT_TOKENS})
OPENAI = frozenset({CHAT, RESPONSES, INPUT_TOKENS})
OPENAI_ITEMS = frozenset({RESPONSES, INPUT_TOKENS})
"""The endpoints whose conversation is a list of items."""


@dataclass(frozen=True, slots=True)
class EmulatedEndpoint:
    """One address. `id_prefix` is how the ids of its replies begin; `counts_tokens`: it answers with a number only."""

    name: str
    provider: Provider
    wire: WireName
    id_prefix: str = ""
    counts_tokens: bool = False


ENDPOINTS: Mapping[str, EmulatedEndpoint] = {
    "/v1/messages": EmulatedEndpoint(MESSAGES, "anthropic", "anthropic_messages", "msg_"),
    "/v1/messages/count_tokens": EmulatedEndpoint(COUNT_TOKENS, "anthropic", "anthropic_messages", counts_tokens=True),
    "/v1/chat/completions": EmulatedEndpoint(CHAT, "openai", "openai_chat", "chatcmpl-"),
    "/v1/responses": EmulatedEndpoint(RESPONSES, "openai", "openai_responses", "resp_"),
    "/v1/responses/input_tokens": EmulatedEndpoint(INPUT_TOKENS, "openai", "openai_responses", counts_tokens=True),
}
"""By path."""

SEGMENTS: Mapping[str, Callable[[JsonObject, Profile], list[Segment]]] = {
    endpoint.name: WIRES[endpoint.wire].segments for endpoint in ENDPOINTS.values()
}
"""By endpoint name, how a body is split into the segments that a prompt cache sees."""


def total_tokens(segments: Iterable[Segment]) -> int:
    """The tokens of a prompt that is split into `segments`."""
    return sum(segment.tokens for segment in segments)
