"""The rate limits of both providers: token buckets that refuse with 429, and the headers that count down.

Sources: the guides to rate limits; recorded headers of 206 replies of Anthropic and 328 of OpenAI; refusals quoted in
reports. Buckets are refilled continuously. The headers speak of a minute: what is remaining is the limit minus what the
bucket lacks, and at `reset` it is full, so that OpenAI's (limit - remaining) / reset is the rate.

Chosen here: input counts when a request is taken and output when its answer is made, whose bucket may then lack more
than it holds; a request that is refused for another reason counts nothing; `retry-after-ms` on OpenAI's refusals,
which its SDK reads.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypedDict

from langchain_unified.request import Provider

FIXED_HEADERS: Mapping[Provider, Mapping[str, str]] = {
    "anthropic": {
        f"anthropic-ratelimit-{what}-{which}": value
        for what, limit in (("requests", "4000"), ("tokens", "2400000"), ("input-tokens", "2000000"),
                            ("output-tokens", "400000"))
        for which, value in (("limit", limit), ("remaining", limit), ("reset", "2026-11-01T00:00:01Z"))
    },
    "openai": {
        "x-ratelimit-limit-requests": "5000",
        "x-ratelimit-limit-tokens": "800000",
        "x-ratelimit-remaining-requests": "4999",
        "x-ratelimit-remaining-tokens": "799900",
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-reset-tokens": "6ms",
    },
}  # fmt: skip
"""On every answer without a quota, and for what a quota does not limit."""


class QuotaPlan(TypedDict, total=False):
    """What each provider takes in a minute. What is not given has no limit.

    `requests`: to models. `input_tokens`: without those read from a cache. `output_tokens`: of answers. `tokens`:
    OpenAI's one limit for both, the larger of the prompt and `max_tokens` counts; by default the sum of the two.

    `seconds`: how many seconds' worth of it may be used at once, default 60. Real limits hold over short spans as well.
    """

    requests: float
    input_tokens: float
    output_tokens: float
    tokens: float
    seconds: float


@dataclass(slots=True)
class Bucket:
    """A limit in a minute. `size`: what it holds when it is full; `lacks`: how much of that is used at time `at`."""

    limit: float
    size: float
    lacks: float = 0.0
    at: float = 0.0

    def refill(self, now: float) -> None:
        self.lacks = max(0.0, self.lacks - self.limit / 60 * max(0.0, now - self.at))
        self.at = now

    def wait(self, amount: float) -> float:
        """Seconds until it holds an amount, or is full: 0 if it does now."""
        missing = self.lacks + min(amount, self.size) - self.size
        return max(0.0, missing / (self.limit / 60))

    @property
    def remaining(self) -> float:
        return max(0.0, self.limit - self.lacks)

    @property
    def reset(self) -> float:
        """Seconds until it is full."""
        return self.lacks / (self.limit / 60)


@dataclass(frozen=True, slots=True)
class OverQuota:
    """A refusal: the message, the `type` of the error object, and the headers that tell when to try again."""

    message: str
    kind: str
    headers: Mapping[str, str]


@dataclass
class Quota:
    """The limits of one provider."""

    provider: Provider
    plan: QuotaPlan = field(default_factory=QuotaPlan)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        seconds = self.plan.get("seconds", 60.0)
        limits = {name: limit for name, limit in _limits(self.provider, self.plan).items() if limit}
        self.buckets = {name: Bucket(limit, limit / 60 * seconds) for name, limit in limits.items()}

    def take(self, model: str, prompt: int, max_tokens: int, now: float) -> OverQuota | None:
        """Take a request with `prompt` tokens, those read from a cache left out; or say why it is refused."""
        openai = self.provider == "openai"
        needs = {"requests": 1, "input_tokens": prompt, "output_tokens": 1, "tokens": max(prompt, max_tokens)}
        with self._lock:
            self._refill(now)
            for name, bucket in self.buckets.items():
                if needs[name] > bucket.limit:
                    return _too_large(self.provider, model, name, bucket, needs[name])
                if bucket.wait(needs[name]) > 1e-9:
                    refused = _refused(self.provider, model, name, bucket, needs[name])
                    if openai and "requests" in self.buckets:
                        # A refused request counts (help page 5955604).
                        requests = self.buckets["requests"]
                        requests.lacks = min(requests.size, requests.lacks + 1)
                    return refused
            for name, bucket in self.buckets.items():
                if name != "output_tokens":
                    bucket.lacks += needs[name]
        return None

    def spend_output(self, tokens: int, now: float) -> None:
        """Count the tokens of an answer."""
        bucket = self.buckets.get("output_tokens")
        if bucket is not None:
            with self._lock:
                self._refill(now)
                bucket.lacks += tokens

    def headers(self, now: float) -> Mapping[str, str]:
        """The headers of an answer."""
        if not self.buckets:
            return FIXED_HEADERS[self.provider]
        with self._lock:
            self._refill(now)
            write = _anthropic_headers if self.provider == "anthropic" else _openai_headers
            return {**FIXED_HEADERS[self.provider], **write(self.buckets, now)}

    def _refill(self, now: float) -> None:
        for bucket in self.buckets.values():
            bucket.refill(now)


def _limits(provider: Provider, plan: QuotaPlan) -> dict[str, float]:
    """The limits of a provider by name. Those of requests come first."""
    given = {"requests": plan.get("requests", 0)}
    tokens_in, tokens_out = plan.get("input_tokens", 0), plan.get("output_tokens", 0)
    if provider == "openai":
        return {**given, "tokens": plan.get("tokens", tokens_in + tokens_out)}
    return {**given, "input_tokens": tokens_in, "output_tokens": tokens_out}


# --- headers ----------------------------------------------------------------------------------------------------------


def _anthropic_headers(buckets: Mapping[str, Bucket], now: float) -> dict[str, str]:
    headers: dict[str, str] = {}
    shown = {name: (bucket.limit, bucket.remaining, bucket.reset) for name, bucket in buckets.items()}
    both = [shown[name] for name in ("input_tokens", "output_tokens") if name in shown]
    if len(both) == 2:
        shown["tokens"] = (both[0][0] + both[1][0], both[0][1] + both[1][1], max(both[0][2], both[1][2]))
    for name, (limit, remaining, reset) in shown.items():
        prefix = f"anthropic-ratelimit-{name.replace('_', '-')}"
        # Figures of tokens are rounded to thousands.
        left = math.floor(remaining) if name == "requests" else round(remaining / 1000) * 1000
        full = datetime.fromtimestamp(math.ceil(now + reset), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        headers |= {f"{prefix}-limit": f"{limit:.0f}", f"{prefix}-remaining": f"{left}", f"{prefix}-reset": full}
    return headers


def _openai_headers(buckets: Mapping[str, Bucket], now: float) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, bucket in buckets.items():
        headers |= {
            f"x-ratelimit-limit-{name}": f"{bucket.limit:.0f}",
            f"x-ratelimit-remaining-{name}": f"{math.floor(bucket.remaining)}",
            f"x-ratelimit-reset-{name}": duration(bucket.reset),
        }
    return headers


def duration(seconds: float) -> str:
    """A time as OpenAI writes it: `12ms`, `1.5s`, `6m0s`."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    return f"{minutes:.0f}m{rest:g}s" if minutes else f"{rest:g}s"


# --- refusals ---------------------------------------------------------------------------------------------------------

ANTHROPIC_NAMES = {"requests": "requests", "input_tokens": "input tokens", "output_tokens": "output tokens"}
OPENAI_NAMES = {"requests": "requests per min (RPM)", "tokens": "tokens per min (TPM)"}


def _refused(provider: Provider, model: str, name: str, bucket: Bucket, needed: float) -> OverQuota:
    wait = bucket.wait(needed)
    seconds = str(max(1, math.ceil(wait)))
    if provider == "anthropic":
        return _anthropic_refusal(model, name, bucket, {"retry-after": seconds})
    used = f"Used {bucket.lacks:.0f}, Requested {needed:.0f}. Please try again in {duration(wait)}."
    message = f"Rate limit reached for {model} in organization org-emulator on {OPENAI_NAMES[name]}: "
    headers = {"retry-after": seconds, "retry-after-ms": str(math.ceil(wait * 1000))}
    return OverQuota(f"{message}Limit {bucket.limit:.0f}, {used}", name, headers)


def _too_large(provider: Provider, model: str, name: str, bucket: Bucket, needed: float) -> OverQuota:
    """A request that is larger than the limit. Waiting does not help: no header tells a time."""
    if provider == "anthropic":
        return _anthropic_refusal(model, name, bucket, {})
    message = (
        f"Request too large for {model} in organization org-emulator on {OPENAI_NAMES[name]}: "
        f"Limit {bucket.limit:.0f}, Requested {needed:.0f}. "
        "The input or output tokens must be reduced in order to run successfully."
    )
    return OverQuota(message, name, {})


def _anthropic_refusal(model: str, name: str, bucket: Bucket, headers: Mapping[str, str]) -> OverQuota:
    limit = f"{bucket.limit:,.0f} {ANTHROPIC_NAMES[name]} per minute"
    message = f"This request would exceed your organization's rate limit of {limit} (model: {model})."
    return OverQuota(message, "rate_limit_error", headers)


QUOTA_KEYS = tuple(QuotaPlan.__annotations__)


def checked(plan: QuotaPlan | None) -> QuotaPlan:
    """A plan. Raises `ValueError` for an unknown key, or a number that is not positive."""
    given = plan or {}
    for name, value in given.items():
        if name not in QUOTA_KEYS:
            raise ValueError(f"The setting `quota` has no key {name!r}. Its keys are {', '.join(QUOTA_KEYS)}.")
        if not isinstance(value, int | float) or value <= 0:
            raise ValueError(f"The quota {name} must be a positive number, not {value!r}.")
    return given
