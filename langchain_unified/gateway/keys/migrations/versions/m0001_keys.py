"""Keys, reservations and spend."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

COUNTERS = ("period", "spend", "total_spend", "reserved", "in_flight", "minute", "minute_requests", "minute_tokens")


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    keys = op.create_table(
        "gateway_keys",
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=True),
        sa.Column("key_name", sa.String(64), nullable=False),
        sa.Column("key_alias", sa.String(255), nullable=True),
        sa.Column("user_id", sa.String(255), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("models", "aliases", "metadata")),
        _number("created_at"),
        *(_number(name, nullable=True) for name in ("expires_at", "max_budget")),
        sa.Column("budget_duration", sa.String(16), nullable=True),
        *(_number(name, nullable=True) for name in ("rpm_limit", "tpm_limit", "max_parallel")),
        *map(_number, COUNTERS),
        sa.PrimaryKeyConstraint("key_id", name="pk_gateway_keys"),
        sa.UniqueConstraint("key_hash", name="uq_gateway_keys_key_hash"),
        sa.UniqueConstraint("key_alias", name="uq_gateway_keys_key_alias"),
    )
    op.create_table(
        "gateway_reservations",
        sa.Column("reservation_id", sa.String(32), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        *map(_number, ("amount", "tokens", "minute", "expires_at")),
        sa.Column("expired", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reservation_id", name="pk_gateway_reservations"),
    )
    op.create_index("ix_gateway_reservations_key_id_expires_at", "gateway_reservations", ["key_id", "expires_at"])
    op.create_table(
        "gateway_spend",
        _number("day"),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        *map(_number, ("cost", "requests", "incomplete", "unpriced", "input_tokens", "output_tokens")),
        sa.PrimaryKeyConstraint("day", "key_id", "model", name="pk_gateway_spend"),
    )
    # The callers without a virtual key: they have counters like every other one.
    texts = {"models": "[]", "aliases": "{}", "metadata": "{}"}
    zeros = dict.fromkeys(("created_at", *COUNTERS), 0)
    callers = ("master", "anonymous", "unverified")
    op.bulk_insert(keys, [{"key_id": name, "key_name": name, **texts, **zeros} for name in callers])


def downgrade() -> None:
    for table in ("gateway_spend", "gateway_reservations", "gateway_keys"):
        op.drop_table(table)
