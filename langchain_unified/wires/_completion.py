"""A server's answer before a wire renders it.

`serve` of each wire is the mirror of its codec: `read_request(body, headers) -> Request`, `render_reply(completion,
body) -> reply`, `render_events(completion, body) -> events`. Emulator and gateway use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_unified.request import Adjustment, JsonObject, WireName
from langchain_unified.request.blocks import Block
from langchain_unified.usage import FinishReason, without_tier
from langchain_unified.wires._shown import View, blocks_of


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a call used, in tokens. The input is `uncached + cache_read + cache_write_short + cache_write_long`.

    Short and long are 5 minutes and 1 hour on Anthropic, 30 minutes and 12 hours on OpenAI. `reasoning` is part of
    `output`.
    """

    uncached: int = 0
    cache_read: int = 0
    cache_write_short: int = 0
    cache_write_long: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def cache_write(self) -> int:
        """Everything written to the cache."""
        return self.cache_write_short + self.cache_write_long

    @property
    def input(self) -> int:
        """Everything that went in."""
        return self.uncached + self.cache_read + self.cache_write


@dataclass(frozen=True, slots=True)
class Upstream:
    """What the API that answered said beside the answer. `None` where it said nothing.

    `wire` spoke with it: its own `usage` goes out unchanged where the client speaks that API too. `logprobs` are
    entries of Chat Completions' form.
    """

    wire: WireName | None = None
    usage: Mapping[str, Any] | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    logprobs: list[JsonObject] | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered: blocks of the one dialect (`text`, `reasoning`, `tool_call`, `refusal`, `native`).

    `id` is the provider's reply id as it goes out. A `text` block may hold `annotations`, LangChain's citations; a
    `reasoning` block `extras.signature` or `extras.encrypted_content`. `created` is a Unix time in seconds. Without
    `upstream` the reply says of itself what its request asks for (the tier). `notes` name what is not shown.
    """

    id: str
    model: str
    blocks: tuple[Block, ...]
    finish_reason: FinishReason = "stop"
    tokens: Tokens = field(default_factory=Tokens)
    stop_sequence: str | None = None
    created: int = 0
    upstream: Upstream | None = None
    notes: tuple[Adjustment, ...] = ()


# --- of a decoded reply -----------------------------------------------------------------------------------------------


def completion_of(message: AIMessage, view: View, *, reply_id: str, model: str, created: int = 0) -> Completion:
    """A decoded reply as the clients of an API see it (`view`), under the given id, model and time."""
    blocks = tuple(blocks_of(message, view))
    more = {"id": reply_id, "model": model, "created": created, "blocks": blocks, "notes": tuple(view.notes)}
    return completed(message.response_metadata, message.usage_metadata, **more)


def answerable(completion: Completion, view: View, is_own: Callable[[JsonObject], bool]) -> Completion:
    """The completion with nothing in it that its API cannot answer with.

    `is_own`: whether a provider's block is one of this API.
    """
    blocks = [found for block in completion.blocks for found in _answerable(block, view, is_own)]
    if completion.upstream is not None and not view.notes and tuple(blocks) == completion.blocks:
        return completion
    notes = (*completion.notes, *view.notes)
    return replace(completion, blocks=tuple(blocks), notes=notes, upstream=completion.upstream or Upstream())


def _answerable(block: Block, view: View, is_own: Callable[[JsonObject], bool]) -> Iterable[Block]:
    if block["type"] in ANSWERS or (block["type"] == "native" and is_own(block["value"])):
        return (block,)
    if block["type"] == "native" or block["type"] == "unknown":
        return view.blocks({"type": "non_standard", "value": block["value"]})
    return view.blocks(cast(JsonObject, block))


ANSWERS = frozenset(
    {"text", "reasoning", "tool_call", "invalid_tool_call", "refusal", "server_tool_call", "server_tool_result",
     "foreign"}
)  # fmt: skip
"""The blocks that every API renders or leaves out."""


def completed(metadata: Mapping[str, Any], usage: UsageMetadata | None, **more: Any) -> Completion:
    """How an answer ended, and what it used. `more`: its id, model and blocks."""
    reason = cast(FinishReason, metadata.get("finish_reason") or "stop")
    stopped = metadata.get("stop_sequence")
    return Completion(
        **{"id": "", "model": "", "blocks": (), **more},
        finish_reason=reason,
        tokens=tokens_of(usage),
        stop_sequence=stopped if isinstance(stopped, str) else None,
        upstream=_upstream(metadata),
    )


def with_own_usage(counted: JsonObject, completion: Completion, wire: WireName) -> JsonObject:
    """The usage of a reply, with the counts of the API itself where it answered; an older one has fewer keys."""
    upstream = completion.upstream
    if upstream is None or upstream.wire != wire or not upstream.usage:
        return counted
    return merged(counted, upstream.usage)


def merged(known: JsonObject, given: Mapping[str, Any]) -> JsonObject:
    """`known` with what `given` has, object by object."""
    found = {**known, **given}
    for key, value in known.items():
        if isinstance(value, dict):
            found[key] = merged(value, given[key]) if isinstance(given.get(key), Mapping) else value
    return found


def tokens_of(usage: UsageMetadata | None) -> Tokens:
    """The counts of a message, whatever provider and tier they are of."""
    if not usage:
        return Tokens()
    received = without_tier(usage.get("input_token_details"))
    by_ttl = cast("Mapping[str, int]", usage.get("cache_creation_details") or {})
    read, written = received.get("cache_read", 0), received.get("cache_creation", 0)
    long = min(written, sum(count for name, count in by_ttl.items() if name in LONG_TTLS))
    return Tokens(
        uncached=max(0, usage["input_tokens"] - read - written),
        cache_read=read,
        cache_write_short=written - long,
        cache_write_long=long,
        output=usage["output_tokens"],
        reasoning=without_tier(usage.get("output_token_details")).get("reasoning", 0),
    )


LONG_TTLS = frozenset({"ephemeral_1h_input_tokens", "ttl_12h_tokens"})
"""The counts of tokens that are written for the longer of a provider's two lifetimes."""


def _upstream(metadata: Mapping[str, Any]) -> Upstream:
    logprobs = metadata.get("logprobs")
    entries = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    tier, fingerprint, usage = (metadata.get(key) for key in ("service_tier", "system_fingerprint", "token_usage"))
    usage = metadata.get("usage", usage)
    return Upstream(
        wire=_wire_of(metadata),
        usage=usage if isinstance(usage, Mapping) else None,
        service_tier=tier if isinstance(tier, str) else None,
        system_fingerprint=fingerprint if isinstance(fingerprint, str) else None,
        logprobs=entries if isinstance(entries, list) else None,
    )


def _wire_of(metadata: Mapping[str, Any]) -> WireName | None:
    """The wire that spoke with the provider, by what only its replies have."""
    if metadata.get("model_provider") == "anthropic":
        return "anthropic_messages"
    usage = metadata.get("usage") or metadata.get("token_usage")
    if not isinstance(usage, Mapping):
        return None
    return "openai_chat" if "prompt_tokens" in usage else "openai_responses"


# --- texts in pieces --------------------------------------------------------------------------------------------------


def pieces(text: str) -> Iterator[str]:
    """A text in the pieces a stream sends: a word with the space before it. Joined, they are the text."""
    yield from re.findall(r"\s*\S+|\s+$", text)


def json_pieces(text: str, size: int = 12) -> Iterator[str]:
    """Arguments in pieces of `size` characters. Streams split them anywhere."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
