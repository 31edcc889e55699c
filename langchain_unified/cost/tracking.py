"""What many calls cost together, and a limit for it: callback handlers for any LangChain chat model.

    with cost_callback() as costs:
        agent.invoke(…)
    print(costs)                                    # $0.0123 in 4 calls …

    model = ChatUnified("openai/gpt-5.6", callbacks=[Budget(usd=1)])

Calls in the block count wherever they run as long as LangChain or asyncio starts them (its executors, `batch`,
`asyncio.gather`); a `threading.Thread` of your own does not see the block and needs `config={"callbacks": [costs]}`.
A call counts once, however many of its handlers are the same tracker or the same budget.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

from langchain_core.messages import AIMessage
from langchain_core.tracers.context import register_configure_hook

from langchain_unified.cost import Cost, usd
from langchain_unified.cost.meter import Meter, Run
from langchain_unified.cost.prices import OwnPrices, Prices, decimal_of, price_list
from langchain_unified.cost.units import Share, Used
from langchain_unified.errors import BudgetExceededError, ConfigurationError

# --- the sum ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Calls whose cost is not known, or not in full: how many, of which model, and why."""

    model: str
    reason: str
    calls: int

    def __str__(self) -> str:
        return f"{self.calls} of {self.model}: {self.reason}"


class CostTracker(Meter):
    """What the calls cost that it was told of. Made by `cost_callback`, or a handler: `config={"callbacks": [it]}`."""

    def __init__(self, prices: Prices | None = None, *, budget: Budget | None = None) -> None:
        """`prices`: as for `message_cost`. `budget`: is told of every call, and may refuse it."""
        if budget is not None and not isinstance(budget, Budget):
            raise ConfigurationError(f"budget must be a Budget, such as Budget(usd=1), not {budget!r}.")
        super().__init__(prices)
        self._budget = budget
        self._tell(budget)
        self._total = Decimal(0)
        self._saved = Decimal(0)
        self._calls = 0
        self._cached = 0
        self._models: dict[str, Decimal] = {}
        self._providers: dict[str, Decimal] = {}
        self._units: dict[str, int] = {}
        self._unpriced: dict[tuple[str, str], int] = {}

    def _add(self, run: Run, message: AIMessage | None, cost: Cost) -> None:
        self._calls += 1
        if cost.original is not None:
            self._cached += 1
            return
        metadata = {} if message is None else message.response_metadata
        model = metadata.get("model_name") or metadata.get("model") or run.model or "an unnamed model"
        provider = metadata.get("model_provider") or run.provider
        self._total += cost.known
        self._saved += cost.saved or 0
        if provider and any(line.amount is not None for line in cost.lines):
            _into(self._providers, provider, cost.known)
        for line in cost.lines:
            self._units[line.kind] = self._units.get(line.kind, 0) + line.units
            if line.amount is not None:
                _into(self._models, line.model, line.amount)
        if cost.total is None:
            key = (model, cost.reason or "")
            self._unpriced[key] = self._unpriced.get(key, 0) + 1

    @property
    def total(self) -> Decimal:
        """USD, as far as it is known: `unpriced` names what is missing."""
        return self._total

    @property
    def saved(self) -> Decimal:
        """USD that prompt caching took off; below 0 while it wrote for more than it saved."""
        return self._saved

    @property
    def calls(self) -> int:
        """The answers that were counted, out of LangChain's cache or not, and calls that were left half-way."""
        return self._calls

    @property
    def cached_calls(self) -> int:
        """The answers that LangChain's own cache gave, at no cost."""
        return self._cached

    @property
    def by_model(self) -> dict[str, Decimal]:
        """USD by the model's name; a model without a known price is not there."""
        with self._lock:
            return dict(self._models)

    @property
    def by_provider(self) -> dict[str, Decimal]:
        """USD by the provider's name."""
        with self._lock:
            return dict(self._providers)

    @property
    def tokens(self) -> dict[str, int]:
        """What was used, by kind: `uncached`, `cache_read`, …, `output`, and the provider's tools by their uses."""
        with self._lock:
            return dict(self._units)

    @property
    def unpriced(self) -> list[Unpriced]:
        """The calls whose cost is not known in full."""
        with self._lock:
            return [Unpriced(model, reason, calls) for (model, reason), calls in self._unpriced.items()]

    @property
    def budget(self) -> Budget | None:
        """The budget that it reports to."""
        return self._budget

    def __str__(self) -> str:
        unpriced = self.unpriced
        calls = f"{self.calls} call{'' if self.calls == 1 else 's'}"
        parts = [f"{'at least ' if unpriced else ''}{usd(self.total)} in {calls}"]
        parts += [f"{usd(self.saved)} saved by prompt caching"] if self.saved else []
        parts += [f"{self.cached_calls} from LangChain's cache"] if self.cached_calls else []
        lines = [", ".join(parts)]
        lines += [f"  {model}: {usd(amount)}" for model, amount in self.by_model.items()]
        lines += [f"  unknown: {each}" for each in unpriced]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self).splitlines()[0]}>"


def _into(sums: dict[str, Decimal], key: str, amount: Decimal) -> None:
    sums[key] = sums.get(key, Decimal(0)) + amount


_current: ContextVar[CostTracker | None] = ContextVar("langchain_unified_costs", default=None)
register_configure_hook(_current, inheritable=True)


@contextmanager
def cost_callback(prices: Prices | None = None, *, budget: Budget | None = None) -> Iterator[CostTracker]:
    """Sum up what the calls in the block cost, of any chat model of LangChain.

    `prices`: as for `message_cost`. `budget`: refuses calls once it is spent. Blocks may be nested: a call counts in
    each, and an outer block without prices of its own takes those of the inner one. Raises `ConfigurationError` where
    neither `prices` nor the package genai-prices are there.
    """
    tracker = CostTracker(prices, budget=budget)
    tracker._tell(budget, _current.get())
    token = _current.set(tracker)
    try:
        yield tracker
    finally:
        _current.reset(token)


# --- the limit --------------------------------------------------------------------------------------------------------

OnUnknown = Literal["warn", "raise", "ignore"]


class Budget(Meter):
    """A limit in USD. Once it is reached, the next call is refused before the network with `BudgetExceededError`.

    A handler: `callbacks=[Budget(usd=1)]` on a model or in a call's `config`, or `cost_callback(budget=…)`. One budget
    may be shared by models, threads and tasks. The call that reaches the limit is answered, and calls that are under
    way then are not stopped: with `batch` or `gather`, those that were started together are all made. A call that
    LangChain's own cache would answer is refused as well.
    """

    raise_error = True

    def __init__(
        self,
        *amounts: Any,
        usd: Decimal | str | float | None = None,
        prices: Prices | None = None,
        on_unknown: OnUnknown = "warn",
        **others: Any,
    ) -> None:
        """`usd`: the limit, as a number or its text. `prices`: as for `message_cost`.

        `on_unknown`: what to do about calls whose cost is not known. `"warn"`, the default, says it once for each
        model; `"raise"` refuses a model without a known price, and every call after one whose cost stayed unknown;
        `"ignore"` counts what is known. Raises `ConfigurationError`.
        """
        if amounts or others or usd is None:
            given = [*map(repr, amounts), *(f"{key}={value!r}" for key, value in others.items())]
            raise ConfigurationError(f"Budget({', '.join(given)}) names no limit in USD. Write Budget(usd=5).")
        limit = decimal_of(usd)
        if limit is None:
            raise ConfigurationError(f"Budget(usd={usd!r}) is no amount. Give a number from 0 on: Budget(usd='2.50').")
        if on_unknown not in get_args(OnUnknown):
            raise ConfigurationError(f"on_unknown is {on_unknown!r}. It is 'warn', 'raise' or 'ignore'.")
        super().__init__(prices)
        self.limit = limit
        self.on_unknown = on_unknown
        self._spent = Decimal(0)
        self._unknown: dict[str, str] = {}
        self._unsaid: list[str] = []

    @property
    def spent(self) -> Decimal:
        """USD, as far as it is known."""
        return self._spent

    @property
    def remaining(self) -> Decimal:
        """USD until the next call is refused, never below 0."""
        return max(self.limit - self._spent, Decimal(0))

    @property
    def unknown(self) -> dict[str, str]:
        """The models with calls whose cost is not known, and why."""
        with self._lock:
            return dict(self._unknown)

    def reset(self) -> None:
        """Start anew: nothing is spent, and nothing unknown."""
        with self._lock:
            self._spent = Decimal(0)
            self._unknown.clear()

    def _admit(self, run: Run, own: OwnPrices) -> None:
        if self._spent >= self.limit:
            self._refuse(f"The budget of {usd(self.limit)} is spent: the calls so far cost {usd(self._spent)}.")
        if self.on_unknown != "raise":
            return
        for model, reason in self.unknown.items():
            self._refuse(f"A call to {model} cost an unknown amount ({reason}), so nobody knows what is left.")
        found = price_list(Used(run.provider, run.model), Share(run.model, 0, {}), own) if run.model else ""
        if isinstance(found, str) and found:
            self._refuse(f"What a call to {run.model} costs is not known ({found}). Budget(prices={{…}}) can say it.")

    def _refuse(self, message: str) -> None:
        raise BudgetExceededError(message, spent=self._spent, limit=self.limit)

    def _add(self, run: Run, message: AIMessage | None, cost: Cost) -> None:
        self._spent += cost.known
        if cost.total is None:
            named = {} if message is None else message.response_metadata
            model = str(named.get("model_name") or run.model or "an unnamed model")
            if model not in self._unknown:
                self._unsaid.append(f"{model} ({cost.reason})")
            self._unknown.setdefault(model, cost.reason or "")

    def _notice(self) -> None:
        with self._lock:
            unsaid, self._unsaid = self._unsaid, []
        for each in unsaid if self.on_unknown == "warn" else ():
            warnings.warn(f"A budget cannot count the cost of {each}", UserWarning, stacklevel=2)

    def __repr__(self) -> str:
        return f"<Budget of {usd(self.limit)}, {usd(self._spent)} spent>"
