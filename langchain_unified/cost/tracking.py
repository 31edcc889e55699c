"""The cost of many calls, and a limit on it: callback handlers for any LangChain chat model.

    with cost_callback() as costs:
        agent.invoke(…)
    print(costs)                                    # $0.0123 in 4 calls …

    model = ChatUnified("openai/gpt-5.6", callbacks=[Budget(usd=1)])

All calls that LangChain or asyncio starts in the block count (its executors, `batch`, `asyncio.gather`). A
`threading.Thread` does not see the block: give its calls `config={"callbacks": [costs]}`. A call counts once, even if
it has the same tracker or budget several times.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

from langchain_core.messages import AIMessage
from langchain_core.tracers.context import register_configure_hook

from langchain_unified.cost import Cost, usd
from langchain_unified.cost.handler import CostHandler, RunModel
from langchain_unified.cost.prices import CallerPrices, Prices, decimal_of, price_list
from langchain_unified.cost.units import MessageUsage, ModelUsage
from langchain_unified.errors import BudgetExceededError, ConfigurationError
from langchain_unified.request.warned import warn

# --- the tracker ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Calls of one model whose cost is not known in full, and why."""

    model: str
    reason: str
    calls: int

    def __str__(self) -> str:
        return f"{self.calls} of {self.model}: {self.reason}"


class CostTracker(CostHandler):
    """The sum of what calls cost, in US dollars.

    `cost_callback()` makes one for a block of code. It is also a callback handler by itself:
    `config={"callbacks": [tracker]}`. `str()` gives the sum, a line for each model, and what is not known.
    """

    def __init__(self, prices: Prices | None = None, *, budget: Budget | None = None) -> None:
        """`prices`: as for `message_cost`. `budget`: a `Budget` that counts each call and can refuse it."""
        if budget is not None and not isinstance(budget, Budget):
            raise ConfigurationError(f"budget must be a Budget, such as Budget(usd=1), not {budget!r}.")
        super().__init__(prices)
        self._budget = budget
        self._report_to(budget)
        self._total = Decimal(0)
        self._saved = Decimal(0)
        self._calls = 0
        self._cached = 0
        self._incomplete = 0
        self._models: dict[str, Decimal] = {}
        self._providers: dict[str, Decimal] = {}
        self._units: dict[str, int] = {}
        self._unpriced: dict[tuple[str, str], int] = {}

    def _add(self, run: RunModel, message: AIMessage | None, cost: Cost) -> None:
        self._calls += 1
        self._incomplete += cost.incomplete
        if cost.original is not None:
            self._cached += 1
            return
        metadata = {} if message is None else message.response_metadata
        model = metadata.get("model_name") or metadata.get("model") or run.model or "an unnamed model"
        provider = metadata.get("model_provider") or run.provider
        self._total += cost.known
        self._saved += cost.saved or 0
        if provider and any(line.amount is not None for line in cost.lines):
            _add_to(self._providers, provider, cost.known)
        for line in cost.lines:
            self._units[line.kind] = self._units.get(line.kind, 0) + line.units
            if line.amount is not None:
                _add_to(self._models, line.model, line.amount)
        if cost.total is None:
            key = (model, cost.reason or "")
            self._unpriced[key] = self._unpriced.get(key, 0) + 1

    @property
    def total(self) -> Decimal:
        """USD, of all calls whose cost is known; `unpriced` lists the others."""
        return self._total

    @property
    def saved(self) -> Decimal:
        """USD that prompt caching saved; below 0 while writing to the cache cost more than reading saved."""
        return self._saved

    @property
    def calls(self) -> int:
        """The number of calls, including answers from LangChain's cache and calls that were abandoned."""
        return self._calls

    @property
    def cached_calls(self) -> int:
        """The number of answers from LangChain's own cache, which cost nothing."""
        return self._cached

    @property
    def incomplete_calls(self) -> int:
        """The number of calls that failed or were left during their answer. Each is in `unpriced`, too.

        Their input counts if it was reported before, as Anthropic does, and their output as far as it was reported.
        """
        return self._incomplete

    @property
    def open_calls(self) -> int:
        """The number of calls that have started and not ended, none of which counts yet.

        A call that is left in a way that LangChain does not report stays here, such as a sync
        `stream_events(version="v3")` that is not read to its end.
        """
        return self._runs.open()

    @property
    def by_model(self) -> dict[str, Decimal]:
        """USD by the name of the model. A model without a known price is left out."""
        with self._lock:
            return dict(self._models)

    @property
    def by_provider(self) -> dict[str, Decimal]:
        """USD by the name of the provider."""
        with self._lock:
            return dict(self._providers)

    @property
    def tokens(self) -> dict[str, int]:
        """Tokens by kind (`uncached`, `cache_read`, …, `output`), and uses of the provider's tools."""
        with self._lock:
            return dict(self._units)

    @property
    def unpriced(self) -> list[Unpriced]:
        """The calls whose cost is not known in full, by model and reason."""
        with self._lock:
            return [Unpriced(model, reason, calls) for (model, reason), calls in self._unpriced.items()]

    @property
    def budget(self) -> Budget | None:
        """The budget of `CostTracker(budget=…)`; `None` without one."""
        return self._budget

    def __str__(self) -> str:
        unpriced = self.unpriced
        calls = f"{self.calls} call{'' if self.calls == 1 else 's'}"
        parts = [f"{'at least ' if unpriced else ''}{usd(self.total)} in {calls}"]
        parts += [f"{usd(self.saved)} saved by prompt caching"] if self.saved else []
        parts += [f"{self.cached_calls} from LangChain's cache"] if self.cached_calls else []
        parts += [f"{self.incomplete_calls} incomplete"] if self.incomplete_calls else []
        parts += [f"{opened} without an end so far"] if (opened := self.open_calls) else []
        lines = [", ".join(parts)]
        lines += [f"  {model}: {usd(amount)}" for model, amount in self.by_model.items()]
        lines += [f"  unknown: {each}" for each in unpriced]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self).splitlines()[0]}>"


def _add_to(sums: dict[str, Decimal], key: str, amount: Decimal) -> None:
    sums[key] = sums.get(key, Decimal(0)) + amount


_current: ContextVar[CostTracker | None] = ContextVar("langchain_unified_costs", default=None)
register_configure_hook(_current, inheritable=True)


@contextmanager
def cost_callback(prices: Prices | None = None, *, budget: Budget | None = None) -> Iterator[CostTracker]:
    """Add up what the calls in a `with` block cost, of any LangChain chat model. Gives a `CostTracker`.

    `prices`: as for `message_cost`. `budget`: a `Budget` that refuses calls once it is spent.
    Blocks can be nested: a call counts in each of them, and an outer block without prices uses those of the inner one.
    Raises `ConfigurationError` where neither `prices` nor the package genai-prices are there.
    """
    tracker = CostTracker(prices, budget=budget)
    tracker._report_to(budget, _current.get())
    token = _current.set(tracker)
    try:
        yield tracker
    finally:
        _current.reset(token)


# --- the budget -------------------------------------------------------------------------------------------------------

OnUnknown = Literal["warn", "raise", "ignore"]


class Budget(CostHandler):
    """A limit on what calls cost, in US dollars.

    Once the limit is reached, the next call raises `BudgetExceededError` before anything is sent.

    It is a callback handler: `callbacks=[Budget(usd=1)]` of a model, `config={"callbacks": [budget]}` of a call, or
    `cost_callback(budget=…)`. Models, threads and tasks can share one budget.

    The call that reaches the limit is still answered, and calls in progress are not stopped: `batch` or `gather` make
    all calls that they have started. A call that LangChain's own cache could answer is refused, too.
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
        """`usd`: the limit, a number or a string. `prices`: as for `message_cost`.

        `on_unknown`: what to do about calls whose cost is not known. `"warn"` (the default) warns once for each model.
        `"raise"` refuses models without a known price, and all calls after one whose cost is not known. `"ignore"`
        does nothing. What is known counts in any case. Raises `ConfigurationError` for other values.
        """
        if amounts or others or usd is None:
            given = [*map(repr, amounts), *(f"{key}={value!r}" for key, value in others.items())]
            raise ConfigurationError(f"Budget({', '.join(given)}) has no limit in USD. Write Budget(usd=5).")
        limit = decimal_of(usd)
        if limit is None:
            raise ConfigurationError(f"Budget(usd={usd!r}) needs a finite number, 0 or more. Write Budget(usd='2.50').")
        if on_unknown not in get_args(OnUnknown):
            raise ConfigurationError(f"on_unknown must be 'warn', 'raise' or 'ignore', not {on_unknown!r}.")
        super().__init__(prices)
        self.limit = limit
        self.on_unknown = on_unknown
        self._spent = Decimal(0)
        self._unknown: dict[str, str] = {}
        self._pending_warnings: list[str] = []

    @property
    def spent(self) -> Decimal:
        """USD, of all calls whose cost is known."""
        return self._spent

    @property
    def remaining(self) -> Decimal:
        """USD until calls are refused, never below 0."""
        return max(self.limit - self._spent, Decimal(0))

    @property
    def unknown(self) -> dict[str, str]:
        """The models with calls whose cost is not known in full, each with the reason."""
        with self._lock:
            return dict(self._unknown)

    def reset(self) -> None:
        """Start again with nothing spent and nothing unknown."""
        with self._lock:
            self._spent = Decimal(0)
            self._unknown.clear()

    def _check_allowed(self, run: RunModel, prices: CallerPrices) -> None:
        if self._spent >= self.limit:
            self._refuse(f"The budget of {usd(self.limit)} is spent: the calls so far cost {usd(self._spent)}.")
        if self.on_unknown != "raise":
            return
        for model, reason in self.unknown.items():
            self._refuse(f"The cost of a call to {model} is not known ({reason}), nor what is left of the budget.")
        if run.model is None:
            return
        found = price_list(MessageUsage(run.provider, run.model), ModelUsage(run.model, 0, {}), prices)
        if isinstance(found, str):
            self._refuse(f"The price of {run.model} is not known ({found}). Give it with Budget(prices={{…}}).")

    def _refuse(self, message: str) -> None:
        raise BudgetExceededError(message, spent=self._spent, limit=self.limit)

    def _add(self, run: RunModel, message: AIMessage | None, cost: Cost) -> None:
        self._spent += cost.known
        if cost.total is None:
            metadata = {} if message is None else message.response_metadata
            model = str(metadata.get("model_name") or run.model or "an unnamed model")
            if model not in self._unknown:
                self._pending_warnings.append(f"{model} ({cost.reason})")
            self._unknown.setdefault(model, cost.reason or "")

    def _warn(self) -> None:
        with self._lock:
            pending, self._pending_warnings = self._pending_warnings, []
        for each in pending if self.on_unknown == "warn" else ():
            warn(f"A budget cannot count the cost of {each}")

    def __repr__(self) -> str:
        return f"<Budget of {usd(self.limit)}, {usd(self._spent)} spent>"
