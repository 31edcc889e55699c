"""The nouns of keys and spend: settings, a caller, a key's record, a reservation. No field holds a key or its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from langchain_unified.request import JsonObject

MASTER, ANONYMOUS, UNVERIFIED = "master", "anonymous", "unverified"
"""Ids of callers without a virtual key: the master key, a gateway without one, any key while the store is away."""


@dataclass(frozen=True, slots=True)
class KeySettings:
    """How keys are checked and where they are stored.

    - `master_key`: begins with `sk-`. Without it every caller may do everything, and no virtual key can be made.
    - `database_url`: `sqlite:///path`, `postgresql://…`; `None` holds keys and spend in memory, for one process alone.
    - `key_cache_seconds`: how long a process uses a key as it read it. Limits, budgets, deletion and expiry are
      checked in the store at every call; models, aliases and metadata may be this old.
    - `allow_requests_on_db_unavailable`: while the store is away, calls are accepted without limits, with any key of
      the right form. Their spend is written when the store is back. The default refuses them with 503.
    - `call_timeout`: seconds after which a reservation of a process that crashed is given back.
    - `pool_size`: connections of one process to PostgreSQL.
    """

    master_key: str | None = field(default=None, repr=False)
    database_url: str | None = field(default=None, repr=False)
    key_cache_seconds: float = 10.0
    allow_requests_on_db_unavailable: bool = False
    call_timeout: float = 600.0
    pool_size: int = 5


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A virtual key as it is stored, without its hash. Amounts are USD, times milliseconds since 1970.

    `spend`: of the budget period that starts at `period`; `total_spend`: of all periods. `reserved`: held by the
    `in_flight` calls. `minute`: the minute that `minute_requests` and `minute_tokens` count.
    """

    key_id: str
    key_name: str
    key_alias: str | None
    user_id: str | None
    models: tuple[str, ...]
    aliases: Mapping[str, str]
    metadata: JsonObject
    created_at: int
    expires_at: int | None
    max_budget: Decimal | None
    budget_duration: str | None
    rpm_limit: int | None
    tpm_limit: int | None
    max_parallel: int | None
    period: int = 0
    spend: Decimal = Decimal(0)
    total_spend: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    in_flight: int = 0
    minute: int = 0
    minute_requests: int = 0
    minute_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `models`: names and patterns with `*`, empty for all. `aliases`: by requested name, the model meant.

    `max_budget` in USD. `has_budget`, `has_limits`: whether a call needs an estimate of its cost or tokens.
    """

    key_id: str
    name: str
    is_master: bool = False
    models: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    metadata: JsonObject = field(default_factory=dict)
    user_id: str | None = None
    expires_at: int | None = None
    max_budget: Decimal | None = None
    budget_duration: str | None = None
    rpm_limit: int | None = None
    tpm_limit: int | None = None
    max_parallel: int | None = None

    @property
    def may_do_everything(self) -> bool:
        """The master key, or a gateway without one."""
        return self.is_master or self.key_id == ANONYMOUS

    @property
    def has_budget(self) -> bool:
        """Whether calls must be estimated in USD before they are sent."""
        return self.max_budget is not None

    @property
    def has_limits(self) -> bool:
        """Whether calls must be estimated in USD or tokens before they are sent."""
        return self.max_budget is not None or self.tpm_limit is not None


@dataclass(frozen=True, slots=True)
class Reservation:
    """A call that may be sent. Give it to `settle` or `release`, once; a second time changes nothing.

    `is_stored`: false if the store was away and the call was allowed all the same.
    """

    reservation_id: str
    key_id: str
    model: str
    amount: Decimal
    tokens: int
    budget_duration: str | None = None
    is_stored: bool = True


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call used, for the spend by day and model. `is_complete`: false for a cancelled or cut answer."""

    cost: Decimal
    tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    is_complete: bool = True
    is_priced: bool = True


@dataclass(frozen=True, slots=True)
class SpendRow:
    """The spend of one key on one model, over all days. `unpriced`: calls with a part whose price is not known."""

    model: str
    cost: Decimal
    requests: int
    incomplete: int
    unpriced: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class NewKey:
    """The checked fields of a key that is to be made."""

    models: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    metadata: JsonObject = field(default_factory=dict)
    key_alias: str | None = None
    user_id: str | None = None
    duration: str | None = None
    max_budget: Decimal | None = None
    budget_duration: str | None = None
    rpm_limit: int | None = None
    tpm_limit: int | None = None
    max_parallel: int | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """A new key: its value, which is shown this once and stored nowhere, and its record."""

    secret: str = field(repr=False)
    record: KeyRecord


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key, its spend by model, and when its budget starts again (milliseconds since 1970)."""

    record: KeyRecord
    spend_by_model: tuple[SpendRow, ...] = ()
    budget_reset_at: int | None = None
