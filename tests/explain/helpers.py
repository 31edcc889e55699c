"""What the tests of `explain_cache` share: calls, and what the emulator reads of them."""

from __future__ import annotations

from typing import Any

from langchain_unified import CacheExplanation, ChatUnified, explain_cache
from langchain_unified.testing.emulation.cache import Clock, EmulatedCache
from langchain_unified.testing.emulation.endpoints import SEGMENTS
from langchain_unified.wires import WIRES
from tests.support.corpus import ENDPOINT_OF

CALL = {"type": "tool_call", "id": "call_1", "name": "search", "args": {"query": "x" * 400, "limit": 5}}
IMAGE = {"type": "image", "url": "https://example.com/a.png"}
ANSWER = {
    "title": "Answer", "type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"],
    "additionalProperties": False,
}  # fmt: skip


def words(tokens: int, letter: str = "a") -> str:
    """A text of so many tokens, by the estimate of four characters each."""
    return letter * 4 * tokens


def tool(name: str, tokens: int = 1200) -> dict[str, Any]:
    properties = {"query": {"type": "string"}, "limit": {"type": "integer"}}
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": words(tokens, name[0]),
            "parameters": {"type": "object", "properties": properties, "required": ["query"]},
        },
    }


Expected = tuple[str, str]

HIT: Expected = ("hit_expected", "none")


def miss(cause: str) -> Expected:
    return "miss_expected", cause


def partial(cause: str) -> Expected:
    return "partial_expected", cause


def read_by_emulator(previous: Any, following: Any, elapsed: float) -> tuple[int, int]:
    """What the later call reads from a fresh cache after the earlier one, and what the earlier one wrote, in tokens."""
    cache = EmulatedCache(Clock())
    found = []
    for report in (previous, following):
        endpoint, body = ENDPOINT_OF[report.wire], WIRES[report.wire].encode(report.request).body
        hit = cache.look_up(endpoint, body, report.request.profile, SEGMENTS[endpoint](body, report.request.profile))
        cache.commit(hit)
        cache.clock.advance(elapsed)
        found.append(hit.tokens)
    return found[1].cache_read, found[0].cache_write


def explained(previous: Any, following: Any, elapsed: float = 1.0) -> CacheExplanation:
    """An explanation that agrees with the emulator."""
    found = explain_cache(previous, following, elapsed=elapsed)
    read, _ = read_by_emulator(previous, following, elapsed)
    assert found.reusable_tokens == read
    assert (found.verdict == "miss_expected") == (read == 0)
    assert str(found)
    return found


def claude(name: str = "claude-sonnet-5", **settings: Any) -> ChatUnified:
    return ChatUnified(f"anthropic/{name}", api_key="any", on_unsupported="ignore", **settings)


def gpt(name: str = "gpt-5.6", **settings: Any) -> ChatUnified:
    return ChatUnified(f"openai/{name}", api_key="any", on_unsupported="ignore", **settings)
