"""The tables, as SQLAlchemy models. Migrations are made from them; the hot statements are in `statements.py`.

Amounts are whole numbers of 1e-12 USD (`amounts.py`), times milliseconds since 1970, `minute` and `day` numbers of
minutes and days since 1970. No table refers to another one by a foreign key: a check would lock a key's row twice, and
spend outlives its key.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s"})


class Key(Base):
    """A virtual key with its limits and counters. The rows of callers without a virtual key have no hash."""

    __tablename__ = "gateway_keys"

    key_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    key_name: Mapped[str] = mapped_column(String(64))
    key_alias: Mapped[str | None] = mapped_column(String(255), unique=True)
    user_id: Mapped[str | None] = mapped_column(String(255))
    models: Mapped[str] = mapped_column(Text)
    aliases: Mapped[str] = mapped_column(Text)
    metadata_: Mapped[str] = mapped_column("metadata", Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    max_budget: Mapped[int | None] = mapped_column(BigInteger)
    budget_duration: Mapped[str | None] = mapped_column(String(16))
    rpm_limit: Mapped[int | None] = mapped_column(BigInteger)
    tpm_limit: Mapped[int | None] = mapped_column(BigInteger)
    max_parallel: Mapped[int | None] = mapped_column(BigInteger)
    period: Mapped[int] = mapped_column(BigInteger)
    spend: Mapped[int] = mapped_column(BigInteger)
    total_spend: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)
    in_flight: Mapped[int] = mapped_column(BigInteger)
    minute: Mapped[int] = mapped_column(BigInteger)
    minute_requests: Mapped[int] = mapped_column(BigInteger)
    minute_tokens: Mapped[int] = mapped_column(BigInteger)


class Reservation(Base):
    """A call in flight. `expired`: 1 once what it held was given back; it can still be settled."""

    __tablename__ = "gateway_reservations"
    __table_args__ = (Index("ix_gateway_reservations_key_id_expires_at", "key_id", "expires_at"),)

    reservation_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(BigInteger)
    tokens: Mapped[int] = mapped_column(BigInteger)
    minute: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    expired: Mapped[int] = mapped_column(Integer)


class Spend(Base):
    """What a key spent on a model in a day."""

    __tablename__ = "gateway_spend"

    day: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    key_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    cost: Mapped[int] = mapped_column(BigInteger)
    requests: Mapped[int] = mapped_column(BigInteger)
    incomplete: Mapped[int] = mapped_column(BigInteger)
    unpriced: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
