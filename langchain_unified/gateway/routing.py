"""A public name -> the deployments to try, in order; and which of them failed a moment ago.

A name's entries share its calls by weight. Those of a lower `order` come first, the next only when these fail. An exact
name goes before a pattern, a longer pattern before a shorter one.
"""

from __future__ import annotations

import math
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from langchain_unified.gateway.deployments import Deployment, Target, target_of
from langchain_unified.gateway.refusals import DeploymentLimitError, NoDeploymentError, UnknownPublicModelError

FAILURE_WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RoutingRules:
    """`retries`: attempts after the first, at the deployments of one name. `fallbacks`, `context_window`,
    `content_policy`: names to try after a name, in order; `default_fallbacks`: after a name that has none.
    `allowed_fails`: failures of a deployment in a minute after which it is left alone for `cooldown_seconds`.
    """

    retries: int = 2
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    context_window: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    content_policy: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default_fallbacks: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    allowed_fails: int = 3
    cooldown_seconds: float = 5.0

    def after(self, name: str, kind: str) -> tuple[str, ...]:
        """The names to try after `name` failed in this way."""
        table = {"context_window": self.context_window, "content_policy": self.content_policy}.get(kind, self.fallbacks)
        found = table.get(name) or table.get("*")
        if found is None and kind == "general":
            found = self.default_fallbacks
        return tuple(other for other in found or () if other != name)


class Cooldowns:
    """Deployments that failed several times in a minute, by endpoint, in this process."""

    def __init__(self, rules: RoutingRules, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules, self._clock = rules, clock
        self._failures: dict[tuple[int, str], deque[float]] = {}
        self._until: dict[tuple[int, str], float] = {}

    def failed(self, deployment: Deployment, endpoint: str) -> None:
        """Count a failure of the deployment's own: no refusal of a request, nothing that the gateway did."""
        key, now = (id(deployment), endpoint), self._clock()
        times = self._failures.setdefault(key, deque(maxlen=self._rules.allowed_fails + 1))
        times.append(now)
        recent = [at for at in times if at > now - FAILURE_WINDOW_SECONDS]
        if len(recent) > self._rules.allowed_fails:
            self._until[key] = now + self._rules.cooldown_seconds
            times.clear()

    def wait(self, deployment: Deployment, endpoint: str) -> float:
        """Seconds until the deployment is tried again; 0 if it is now."""
        until = self._until.get((id(deployment), endpoint))
        return max(0.0, until - self._clock()) if until is not None else 0.0


@dataclass(slots=True)
class Minute:
    """What a deployment got in one minute of the clock, in this process."""

    number: int
    requests: int = 0
    tokens: int = 0


class Router:
    """The deployments by their public names."""

    def __init__(self, deployments: Sequence[Deployment], rules: RoutingRules | None = None) -> None:
        self.deployments = tuple(deployments)
        self.rules = rules or RoutingRules()
        self.workers = 1
        """Processes among which the limits of the deployments are divided."""
        self.cooldowns = Cooldowns(self.rules)
        exact: dict[str, list[Deployment]] = {}
        patterns: dict[str, list[Deployment]] = {}
        for each in self.deployments:
            (patterns if "*" in each.public_name else exact).setdefault(each.public_name, []).append(each)
        self._exact = exact
        self._patterns = sorted(patterns.items(), key=lambda item: len(item[0]), reverse=True)
        self._targets: dict[str, tuple[Target, ...]] = {}
        self._minutes: dict[int, Minute] = {}

    def serves(self, name: str) -> bool:
        """Whether a deployment serves the name."""
        return bool(self.targets_of(name))

    def names(self) -> list[str]:
        """The public names without a wildcard, in the order of the configuration."""
        return [*self._exact, *(alias for alias in self.rules.aliases if alias not in self._exact)]

    def targets(self, name: str, endpoint: str) -> list[Target]:
        """The deployments to try, the first one first. Those that failed a moment ago are left out.

        A name's only deployment is always tried. Raises `UnknownPublicModelError` and `NoDeploymentError`.
        """
        found = self.targets_of(name)
        if not found:
            raise UnknownPublicModelError(name)
        found = tuple(target for target in found if self._has_room(target.deployment))
        if not found:
            raise DeploymentLimitError(name, 60 - time.time() % 60)
        if len(found) == 1:
            return list(found)
        waits = {id(target): self.cooldowns.wait(target.deployment, endpoint) for target in found}
        ready = [target for target in found if not waits[id(target)]]
        if not ready:
            raise NoDeploymentError(name, min(waits.values()))
        return _ordered(ready)

    def label(self, name: str) -> str:
        """The name of a model in metrics: that of the configuration, so that clients cannot make up new ones."""
        name = self.rules.aliases.get(name, name)
        if name in self._exact:
            return name
        return next((pattern for pattern, _ in self._patterns if match(pattern, name) is not None), "unknown")

    def count_request(self, deployment: Deployment) -> None:
        """Count a request against the deployment's `rpm`."""
        if deployment.rpm is not None:
            self._minute(deployment).requests += 1

    def count_tokens(self, deployment: Deployment, tokens: int) -> None:
        """Count the tokens of a call against the deployment's `tpm`."""
        if deployment.tpm is not None:
            self._minute(deployment).tokens += tokens

    def _minute(self, deployment: Deployment) -> Minute:
        now = int(time.time() // 60)
        found = self._minutes.get(id(deployment))
        if found is None or found.number != now:
            found = self._minutes[id(deployment)] = Minute(now)
        return found

    def _has_room(self, deployment: Deployment) -> bool:
        if deployment.rpm is None and deployment.tpm is None:
            return True
        used = self._minute(deployment)
        return used.requests < self._share(deployment.rpm) and used.tokens < self._share(deployment.tpm)

    def _share(self, limit: int | None) -> float:
        """The part of a limit that this process has, at least 1."""
        return math.inf if limit is None else max(1, limit // self.workers)

    def targets_of(self, name: str) -> tuple[Target, ...]:
        """All deployments of a name; none if nothing serves it."""
        name = self.rules.aliases.get(name, name)
        found = self._targets.get(name)
        if found is None:
            found = tuple(target_of(each, matched) for each, matched in self._matches(name))
            if found and len(self._targets) < MAX_NAMES:
                self._targets[name] = found
        return found

    def _matches(self, name: str) -> list[tuple[Deployment, str | None]]:
        if name in self._exact:
            return [(each, None) for each in self._exact[name]]
        for pattern, deployments in self._patterns:
            matched = match(pattern, name)
            if matched is not None:
                return [(each, matched) for each in deployments if each.takes(matched)]
        return []


MAX_NAMES = 10_000
"""How many names that matched a pattern are remembered."""


def match(pattern: str, name: str) -> str | None:
    """What the `*` of a pattern stands for in a name; `None` if the name does not match."""
    head, _, tail = pattern.partition("*")
    if len(name) < len(head) + len(tail) or not (name.startswith(head) and name.endswith(tail)):
        return None
    return name[len(head) : len(name) - len(tail)]


def _ordered(targets: Sequence[Target]) -> list[Target]:
    """By `order`; those of one order by chance, more often first the more they weigh."""

    def key(target: Target) -> tuple[int, float]:
        weight = target.deployment.weight
        # An exponential variate of rate `weight`: the smallest one is each with a chance in proportion to its weight.
        chance = random.expovariate(weight) if weight > 0 else float("inf")
        return target.deployment.order, chance

    return sorted(targets, key=key)
