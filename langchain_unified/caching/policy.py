"""What the caller wants of prompt caching: `PromptCache`, and the short forms of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from langchain_unified.errors import ConfigurationError

LIFETIMES: Mapping[str, float] = {
    "5m": 300, "in_memory": 600, "30m": 1800, "1h": 3600, "12h": 43200, "24h": 86400,
}  # fmt: skip
"""How long a prefix lives, in seconds. `in_memory`, OpenAI's default before gpt-5.6, is five to ten idle minutes."""

TTLS = tuple(name for name in LIFETIMES if name != "in_memory")
"""Lifetimes that a caller may ask for."""

TAILS = ("follow_up", "always", "never")


@dataclass(frozen=True, slots=True)
class PromptCache:
    """Prompt caching that sets its own marks, beside those that the caller wrote. `"auto"` is `PromptCache()`.

    Marked are: the end of the system prompt (without one, the last tool); the material that stands before the first
    question in the user's own message; the end of what the call before this one sent, and the end of this one. The
    last two only from the second call of a conversation on, so that a call that stays alone pays for writing no more
    than it must.

    `ttl`: how long prefixes should live, `5m` or `1h` on Anthropic, `30m` or `12h` on OpenAI, `24h` on OpenAI's older
    models; absent, the provider's default. A lifetime that a provider does not have is noted in `adjustments`.
    `key`: OpenAI's `prompt_cache_key`; absent, one is derived from the model, the tools and the system prompt.
    `tail`: when the end of the conversation is marked, `follow_up` (once it has an answer), `always`, or `never` (only
    tools and system prompt). `enabled=False`, or `"off"`: no mark is sent, not even those that the caller wrote.
    Raises `ConfigurationError` for other values.
    """

    ttl: str | None = None
    key: str | None = None
    tail: Literal["follow_up", "always", "never"] = "follow_up"
    enabled: bool = True

    def __post_init__(self) -> None:
        if self.ttl is not None and self.ttl not in TTLS:
            raise ConfigurationError(f"PromptCache has no ttl {self.ttl!r}. {TTL_REMEDY}")
        if self.tail not in TAILS:
            raise ConfigurationError(f"PromptCache has no tail {self.tail!r}: give {', '.join(TAILS)}.")
        if self.key is not None and not isinstance(self.key, str):
            raise ConfigurationError(f"PromptCache wants a str as key, not {type(self.key).__name__}.")
        if not isinstance(self.enabled, bool):
            raise ConfigurationError(f"PromptCache wants True or False as enabled, not {self.enabled!r}.")


TTL_REMEDY = "Give '5m' or '1h' (Anthropic), '30m' or '12h' (OpenAI), '24h' (OpenAI before gpt-5.6), or leave it out."

Policy: TypeAlias = PromptCache | Literal["auto", "off"] | None

OFF = PromptCache(enabled=False)
AUTO = PromptCache()
_WORDS = {"auto": AUTO, "off": OFF}


def policy_of(value: Any) -> PromptCache | None:
    """A setting of `prompt_cache` as a `PromptCache`, of which its fields in a dict are another form.

    `None` stands for the caller's marks alone. Raises `ConfigurationError`.
    """
    if value is None or isinstance(value, PromptCache):
        return value
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if isinstance(value, Mapping) and value.keys() <= PromptCache.__dataclass_fields__.keys():
        return PromptCache(**value)
    raise ConfigurationError(f"prompt_cache is None, 'auto', 'off' or a PromptCache(…), not {value!r}.")


def checked(value: Any) -> Any:
    """A model's `prompt_cache` as it was given, a dict as what it means. Raises `ConfigurationError`."""
    policy = policy_of(value)
    return policy if isinstance(value, Mapping) else value
