"""`reply`: one view of an answer, with the same names for every provider.

    answer = reply(model.invoke("Hello"))
    answer.content, answer.finish_reason, answer.input_tokens, answer.cost.total

It reads messages and chunks of a stream, from both providers and from other LangChain packages. What a message does not
contain is `None`, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from langchain_core.messages import AIMessage, ToolCall
from langchain_core.messages.ai import UsageMetadata

from langchain_unified.cost import Cost, from_cache, message_cost
from langchain_unified.cost.prices import CallerPrices, Prices
from langchain_unified.errors import ConfigurationError, joined
from langchain_unified.usage import (
    ANTHROPIC_FINISH,
    CHAT_FINISH,
    RESPONSES_INCOMPLETE,
    FinishReason,
    common_finish_reason,
    without_tier,
)


def reply(message: AIMessage, *, prices: Prices | None = None) -> Reply:
    """Return a view of an answer, with the same names for every provider: text, tool calls, usage, cost and more.

    `message`: an `AIMessage` or `AIMessageChunk`. `prices`: as for `message_cost`.
    Raises `ConfigurationError`, here also a `TypeError`, for anything else.
    """
    if not isinstance(message, AIMessage):
        raise joined(ConfigurationError, TypeError)(
            f"reply() takes an AIMessage or AIMessageChunk, as model.invoke(…) gives, not {type(message).__name__}."
        )
    return Reply(message, CallerPrices.of(prices))


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """A read-only view of one message. What the message does not contain is `None`."""

    message: AIMessage
    prices: CallerPrices

    # --- content ---

    @property
    def content(self) -> str:
        """The text; empty without any."""
        return str(self.message.text)

    @property
    def reasoning(self) -> str | None:
        """The text of the model's reasoning or of its summary; `None` where the message has none."""
        texts = [block.get("reasoning") for block in self.message.content_blocks if block["type"] == "reasoning"]
        # Other servers with OpenAI's API put it beside the content.
        beside = [self.message.additional_kwargs.get(key) for key in ("reasoning_content", "reasoning")]
        return "\n\n".join(text for text in texts or beside if isinstance(text, str) and text) or None

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The calls of the caller's tools; empty without any. A chunk has those that are complete so far."""
        return list(self.message.tool_calls)

    # --- finish reason ---

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the answer ended, in common terms: `stop`, `tool_calls`, `length`, …; `None` before a stream ends."""
        common, raw = self._metadata.get("finish_reason"), self.finish_reasons
        if common in get_args(FinishReason):
            return common
        if raw is None:
            return None
        if raw[0] == "completed":
            return "tool_calls" if self.message.tool_calls else "stop"
        return common_finish_reason(FINISH_REASONS, raw[0].lower())

    @property
    def finish_reasons(self) -> list[str] | None:
        """The provider's own finish reason, in a list of one."""
        metadata = self._metadata
        incomplete = metadata.get("incomplete_details")
        detail = incomplete.get("reason") if isinstance(incomplete, Mapping) else None
        candidates = (metadata.get("stop_reason"), metadata.get("finish_reason"), detail, metadata.get("status"))
        found = next((reason for reason in candidates if isinstance(reason, str) and reason), None)
        return None if found is None else [found]

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """`finish_reason` in a list of one."""
        return None if self.finish_reason is None else [self.finish_reason]

    # --- origin ---

    @property
    def id(self) -> str | None:
        """The provider's id of the reply, which a stream's last chunk has; else LangChain's id of the message."""
        return self._string("id") or self.message.id

    @property
    def model(self) -> str | None:
        """The model that answered, by the provider's name for it."""
        return self._string("model_name") or self._string("model")

    @property
    def provider(self) -> str | None:
        """`anthropic`, `openai`, or another package's name of its provider."""
        return self._string("model_provider")

    @property
    def request_id(self) -> str | None:
        """The id of the HTTP request, which a provider's support asks for."""
        headers = self._metadata.get("headers")
        named = {str(key).lower(): value for key, value in headers.items()} if isinstance(headers, Mapping) else {}
        return self._string("request_id") or named.get("request-id") or named.get("x-request-id")

    @property
    def from_cache(self) -> bool:
        """Whether it comes from LangChain's own cache (`set_llm_cache`), at no cost."""
        return from_cache(self.message)

    # --- usage and cost ---

    @property
    def usage(self) -> UsageMetadata | None:
        """LangChain's `usage_metadata`."""
        usage = self.message.usage_metadata
        return usage if usage and "input_tokens" in usage else None

    @property
    def input_tokens(self) -> int | None:
        """All tokens of the prompt, cached ones included."""
        return self.usage["input_tokens"] if self.usage else None

    @property
    def cached_tokens(self) -> int | None:
        """The input tokens that were read from the provider's prompt cache."""
        details = self.usage.get("input_token_details") if self.usage else None
        return without_tier(details).get("cache_read")

    @property
    def output_tokens(self) -> int | None:
        """All tokens of the answer, its reasoning included."""
        return self.usage["output_tokens"] if self.usage else None

    @property
    def cost(self) -> Cost:
        """What it cost. `cost.total` is `None` where that is not known, and `cost.reason` says why."""
        return message_cost(self.message, self.prices)

    @property
    def cost_metadata(self) -> Cost:
        """`cost`, under the name that Mirascope gives it."""
        return self.cost

    @property
    def prompt_cache(self) -> Mapping[str, Any] | None:
        """The report on prompt caching: `status`, `read`, `written`, `marks_sent` and `marks_dropped`."""
        report = self._metadata.get("prompt_cache")
        return report if isinstance(report, Mapping) else None

    # --- helpers ---

    @property
    def _metadata(self) -> Mapping[str, Any]:
        return self.message.response_metadata

    def _string(self, key: str) -> str | None:
        value = self._metadata.get(key)
        return value if isinstance(value, str) and value else None

    def __repr__(self) -> str:
        text = self.content if len(self.content) <= REPR_CHARACTERS else self.content[: REPR_CHARACTERS - 1] + "…"
        model = "/".join(part for part in (self.provider, self.model) if part)
        cached = f" ({self.cached_tokens:,} cached)" if self.cached_tokens else ""
        tokens = f"{self.input_tokens:,} in{cached}, {self.output_tokens:,} out" if self.usage else None
        calls = ", ".join(call["name"] for call in self.tool_calls)
        cost = self.cost.short() if self.usage else None
        parts = [model, repr(text), calls and f"calls {calls}", self.finish_reason, tokens, cost]
        return f"<Reply {', '.join(part for part in parts if part)}>"


REPR_CHARACTERS = 60
"""The most characters of the text in a `repr`."""

FINISH_REASONS: Mapping[str, FinishReason] = {
    **ANTHROPIC_FINISH,
    **CHAT_FINISH,
    **RESPONSES_INCOMPLETE,
    "failed": "error",
    "in_progress": "pause",
    "queued": "pause",
}
"""By a provider's own finish reason, the common one: for messages of packages that have only the provider's."""
