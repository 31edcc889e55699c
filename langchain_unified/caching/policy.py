"""The policy of a model or a call for prompt caching: `PromptCache` and its short forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from langchain_unified.errors import ConfigurationError

LIFETIMES: Mapping[str, float] = {
    "5m": 300, "in_memory": 600, "30m": 1800, "1h": 3600, "12h": 43200, "24h": 86400,
}  # fmt: skip
"""How long a prefix is kept, in seconds. `in_memory` is the default of OpenAI's models before gpt-5.6, five to ten idle
minutes."""

REQUESTABLE_TTLS = tuple(name for name in LIFETIMES if name != "in_memory")
"""The TTLs that a caller may ask for."""

TAILS = ("follow_up", "always", "never")


@dataclass(frozen=True, slots=True)
class PromptCache:
    """A policy that sets prompt-cache marks, in addition to the caller's own. `"auto"` means `PromptCache()`.

    It marks

    1. the end of the system prompt; without a system prompt, the last tool
    2. the last text or document before the question, in the user's first messages
    3. the end of the previous call, and the end of this call

    Rule 3 applies once the conversation has an answer: a call without a follow-up does not pay for caching its
    question.

    - `ttl`: how long prefixes are kept, `5m` or `1h` (Anthropic), `30m` or `12h` (OpenAI), `24h` (OpenAI's models
      before gpt-5.6); absent, the provider's default. For a ttl that a provider does not have, the nearest or the
      default is sent, with an entry in `adjustments`.
    - `key`: OpenAI's `prompt_cache_key`; absent, a key is derived from the model, the tools and the system prompt, for
      models from gpt-5.6 on.
    - `tail`: `follow_up` (the default) as above; `always` applies rule 3 to the first call, too; `never` leaves out
      rules 2 and 3.
    - `enabled`: `False` sends no marks at all, not even the caller's. `"off"` means `PromptCache(enabled=False)`.

    Raises `ConfigurationError` for other values.
    """

    ttl: str | None = None
    key: str | None = None
    tail: Literal["follow_up", "always", "never"] = "follow_up"
    enabled: bool = True

    def __post_init__(self) -> None:
        if self.ttl is not None and self.ttl not in REQUESTABLE_TTLS:
            raise ConfigurationError(f"PromptCache has no ttl {self.ttl!r}. {TTL_REMEDY}")
        if self.tail not in TAILS:
            raise ConfigurationError(f"PromptCache has no tail {self.tail!r}. Give {', '.join(map(repr, TAILS))}.")
        if self.key is not None and not isinstance(self.key, str):
            raise ConfigurationError(f"The key of a PromptCache must be a str, not {type(self.key).__name__}.")
        if not isinstance(self.enabled, bool):
            raise ConfigurationError(f"PromptCache(enabled=…) must be True or False, not {self.enabled!r}.")


TTL_REMEDY = "Give '5m' or '1h' (Anthropic), '30m' or '12h' (OpenAI), '24h' (OpenAI before gpt-5.6), or leave it out."

Policy: TypeAlias = PromptCache | Literal["auto", "off"] | None

OFF = PromptCache(enabled=False)
AUTO = PromptCache()
_SHORT_FORMS = {"auto": AUTO, "off": OFF}


def policy_of(value: Any) -> PromptCache | None:
    """The policy for a value of `prompt_cache`: a `PromptCache`, its fields in a dict, `"auto"` or `"off"`.

    `None` is no policy: only the caller's marks are sent. Raises `ConfigurationError`.
    """
    if value is None or isinstance(value, PromptCache):
        return value
    if isinstance(value, str) and value in _SHORT_FORMS:
        return _SHORT_FORMS[value]
    if isinstance(value, Mapping) and value.keys() <= PromptCache.__dataclass_fields__.keys():
        return PromptCache(**value)
    raise ConfigurationError(f"prompt_cache must be None, 'auto', 'off' or a PromptCache, not {value!r}.")


def validated(value: Any) -> Any:
    """A valid `prompt_cache` as it was given; a dict becomes a `PromptCache`. Raises `ConfigurationError`."""
    policy = policy_of(value)
    return policy if isinstance(value, Mapping) else value
