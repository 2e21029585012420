"""The tables. Migrations make them; a test holds the two together.

The ledger and the records have no foreign keys: users and pools are never deleted, and a check for each of a million rows would cost as
much as loading them. `evenhand verify` checks what the keys would.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
    true,
)  # fmt: skip

from worker.domain.fields import TEXT_FIELDS
from worker.store.types import Id, Json, Moment

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _pool() -> Column[int]:
    return Column("pool_id", Id, ForeignKey("pools.id"), primary_key=True)


def _run() -> Column[int]:
    return Column("run_id", Id, ForeignKey("runs.id"), primary_key=True)


def _attempts() -> list[Column[Any]]:
    """Of work that is tried a few times and then set aside."""
    return [
        Column("attempts", Integer, nullable=False, server_default="0", comment="begun, and not ended in good order"),
        Column("leased_until", Moment, comment="a worker is on it until then"),
        Column("leased_by", Text, comment="the task that the worker runs"),
        Column("set_aside", Boolean, nullable=False, server_default=false(), comment="tried often enough, until somebody asks for more"),
        Column("reason", Text, comment="what went wrong last"),
    ]


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}


# --- people and pools ---

users = Table(
    "users",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("email", Text, unique=True, comment="lower case; a pool's phantom user has none"),
    Column("is_admin", Boolean, nullable=False, server_default=false()),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    Column("is_pool", Boolean, nullable=False, server_default=false(), comment="the phantom user of the pool with this id"),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)
Index("uq_users_live_pool_name", func.lower(users.c.name), unique=True, **_where("is_pool AND is_active"))

pools = Table(
    "pools",
    metadata,
    Column("id", Id, ForeignKey("users.id"), primary_key=True, autoincrement=False, comment="its phantom user's id"),
    Column("record_type", String(10), nullable=False),
    Column("epoch", Text, nullable=False, comment="the random token of the last seeding"),
    Column("watermark", BigInteger, nullable=False, server_default="0", comment="every turn up to here is in the ledger"),
    Column("refusals", BigInteger, nullable=False, server_default="0", comment="how often the fence refused what the ring answered"),
    Column("deleted_at", Moment),
)

rosters = Table(
    "rosters",
    metadata,
    _pool(),
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
    _pool(),
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
    _pool(),
    Column("claim", Text, primary_key=True),
    Column("turns", Text, nullable=False, comment='spans "FIRST:COUNT" in the order of use'),
    Column("open", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
)
Index("ix_blocks_open", blocks.c.pool_id, **_where("open"))


def _entry() -> list[Column[Any]]:
    return [
        Column("claim", Text, nullable=False),
        Column("ordinal", BigInteger, nullable=False, comment="of the record within its claim, from 0"),
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
    Index("ix_ledger_record_id", "record_id"),
)

ledger_history = Table(
    "ledger_history",
    metadata,
    _id(),
    Column("pool_id", Id, nullable=False),
    Column("turn", BigInteger, nullable=False),
    *_entry(),
    Column("reason", Text, nullable=False),
    Column("taken_back_at", Moment, nullable=False),
    Index("ix_ledger_history_pool_id_turn", "pool_id", "turn"),
    sqlite_autoincrement=True,
)

# --- records ---


def _records(name: str, record_type: str, *typed: Column[Any]) -> Table:
    indexed = [Index(f"ix_{name}_email", "email")] if "email" in TEXT_FIELDS[record_type] else []
    return Table(
        name,
        metadata,
        _id(),
        Column("owner_id", Id, nullable=False),
        Column("creator_id", Id),
        Column("pool_id", Id, comment="with turn: the ledger entry that gave the record its owner"),
        Column("turn", BigInteger),
        *(Column(field, Text) for field in TEXT_FIELDS[record_type]),
        *typed,
        Column("tags", Json, nullable=False),
        Column("custom_fields", Json, nullable=False),
        Column("created_at", Moment, nullable=False),
        Column("updated_at", Moment, nullable=False),
        Index(f"ix_{name}_owner_id", "owner_id"),
        *indexed,
        sqlite_autoincrement=True,
    )


leads = _records("leads", "lead")
contacts = _records("contacts", "contact")
deals = _records("deals", "deal", Column("value", Numeric(18, 2, asdecimal=False)), Column("estimated_close_date", Date))

RECORDS = {"lead": leads, "contact": contacts, "deal": deals}

captures = Table(
    "captures",
    metadata,
    Column("lead_id", Id, ForeignKey("leads.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("pool_id", Id, ForeignKey("pools.id"), nullable=False),
    Column("actor_id", Id),
    Column("accepted_at", Moment, nullable=False),
    *_attempts(),
    Index("ix_captures_pool_id_lead_id", "pool_id", "lead_id"),
    comment="captured leads that wait for their owner; one that has got it is here no more",
)

# --- runs ---

runs = Table(
    "runs",
    metadata,
    _id(),
    Column("kind", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("record_type", String(10), nullable=False),
    Column("owner_id", Id, ForeignKey("users.id"), nullable=False, comment="a user, or a pool's phantom user"),
    Column("actor_id", Id, ForeignKey("users.id")),
    Column("rows", BigInteger, nullable=False, server_default="0"),
    Column("records", BigInteger, nullable=False, server_default="0", comment="made so far"),
    Column("errors", BigInteger, nullable=False, server_default="0"),
    Column("turns", BigInteger, nullable=False, server_default="0"),
    Column("returned", BigInteger, nullable=False, server_default="0", comment="of its turns, those that it gave back unused"),
    *_attempts(),
    Column("chunks_left", Integer, comment="none until they are cut"),
    Column("accepted_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("moved_at", Moment, nullable=False, comment="when a worker last gave a sign of progress"),
    Column("resent", Integer, nullable=False, server_default="0", comment="how often upkeep has sent its tasks again since"),
    sqlite_autoincrement=True,
)
Index("ix_runs_live", runs.c.moved_at, **_where("ended_at IS NULL"))

imports = Table(
    "imports",
    metadata,
    _run(),
    Column("folder", Text, nullable=False, comment="where its upload and receipt lie"),
    Column("file_name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mapping", JSON, nullable=False, comment="what --map said: field by header"),
    Column("delimiter", String(1)),
    Column("columns", JSON, comment="what each column is taken as"),
    Column("first_errors", JSON, comment="the first hundred row errors"),
    Column("first_record_id", Id, comment="its records have consecutive ids in file order"),
    Column("scanned_bytes", BigInteger, nullable=False, server_default="0"),
    Column("tidied", Boolean, nullable=False, server_default=false(), comment="of its files, only what is still of use lies there"),
)
Index("ix_imports_untidy", imports.c.run_id, **_where("NOT tidied"))

chunks = Table(
    "chunks",
    metadata,
    _run(),
    Column("number", Integer, primary_key=True),
    Column("offset", BigInteger, nullable=False),
    Column("length", Integer, nullable=False),
    Column("first_line", BigInteger, nullable=False),
    Column("first_ordinal", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    *_attempts(),
    Column("done", Boolean, nullable=False, server_default=false()),
)
Index("ix_chunks_waiting", chunks.c.run_id, **_where("NOT done"))
