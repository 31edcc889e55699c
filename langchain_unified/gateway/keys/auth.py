"""Keys in headers, their form and their hashes, and the keys that a process has read a short time ago.

A key is hashed before anything is looked up: no value that a client sends reaches a statement.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from langchain_unified.gateway.keys.records import Caller, KeyRecord

PREFIX = "sk-"
MAX_LENGTH = 512
MIN_LENGTH = 20
"""Characters of a key that is given to `/key/generate`."""

KNOWN_SECONDS_WITHOUT_KEY = 2.0
"""How long a key that was not found is refused without another look."""
MAX_CACHED = 10_000


def secret_in(headers: Mapping[str, str], key_header: str | None = None) -> str | None:
    """The key of a request: from `key_header` if that is set, `x-api-key`, or `authorization` with or without `Bearer`.

    `headers` have lower-case names. `None` if there is no key.
    """
    names = ("x-api-key", "authorization") if key_header is None else (key_header.lower(), "x-api-key", "authorization")
    for name in names:
        value = headers.get(name, "").strip()
        scheme, _, rest = value.partition(" ")
        found = rest.strip() if scheme.lower() == "bearer" else value
        if found:
            return found
    return None


def has_key_form(secret: str | None) -> bool:
    """Whether this can be a key at all."""
    return secret is not None and secret.startswith(PREFIX) and len(PREFIX) < len(secret) <= MAX_LENGTH


def hash_of(secret: str) -> str:
    """SHA-256 in hexadecimal digits. A key is random, so that it needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_secret() -> str:
    """192 random bits."""
    return PREFIX + secrets.token_urlsafe(24)


def new_key_id() -> str:
    return f"key_{secrets.token_hex(8)}"


def shown_name(secret: str) -> str:
    """The key's last four characters, as LiteLLM names keys."""
    return f"{PREFIX}...{secret[-4:]}"


def caller_of(record: KeyRecord) -> Caller:
    return Caller(
        key_id=record.key_id,
        name=record.key_alias or record.key_id,
        models=record.models,
        aliases=record.aliases,
        metadata=record.metadata,
        user_id=record.user_id,
        expires_at=record.expires_at,
        max_budget=record.max_budget,
        budget_duration=record.budget_duration,
        rpm_limit=record.rpm_limit,
        tpm_limit=record.tpm_limit,
        max_parallel=record.max_parallel,
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What the store said about a key. `caller` is `None` for a key that it does not have."""

    caller: Caller | None
    read_at: float


class KeyCache:
    """By hash, the callers that the store told of, at most `MAX_CACHED` of them."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[str, Known] = OrderedDict()

    def __repr__(self) -> str:
        return f"<KeyCache of {len(self._known)} keys>"

    def fresh(self, key_hash: str) -> Known | None:
        """What was read a short time ago."""
        known = self._known.get(key_hash)
        if known is None:
            return None
        lifetime = self._seconds if known.caller is not None else min(self._seconds, KNOWN_SECONDS_WITHOUT_KEY)
        return known if self._clock() - known.read_at < lifetime else None

    def any_age(self, key_hash: str) -> Caller | None:
        """The caller as it was read last, for the time in which the store is away."""
        known = self._known.get(key_hash)
        return None if known is None else known.caller

    def put(self, key_hash: str, caller: Caller | None) -> None:
        self._known[key_hash] = Known(caller, self._clock())
        self._known.move_to_end(key_hash)
        while len(self._known) > MAX_CACHED:
            self._known.popitem(last=False)

    def forget(self, key_id: str) -> None:
        """Drop a key that was deleted or changed."""
        for key_hash in [each for each, known in self._known.items() if known.caller and known.caller.key_id == key_id]:
            del self._known[key_hash]
