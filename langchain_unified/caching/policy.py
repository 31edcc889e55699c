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

    Rule 3 applies once the conversation has an answer, and to a first call with tools: a call without a follow-up does
    not pay for caching its question.

    - `ttl`: how long prefixes are kept, `5m` or `1h` (Anthropic), `30m` or `12h` (OpenAI), `24h` (OpenAI's models
      before gpt-5.6); absent, the provider's default. For a ttl that a provider does not have, the nearest or the
      default is sent, with an entry in `adjustments`.
    - `key`: OpenAI's `prompt_cache_key`; absent, a key is derived from the model, the tools and the system prompt, for
      models from gpt-5.6 on.
    - `tail`: `follow_up` (the default) as above; `always` applies rule 3 to the first call, too; `never` leaves out
      rules 2 and 3.
    - `enabled`: `False` switches caching off: no marks go out, not even the caller's, and OpenAI's models from gpt-5.6
      on get the mode in which they write nothing. `"off"` means `PromptCache(enabled=False)`.
    - `partitions`: into how many keys a derived `key` is split, by the conversation; 1 by default. OpenAI serves about
      15 requests a minute with one key from one machine: give the requests a minute with one prefix, divided by 15.

    Each of these rules can be switched off with `False`; the report of an answer names the marks that they set.

    - `first_system_block`: of several system blocks the first is marked, too, and alone decides on the derived key: a
      static prompt before a block for each user is then shared by all users.
    - `first_call_with_tools`: a first call with tools marks its end, because the results of tools follow.
    - `earlier_turns`: on OpenAI every earlier end of a user or tool turn is marked. It reads at the latest 80 marks,
      and writes the last four.
    - `anchor`: on Anthropic, a mark in a conversation of more than 6 turns that stays for 6 turns, at least 4 turns
      back. It is read where the turns after it have changed: cleared tool results, removed screenshots.
    - `own_answers`: the previous call is the last one that this model answered, not another model in between.
    - `pauses`: on Anthropic, the end of a conversation is kept for an hour where pauses of 5 to 60 minutes make that
      cheaper.
    - `windows`: where two calls in a row lost the first messages of their conversation (a window over the last
      messages), rule 3 is left out until one keeps them.
    - `single_calls`: on OpenAI's models from gpt-5.6 on, which write a call without a mark as a whole: after two such
      calls that were not continued the next ones get the mode in which nothing is written.

    For the last three the model remembers when and how its conversations were continued, in this process only.

    - `gate`: `True` sends the first of several parallel calls with one prefix alone, until its answer begins; `False`
      by default. The others then read what it wrote. For `batch`, `abatch` and parallel calls of one model.

    Raises `ConfigurationError` for other values.
    """

    ttl: str | None = None
    key: str | None = None
    tail: Literal["follow_up", "always", "never"] = "follow_up"
    enabled: bool = True
    partitions: int = 1
    first_system_block: bool = True
    first_call_with_tools: bool = True
    earlier_turns: bool = True
    anchor: bool = True
    own_answers: bool = True
    pauses: bool = True
    windows: bool = True
    single_calls: bool = True
    gate: bool = False

    def __post_init__(self) -> None:
        if self.ttl is not None and self.ttl not in REQUESTABLE_TTLS:
            raise ConfigurationError(f"PromptCache has no ttl {self.ttl!r}. {TTL_REMEDY}")
        if self.tail not in TAILS:
            raise ConfigurationError(f"PromptCache has no tail {self.tail!r}. Give {', '.join(map(repr, TAILS))}.")
        if self.key is not None and not isinstance(self.key, str):
            raise ConfigurationError(f"The key of a PromptCache must be a str, not {type(self.key).__name__}.")
        for name in SWITCHES:
            if not isinstance(value := getattr(self, name), bool):
                raise ConfigurationError(f"PromptCache({name}=…) must be True or False, not {value!r}.")
        if type(self.partitions) is not int or self.partitions < 1:
            raise ConfigurationError(f"PromptCache(partitions=…) must be 1 or more, not {self.partitions!r}.")

    @property
    def remembers(self) -> bool:
        """Whether a rule needs to know the calls before."""
        return self.enabled and (self.pauses or self.windows or self.single_calls)

    def written(self) -> dict[str, Any]:
        """The fields for a serialised model: the first four, and of the others those that are not the default."""
        default = PromptCache()
        return {
            name: value
            for name, value in ((name, getattr(self, name)) for name in self.__dataclass_fields__)
            if name in ALWAYS_WRITTEN or value != getattr(default, name)
        }


SWITCHES = (
    "enabled", "first_system_block", "first_call_with_tools", "earlier_turns", "anchor", "own_answers", "pauses",
    "windows", "single_calls", "gate",
)  # fmt: skip
"""The fields that are `True` or `False`."""

ALWAYS_WRITTEN = ("ttl", "key", "tail", "enabled")


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
