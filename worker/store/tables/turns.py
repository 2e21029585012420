"""Pools and their rosters, and the ledger."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from worker.store.sql.types import Id, Moment
from worker.store.tables.columns import metadata, pool_column, where

pools = Table(
    "pools",
    metadata,
    Column(
        "id",
        Id,
        ForeignKey("users.id"),
        primary_key=True,
        autoincrement=False,
        comment="its phantom user's id",
    ),
    Column("record_type", String(10), nullable=False),
    Column("epoch", Text, nullable=False, comment="the random token of the last seeding"),
    Column(
        "watermark",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="every turn up to here is in the ledger",
    ),
    Column(
        "refusals",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="how often the fence refused what the ring answered",
    ),
    Column("deleted_at", Moment),
)

rosters = Table(
    "rosters",
    metadata,
    pool_column(),
    Column("version", Integer, primary_key=True),
    Column("first_turn", BigInteger, nullable=False),
    Column("first_slot", Integer, nullable=False),
    Column("members", JSON, nullable=False, comment="user ids in order"),
    Column("actor_id", Id),
    Column("at", Moment, nullable=False),
)

seedings = Table(
    "seedings",
    metadata,
    pool_column(),
    Column("epoch", Text, primary_key=True, comment="under which the ring was written anew"),
    Column("reason", Text, nullable=False),
    Column("next_turn", BigInteger, nullable=False),
    Column("returned", BigInteger, nullable=False, comment="turns that came back"),
    Column("voided", BigInteger, nullable=False, comment="turns of members who had left"),
    Column("at", Moment, nullable=False),
)

# --- the ledger ---

blocks = Table(
    "blocks",
    metadata,
    pool_column(),
    Column("claim", Text, primary_key=True),
    Column("turns", Text, nullable=False, comment='spans "FIRST:COUNT" in the order of use'),
    Column("open", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
)
Index("ix_blocks_open", blocks.c.pool_id, **where("open"))


def _entry() -> list[Column[Any]]:
    return [
        Column("claim", Text, nullable=False),
        Column(
            "ordinal", BigInteger, nullable=False, comment="of the record within its claim, from 0"
        ),
        Column("record_id", Id, comment="none where the turn is void"),
        Column("user_id", Id, nullable=False, comment="the rightful member"),
        Column("previous_owner_id", Id),
        Column("cause", String(10), nullable=False),
        Column("actor_id", Id),
        Column("at", Moment, nullable=False),
    ]


ledger = Table(
    "ledger",
    metadata,
    Column("pool_id", Id, primary_key=True, autoincrement=False),
    Column("turn", BigInteger, primary_key=True, autoincrement=False),
    *_entry(),
    UniqueConstraint("pool_id", "claim", "ordinal"),
    Index("ix_ledger_record_id", "record_id", **where("record_id IS NOT NULL")),
)

ledger_history = Table(
    "ledger_history",
    metadata,
    Column("pool_id", Id, nullable=False),
    Column("turn", BigInteger, nullable=False),
    *_entry(),
    PrimaryKeyConstraint("pool_id", "claim", "ordinal"),
    Index("ix_ledger_history_record_id", "record_id"),
)

reversals = Table(
    "reversals",
    metadata,
    Column("pool_id", Id, nullable=False),
    Column("claim", Text, nullable=False),
    Column("first_ordinal", BigInteger, nullable=False),
    Column("last_ordinal", BigInteger, nullable=False),
    Column("run_id", Id, ForeignKey("runs.id"), nullable=False, comment="the undo's"),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("pool_id", "claim", "first_ordinal"),
    Index("ix_reversals_run_id", "run_id"),
)
