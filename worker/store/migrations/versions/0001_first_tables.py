"""The first tables: people, pools, the ledger, records, imports."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from worker.store.sql.types import Id, Json, Moment

revision = "0001"
down_revision = None

OF_A_PERSON = (
    "first_name",
    "last_name",
    "organization_name",
    "title",
    "email",
    "phone",
    "mobile",
    "fax",
    "website",
    "industry",
    "description",
    "linkedin",
    "twitter",
    "facebook",
    "skype",
    "address_line1",
    "address_city",
    "address_state",
    "address_postal_code",
    "address_country",
)


def upgrade() -> None:
    _people()
    _pools()
    _ledger()
    _records()
    _runs()


def _needed(name: str, *given: Any, **named: Any) -> sa.Column[Any]:
    """A column that is never null."""
    return sa.Column(name, *given, nullable=False, **named)


def _where(condition: Any) -> dict[str, Any]:
    return {"postgresql_where": condition, "sqlite_where": condition}


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text) for name in names]


def _people() -> None:
    op.create_table(
        "users",
        _needed("id", Id),
        _needed("name", sa.Text),
        sa.Column("email", sa.Text, comment="lower case; a pool's phantom user has none"),
        _needed("is_admin", sa.Boolean, server_default=sa.false()),
        _needed("is_active", sa.Boolean, server_default=sa.true()),
        _needed(
            "is_pool",
            sa.Boolean,
            server_default=sa.false(),
            comment="the phantom user of the pool with this id",
        ),
        _needed("created_at", Moment),
        _needed("updated_at", Moment),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_users_live_pool_name",
        "users",
        [sa.text("lower(name)")],
        unique=True,
        **_where(sa.text("is_pool AND is_active")),
    )


def _pools() -> None:
    op.create_table(
        "pools",
        _needed("id", Id, autoincrement=False, comment="its phantom user's id"),
        _needed("record_type", sa.String(length=10)),
        _needed("epoch", sa.Text, comment="the random token of the last seeding"),
        _needed(
            "watermark",
            sa.BigInteger,
            server_default="0",
            comment="every turn up to here is in the ledger",
        ),
        sa.Column("deleted_at", Moment),
        sa.ForeignKeyConstraint(["id"], ["users.id"], name=op.f("fk_pools_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pools")),
    )
    op.create_table(
        "rosters",
        _needed("pool_id", Id),
        _needed("version", sa.Integer),
        _needed("first_turn", sa.BigInteger),
        _needed("first_slot", sa.Integer),
        _needed("members", sa.JSON, comment="user ids in order"),
        sa.Column("actor_id", Id),
        _needed("at", Moment),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_rosters_pool_id")),
        sa.PrimaryKeyConstraint("pool_id", "version", name=op.f("pk_rosters")),
    )


def _ledger() -> None:
    op.create_table(
        "blocks",
        _needed("pool_id", Id),
        _needed("claim", sa.Text),
        _needed("turns", sa.Text, comment='spans "FIRST:COUNT" in the order of use'),
        _needed("open", sa.Boolean),
        _needed("at", Moment),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_blocks_pool_id")),
        sa.PrimaryKeyConstraint("pool_id", "claim", name=op.f("pk_blocks")),
    )
    op.create_index("ix_blocks_open", "blocks", ["pool_id"], **_where(sa.text("open")))
    op.create_table(
        "ledger",
        _needed("pool_id", Id, autoincrement=False),
        _needed("turn", sa.BigInteger, autoincrement=False),
        _needed("claim", sa.Text),
        _needed("ordinal", sa.BigInteger, comment="of the record within its claim, from 0"),
        sa.Column("record_id", Id, comment="none where the turn is void"),
        _needed("user_id", Id, comment="the rightful member"),
        sa.Column("previous_owner_id", Id),
        _needed("cause", sa.String(length=10)),
        sa.Column("actor_id", Id),
        _needed("at", Moment),
        sa.PrimaryKeyConstraint("pool_id", "turn", name=op.f("pk_ledger")),
        sa.UniqueConstraint(
            "pool_id", "claim", "ordinal", name=op.f("uq_ledger_pool_id_claim_ordinal")
        ),
    )
    op.create_index("ix_ledger_record_id", "ledger", ["record_id"])
    op.create_table(
        "ledger_history",
        _needed("id", Id),
        _needed("pool_id", Id),
        _needed("turn", sa.BigInteger),
        _needed("claim", sa.Text),
        _needed("ordinal", sa.BigInteger, comment="of the record within its claim, from 0"),
        sa.Column("record_id", Id, comment="none where the turn is void"),
        _needed("user_id", Id, comment="the rightful member"),
        sa.Column("previous_owner_id", Id),
        _needed("cause", sa.String(length=10)),
        sa.Column("actor_id", Id),
        _needed("at", Moment),
        _needed("reason", sa.Text),
        _needed("taken_back_at", Moment),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_history")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_history_pool_id_turn", "ledger_history", ["pool_id", "turn"])


def _records() -> None:
    op.create_table(
        "leads",
        _needed("id", Id),
        _needed("owner_id", Id),
        sa.Column("creator_id", Id),
        sa.Column(
            "pool_id", Id, comment="with turn: the ledger entry that gave the record its owner"
        ),
        sa.Column("turn", sa.BigInteger),
        *_texts(*OF_A_PERSON, "source", "status"),
        _needed("tags", Json),
        _needed("custom_fields", Json),
        _needed("created_at", Moment),
        _needed("updated_at", Moment),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_leads_email", "leads", ["email"])
    op.create_index("ix_leads_owner_id", "leads", ["owner_id"])
    op.create_table(
        "contacts",
        _needed("id", Id),
        _needed("owner_id", Id),
        sa.Column("creator_id", Id),
        sa.Column(
            "pool_id", Id, comment="with turn: the ledger entry that gave the record its owner"
        ),
        sa.Column("turn", sa.BigInteger),
        *_texts(*OF_A_PERSON),
        _needed("tags", Json),
        _needed("custom_fields", Json),
        _needed("created_at", Moment),
        _needed("updated_at", Moment),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contacts_email", "contacts", ["email"])
    op.create_index("ix_contacts_owner_id", "contacts", ["owner_id"])
    op.create_table(
        "deals",
        _needed("id", Id),
        _needed("owner_id", Id),
        sa.Column("creator_id", Id),
        sa.Column(
            "pool_id", Id, comment="with turn: the ledger entry that gave the record its owner"
        ),
        sa.Column("turn", sa.BigInteger),
        *_texts("name", "currency", "stage", "source"),
        sa.Column("value", sa.Numeric(precision=18, scale=2, asdecimal=False)),
        sa.Column("estimated_close_date", sa.Date),
        _needed("tags", Json),
        _needed("custom_fields", Json),
        _needed("created_at", Moment),
        _needed("updated_at", Moment),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deals")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deals_owner_id", "deals", ["owner_id"])


def _runs() -> None:
    op.create_table(
        "runs",
        _needed("id", Id),
        _needed("kind", sa.String(length=10)),
        _needed("state", sa.String(length=10)),
        _needed("record_type", sa.String(length=10)),
        _needed("owner_id", Id, comment="a user, or a pool's phantom user"),
        sa.Column("actor_id", Id),
        _needed("rows", sa.BigInteger, server_default="0"),
        _needed("records", sa.BigInteger, server_default="0", comment="made so far"),
        _needed("errors", sa.BigInteger, server_default="0"),
        _needed("turns", sa.BigInteger, server_default="0"),
        sa.Column("chunks_left", sa.Integer, comment="none until they are cut"),
        sa.Column("reason", sa.Text, comment="why it failed"),
        _needed("accepted_at", Moment),
        sa.Column("started_at", Moment),
        sa.Column("ended_at", Moment),
        _needed("moved_at", Moment, comment="when a worker last gave a sign of progress"),
        _needed(
            "resent",
            sa.Integer,
            server_default="0",
            comment="how often upkeep has sent its tasks again since",
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_runs_actor_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_runs_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_live", "runs", ["moved_at"], **_where(sa.text("ended_at IS NULL")))
    op.create_table(
        "imports",
        _needed("run_id", Id),
        _needed("folder", sa.Text, comment="where its upload and receipt lie"),
        _needed("file_name", sa.Text),
        _needed("size_bytes", sa.BigInteger),
        _needed("mapping", sa.JSON, comment="what --map said: field by header"),
        sa.Column("delimiter", sa.String(length=1)),
        sa.Column("columns", sa.JSON, comment="what each column is taken as"),
        sa.Column("first_errors", sa.JSON, comment="the first hundred row errors"),
        sa.Column("first_record_id", Id, comment="its records have consecutive ids in file order"),
        _needed("scanned_bytes", sa.BigInteger, server_default="0"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_imports_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_imports")),
    )
    op.create_table(
        "chunks",
        _needed("run_id", Id),
        _needed("number", sa.Integer),
        _needed("offset", sa.BigInteger),
        _needed("length", sa.Integer),
        _needed("first_line", sa.BigInteger),
        _needed("first_ordinal", sa.BigInteger),
        _needed("rows", sa.Integer),
        _needed("records", sa.Integer),
        _needed("attempts", sa.Integer, server_default="0"),
        sa.Column("leased_until", Moment, comment="a worker is on it until then"),
        _needed("done", sa.Boolean, server_default=sa.false()),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_chunks_run_id")),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_chunks")),
    )
    op.create_index("ix_chunks_waiting", "chunks", ["run_id"], **_where(sa.text("NOT done")))
