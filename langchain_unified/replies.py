"""One view of an answer, whoever gave it: what is said about a message under one name each, and nothing else.

    answer = reply(model.invoke("Hello"))
    answer.content, answer.finish_reason, answer.input_tokens, answer.cost.total

It reads the messages and the stream's chunks of both providers, and those of other LangChain packages as far as they
tell. What a message does not tell is `None`, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from langchain_core.messages import AIMessage, ToolCall
from langchain_core.messages.ai import UsageMetadata

from langchain_unified.cost import Cost, from_cache, message_cost
from langchain_unified.cost.prices import CallerPrices, Prices
from langchain_unified.cost.units import plain_details
from langchain_unified.errors import ConfigurationError, joined
from langchain_unified.usage import ANTHROPIC_FINISH, CHAT_FINISH, RESPONSES_INCOMPLETE, FinishReason, finish


def reply(message: AIMessage, *, prices: Prices | None = None) -> Reply:
    """The view of an `AIMessage` or `AIMessageChunk`. `prices`: as for `message_cost`.

    Raises `ConfigurationError`, which is a `TypeError` here, for anything else.
    """
    if not isinstance(message, AIMessage):
        raise joined(ConfigurationError, TypeError)(
            f"reply() reads an AIMessage or AIMessageChunk, as model.invoke(…) gives it, not {type(message).__name__}."
        )
    return Reply(message, CallerPrices.of(prices))


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """A read-only view of one message; everything is read when it is asked for."""

    message: AIMessage
    prices: CallerPrices

    # --- what was said ---

    @property
    def content(self) -> str:
        """The text; empty where there is none."""
        return str(self.message.text)

    @property
    def reasoning(self) -> str | None:
        """The text of the model's reasoning, or of its summary; `None` where it shows none."""
        said = [block.get("reasoning") for block in self.message.content_blocks if block["type"] == "reasoning"]
        # Servers that speak OpenAI's API write it beside the content.
        beside = [self.message.additional_kwargs.get(key) for key in ("reasoning_content", "reasoning")]
        return "\n\n".join(text for text in said or beside if isinstance(text, str) and text) or None

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The calls of the caller's tools; empty where there are none. Of a chunk: as far as they came."""
        return list(self.message.tool_calls)

    # --- how it ended ---

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why it ended, in the same words for every provider; `None` in mid-stream."""
        said, raw = self._said.get("finish_reason"), self.finish_reasons
        if said in get_args(FinishReason):
            return said
        if raw is None:
            return None
        if raw[0] == "completed":
            return "tool_calls" if self.message.tool_calls else "stop"
        return finish(FINISH, raw[0].lower())

    @property
    def finish_reasons(self) -> list[str] | None:
        """The provider's own words for it; one, as a message is one choice of a reply."""
        incomplete = self._said.get("incomplete_details")
        own = incomplete.get("reason") if isinstance(incomplete, Mapping) else None
        said = (self._said.get("stop_reason"), self._said.get("finish_reason"), own, self._said.get("status"))
        found = next((reason for reason in said if isinstance(reason, str) and reason), None)
        return None if found is None else [found]

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """`finish_reason` in a list."""
        return None if self.finish_reason is None else [self.finish_reason]

    # --- where it is from ---

    @property
    def id(self) -> str | None:
        """The provider's id of the reply, else LangChain's id of the message."""
        return self._text("id") or self.message.id

    @property
    def model(self) -> str | None:
        """The model that answered, in the provider's words."""
        return self._text("model_name") or self._text("model")

    @property
    def provider(self) -> str | None:
        """`anthropic`, `openai`, or what another package calls its provider."""
        return self._text("model_provider")

    @property
    def request_id(self) -> str | None:
        """What a provider's support asks for."""
        headers = self._said.get("headers")
        named = {str(key).lower(): value for key, value in headers.items()} if isinstance(headers, Mapping) else {}
        return self._text("request_id") or named.get("request-id") or named.get("x-request-id")

    @property
    def from_cache(self) -> bool:
        """Whether LangChain's own cache (`set_llm_cache`) gave it, at no cost."""
        return from_cache(self.message)

    # --- what it took ---

    @property
    def usage(self) -> UsageMetadata | None:
        """LangChain's token counts."""
        usage = self.message.usage_metadata
        return usage if usage and "input_tokens" in usage else None

    @property
    def input_tokens(self) -> int | None:
        """All that went in, cached or not."""
        return self.usage["input_tokens"] if self.usage else None

    @property
    def cached_tokens(self) -> int | None:
        """What of it was read from the provider's prompt cache."""
        details = self.usage.get("input_token_details") if self.usage else None
        return plain_details(details).get("cache_read")

    @property
    def output_tokens(self) -> int | None:
        """All that came out, reasoning included."""
        return self.usage["output_tokens"] if self.usage else None

    @property
    def cost(self) -> Cost:
        """What it cost: `cost.total` is `None` where that is not known, and `cost.reason` says why."""
        return message_cost(self.message, self.prices)

    @property
    def cost_metadata(self) -> Cost:
        """`cost`, under the name that Mirascope gives it."""
        return self.cost

    @property
    def prompt_cache(self) -> Mapping[str, Any] | None:
        """What became of the prompt cache: `status`, `read`, `written`, and the marks sent and dropped."""
        said = self._said.get("prompt_cache")
        return said if isinstance(said, Mapping) else None

    # --- helpers ---

    @property
    def _said(self) -> Mapping[str, Any]:
        return self.message.response_metadata

    def _text(self, key: str) -> str | None:
        value = self._said.get(key)
        return value if isinstance(value, str) and value else None

    def __repr__(self) -> str:
        text = self.content if len(self.content) <= SHOWN else self.content[: SHOWN - 1] + "…"
        who = "/".join(part for part in (self.provider, self.model) if part)
        cached = f" ({self.cached_tokens:,} cached)" if self.cached_tokens else ""
        tokens = f"{self.input_tokens:,} in{cached}, {self.output_tokens:,} out" if self.usage else None
        calls = ", ".join(call["name"] for call in self.tool_calls)
        cost = self.cost.short() if self.usage else None
        parts = [who, repr(text), calls and f"calls {calls}", self.finish_reason, tokens, cost]
        return f"<Reply {', '.join(part for part in parts if part)}>"


SHOWN = 60
"""How much of a text `repr` shows."""

FINISH: Mapping[str, FinishReason] = {
    **ANTHROPIC_FINISH,
    **CHAT_FINISH,
    **RESPONSES_INCOMPLETE,
    "failed": "error",
    "in_progress": "pause",
    "queued": "pause",
}
"""A provider's own word -> the common one, for messages of packages that keep only their own."""
