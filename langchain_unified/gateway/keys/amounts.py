"""Money in the store: whole numbers of 1e-12 USD.

Integers add up exactly and in one statement on SQLite, which has no decimal type, and on PostgreSQL alike. A price of a
millionth of a dollar per million tokens is 1 unit a token. 64 bits hold 9.2 million USD in one counter: `MAX_AMOUNT` is
below that. What is finer than a unit is rounded up.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal

UNITS_PER_USD = 10**12
MAX_AMOUNT = Decimal(9_000_000)
"""USD. A budget above it is refused."""

_UP = Context(prec=60, rounding=ROUND_CEILING)


def units_of(amount: Decimal) -> int:
    """Units of an amount in USD, rounded up."""
    return int(_UP.multiply(amount, Decimal(UNITS_PER_USD)).to_integral_value(rounding=ROUND_CEILING))


def amount_of(units: int) -> Decimal:
    """USD, without trailing zeros."""
    amount = Decimal(units).scaleb(-12, _UP)
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize(_UP)
