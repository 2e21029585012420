"""The first tables: people, pools, the ledger, records, imports."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from worker.store.sql.types import Id, Json, Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    _people_and_pools()
    _ledger()
    _records()
    _runs()


def _where(condition: Any) -> dict[str, Any]:
    return {"postgresql_where": condition, "sqlite_where": condition}


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text) for name in names]


def _people_and_pools() -> None:
    op.create_table(
        "users",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, comment="lower case; a pool's phantom user has none"),
        sa.Column("is_admin", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("is_active", sa.Boolean, server_default=sa.true(), nullable=False),
        sa.Column(
            "is_pool",
            sa.Boolean,
            server_default=sa.false(),
            nullable=False,
            comment="the phantom user of the pool with this id",
        ),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
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
    op.create_table(
        "pools",
        sa.Column("id", Id, autoincrement=False, nullable=False, comment="its phantom user's id"),
        sa.Column("record_type", sa.String(length=10), nullable=False),
        sa.Column("epoch", sa.Text, nullable=False, comment="the random token of the last seeding"),
        sa.Column(
            "watermark",
            sa.BigInteger,
            server_default="0",
            nullable=False,
            comment="every turn up to here is in the ledger",
        ),
        sa.Column("deleted_at", Moment),
        sa.ForeignKeyConstraint(["id"], ["users.id"], name=op.f("fk_pools_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pools")),
    )
    op.create_table(
        "rosters",
        sa.Column("pool_id", Id, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("first_turn", sa.BigInteger, nullable=False),
        sa.Column("first_slot", sa.Integer, nullable=False),
        sa.Column("members", sa.JSON, nullable=False, comment="user ids in order"),
        sa.Column("actor_id", Id),
        sa.Column("at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_rosters_pool_id")),
        sa.PrimaryKeyConstraint("pool_id", "version", name=op.f("pk_rosters")),
    )


def _ledger() -> None:
    op.create_table(
        "blocks",
        sa.Column("pool_id", Id, nullable=False),
        sa.Column("claim", sa.Text, nullable=False),
        sa.Column(
            "turns", sa.Text, nullable=False, comment='spans "FIRST:COUNT" in the order of use'
        ),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_blocks_pool_id")),
        sa.PrimaryKeyConstraint("pool_id", "claim", name=op.f("pk_blocks")),
    )
    op.create_index("ix_blocks_open", "blocks", ["pool_id"], **_where(sa.text("open")))
    op.create_table(
        "ledger",
        sa.Column("pool_id", Id, autoincrement=False, nullable=False),
        sa.Column("turn", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("claim", sa.Text, nullable=False),
        sa.Column(
            "ordinal",
            sa.BigInteger,
            nullable=False,
            comment="of the record within its claim, from 0",
        ),
        sa.Column("record_id", Id, comment="none where the turn is void"),
        sa.Column("user_id", Id, nullable=False, comment="the rightful member"),
        sa.Column("previous_owner_id", Id),
        sa.Column("cause", sa.String(length=10), nullable=False),
        sa.Column("actor_id", Id),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "turn", name=op.f("pk_ledger")),
        sa.UniqueConstraint(
            "pool_id", "claim", "ordinal", name=op.f("uq_ledger_pool_id_claim_ordinal")
        ),
    )
    op.create_index("ix_ledger_record_id", "ledger", ["record_id"])
    op.create_table(
        "ledger_history",
        sa.Column("id", Id, nullable=False),
        sa.Column("pool_id", Id, nullable=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.Column("claim", sa.Text, nullable=False),
        sa.Column(
            "ordinal",
            sa.BigInteger,
            nullable=False,
            comment="of the record within its claim, from 0",
        ),
        sa.Column("record_id", Id, comment="none where the turn is void"),
        sa.Column("user_id", Id, nullable=False, comment="the rightful member"),
        sa.Column("previous_owner_id", Id),
        sa.Column("cause", sa.String(length=10), nullable=False),
        sa.Column("actor_id", Id),
        sa.Column("at", Moment, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("taken_back_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_history")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_history_pool_id_turn", "ledger_history", ["pool_id", "turn"])


def _records() -> None:
    op.create_table(
        "leads",
        sa.Column("id", Id, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("creator_id", Id),
        sa.Column(
            "pool_id", Id, comment="with turn: the ledger entry that gave the record its owner"
        ),
        sa.Column("turn", sa.BigInteger),
        *_texts(
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
            "source",
            "status",
        ),
        sa.Column("tags", Json, nullable=False),
        sa.Column("custom_fields", Json, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_leads_email", "leads", ["email"])
    op.create_index("ix_leads_owner_id", "leads", ["owner_id"])
    op.create_table(
        "contacts",
        sa.Column("id", Id, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("creator_id", Id),
        sa.Column(
            "pool_id", Id, comment="with turn: the ledger entry that gave the record its owner"
        ),
        sa.Column("turn", sa.BigInteger),
        *_texts(
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
        ),
        sa.Column("tags", Json, nullable=False),
        sa.Column("custom_fields", Json, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contacts_email", "contacts", ["email"])
    op.create_index("ix_contacts_owner_id", "contacts", ["owner_id"])
    op.create_table(
        "deals",
        sa.Column("id", Id, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("creator_id", Id),
        sa.Column(
            "pool_id", Id, comment="with turn: the ledger entry that gave the record its owner"
        ),
        sa.Column("turn", sa.BigInteger),
        *_texts("name", "currency", "stage", "source"),
        sa.Column("value", sa.Numeric(precision=18, scale=2, asdecimal=False)),
        sa.Column("estimated_close_date", sa.Date),
        sa.Column("tags", Json, nullable=False),
        sa.Column("custom_fields", Json, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deals")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deals_owner_id", "deals", ["owner_id"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("record_type", sa.String(length=10), nullable=False),
        sa.Column("owner_id", Id, nullable=False, comment="a user, or a pool's phantom user"),
        sa.Column("actor_id", Id),
        sa.Column("rows", sa.BigInteger, server_default="0", nullable=False),
        sa.Column(
            "records", sa.BigInteger, server_default="0", nullable=False, comment="made so far"
        ),
        sa.Column("errors", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("turns", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("chunks_left", sa.Integer, comment="none until they are cut"),
        sa.Column("reason", sa.Text, comment="why it failed"),
        sa.Column("accepted_at", Moment, nullable=False),
        sa.Column("started_at", Moment),
        sa.Column("ended_at", Moment),
        sa.Column(
            "moved_at", Moment, nullable=False, comment="when a worker last gave a sign of progress"
        ),
        sa.Column(
            "resent",
            sa.Integer,
            server_default="0",
            nullable=False,
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
        sa.Column("run_id", Id, nullable=False),
        sa.Column("folder", sa.Text, nullable=False, comment="where its upload and receipt lie"),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("mapping", sa.JSON, nullable=False, comment="what --map said: field by header"),
        sa.Column("delimiter", sa.String(length=1)),
        sa.Column("columns", sa.JSON, comment="what each column is taken as"),
        sa.Column("first_errors", sa.JSON, comment="the first hundred row errors"),
        sa.Column("first_record_id", Id, comment="its records have consecutive ids in file order"),
        sa.Column("scanned_bytes", sa.BigInteger, server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_imports_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_imports")),
    )
    op.create_table(
        "chunks",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("first_line", sa.BigInteger, nullable=False),
        sa.Column("first_ordinal", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column("leased_until", Moment, comment="a worker is on it until then"),
        sa.Column("done", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_chunks_run_id")),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_chunks")),
    )
    op.create_index("ix_chunks_waiting", "chunks", ["run_id"], **_where(sa.text("NOT done")))
