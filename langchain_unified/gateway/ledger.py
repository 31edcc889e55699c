"""One call in the books: what it may cost is reserved before it is sent, what it did cost is settled at its end."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from langchain_unified.gateway.deployments import Deployment, Target
from langchain_unified.gateway.errors import UnknownPriceError
from langchain_unified.gateway.keys import Caller, Keys, Reservation
from langchain_unified.gateway.spend import Charge, Estimate, Pricing, highest_usage, partial_usage
from langchain_unified.gateway.used import Delivered
from langchain_unified.request import JsonObject

NOTHING = Estimate(Decimal(0), 0, 0)
MAX_PRICINGS = 5_000
GRACE_SECONDS = 60.0
"""How much longer than a call's timeout its reservation lives: for waits between attempts, and the books."""


class PriceBook:
    """The prices of the deployments. `default_prices`: of models without a price, in US dollars per token."""

    def __init__(self, default_prices: Mapping[str, Decimal] | None = None) -> None:
        """Prices are looked up at the first call of each model."""
        self._default = default_prices
        self._found: dict[tuple[int, str], Pricing] = {}

    def check(self, deployments: Iterable[Deployment]) -> None:
        """Raise `ConfigurationError` for prices that cannot be used. Loads the published ones, which takes a moment."""
        for deployment in deployments:
            self._make(deployment, deployment.model).is_known()

    def of(self, target: Target) -> Pricing:
        """The prices for a call."""
        key = (id(target.deployment), target.model)
        found = self._found.get(key)
        if found is None:
            found = self._make(target.deployment, target.model)
            if len(self._found) < MAX_PRICINGS:
                self._found[key] = found
        return found

    def _make(self, deployment: Deployment, model: str) -> Pricing:
        info = dict(deployment.model_info)
        return Pricing.of(model, deployment.provider, info, default_prices=self._default)


@dataclass(slots=True)
class Ledger:
    """The reservation of one call. `open` it before the first attempt, and `close` it whatever happens."""

    keys: Keys
    prices: PriceBook
    caller: Caller
    body: JsonObject
    reservation: Reservation | None = None
    charge: Charge | None = None
    _estimates: dict[tuple[int, str], Estimate] = field(default_factory=dict)

    async def open(self, name: str, targets: Sequence[Target], *, counts: bool) -> None:
        """Reserve what the call may cost at the dearest of a name's deployments. Counting tokens costs nothing.

        A fallback that is dearer than the name before it reserves anew. Raises the errors of `Keys.reserve`, and
        `UnknownPriceError` where there are keys and no price.
        """
        estimate = NOTHING if counts else self._highest(targets)
        if (held := self.reservation) is not None:
            if estimate.amount <= held.amount:
                return
            self.reservation = None
            await self.keys.release(held)
        if self.caller.may_do_everything:
            # It has no limits: its spend is written at the end, all at once.
            self.reservation = Reservation(
                secrets.token_hex(16), self.caller.key_id, name, Decimal(0), 0, is_stored=False
            )
            return
        seconds = max(target.deployment.timeout for target in targets) + GRACE_SECONDS
        self.reservation = await self.keys.reserve(
            self.caller, name, estimate.amount, estimate.tokens, expires_in=seconds
        )

    def _highest(self, targets: Sequence[Target]) -> Estimate:
        """The highest estimate of the targets; nothing for a caller without limits, whose calls need a price alone."""
        if self.caller.has_limits:
            return max((self._estimate(target) for target in targets), key=lambda each: (each.amount, each.tokens))
        for target in targets if self.keys.has_master_key else ():
            if not self.prices.of(target).is_known():
                raise UnknownPriceError(
                    f"The price of {target.model} is not known, so that its calls cannot be counted. The gateway's "
                    "operator can set it in model_info, or gateway_settings.unknown_price."
                )
        return NOTHING

    def _estimate(self, target: Target) -> Estimate:
        key = (id(target.deployment), target.model)
        found = self._estimates.get(key)
        if found is None:
            marks = target.deployment.prompt_cache is not None
            sent = {**target.deployment.defaults, **self.body} if target.deployment.defaults else self.body
            found = self._estimates[key] = self.prices.of(target).estimate(sent, marks=marks)
        return found

    async def close(self, target: Target | None, delivered: Delivered | None) -> None:
        """Settle by what came, or give the reservation back where nothing did."""
        reservation, self.reservation = self.reservation, None
        if reservation is None:
            return
        if target is None or delivered is None or not delivered.used:
            if reservation.is_stored:
                await self.keys.release(reservation)
            return
        charges = [self._charge(target, delivered, index) for index in range(len(delivered.used))]
        self.charge = charges[0] if len(charges) == 1 else _sum(charges)
        await self.keys.settle(
            reservation,
            self.charge.cost,
            self.charge.tokens,
            complete=delivered.is_complete,
            details=self.charge.details,
        )

    def _charge(self, target: Target, delivered: Delivered, index: int) -> Charge:
        used, pricing = delivered.used[index], self.prices.of(target)
        usage = used.usage
        if used.is_pending:
            usage = highest_usage(self._partial_estimate(target))
        elif not used.is_complete or usage is None:
            usage = partial_usage(self._partial_estimate(target), usage, used.characters)
        return pricing.charge(usage, used.metadata, content=list(used.output), is_complete=used.is_complete)

    def _partial_estimate(self, target: Target) -> Estimate:
        try:
            return self._estimate(target)
        except UnknownPriceError:
            return NOTHING


def _sum(charges: list[Charge]) -> Charge:
    return Charge(
        sum((charge.cost for charge in charges), Decimal(0)),
        sum(charge.tokens for charge in charges),
        sum(charge.input_tokens for charge in charges),
        sum(charge.output_tokens for charge in charges),
        is_priced=all(charge.is_priced for charge in charges),
        reason=next((charge.reason for charge in charges if charge.reason), None),
    )
