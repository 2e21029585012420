"""Forms and integrations, what was delivered to them, and what is still to be fetched of it."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from worker.store.sql.types import Id, Json, Moment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _door(
        "forms",
        sa.Column(
            "fields",
            sa.JSON,
            nullable=False,
            comment="in order: name, label, type, required, choices",
        ),
        sa.Column("thanks", sa.Text, comment="what is said afterwards"),
        sa.Column("redirect_url", sa.Text, comment="where one goes afterwards instead"),
        sa.Column(
            "origins", sa.JSON, nullable=False, comment="from which pages of others it may be sent"
        ),
    )
    _door(
        "integrations",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column(
            "mapping",
            sa.JSON,
            nullable=False,
            comment="fields of a lead by where they are in what is delivered",
        ),
        sa.Column("secret", sa.Text, nullable=False, comment="encrypted"),
        sa.Column("former_secret", sa.Text, comment="encrypted; good until former_until"),
        sa.Column("former_until", Moment),
        sa.Column(
            "access_token", sa.Text, comment="encrypted; by which more is fetched from the sender"
        ),
        sa.Column(
            "base_url", sa.Text, comment="where the sender's API is, if not at the usual place"
        ),
    )
    op.create_index("uq_integrations_name", "integrations", [sa.text("lower(name)")], unique=True)
    _deliveries()
    _lookups()


def _door(table: str, *own: sa.Column[Any]) -> None:
    op.create_table(
        table,
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("slug", sa.Text, nullable=False, comment="the last part of its address"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column(
            "owner_id",
            Id,
            nullable=False,
            comment="a user, or a pool's phantom user, who gets the leads",
        ),
        sa.Column("source", sa.Text, comment="of its leads"),
        sa.Column("tags", Json, nullable=False, comment="of its leads"),
        sa.Column("enabled", sa.Boolean, server_default=sa.true(), nullable=False),
        sa.Column("creator_id", Id),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        *own,
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f(f"fk_{table}_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("slug", name=op.f(f"uq_{table}_slug")),
        sqlite_autoincrement=True,
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("form_id", Id),
        sa.Column("integration_id", Id),
        sa.Column(
            "key",
            sa.Text,
            nullable=False,
            comment="the sender's own number of it, by which a repeat is known",
        ),
        sa.Column("at", Moment, nullable=False),
        sa.Column(
            "outcome",
            sa.String(10),
            nullable=False,
            comment="accepted, ignored, invalid or refused",
        ),
        sa.Column("reason", sa.Text),
        sa.Column(
            "repeats",
            sa.Integer,
            server_default="0",
            nullable=False,
            comment="how often it came again",
        ),
        sa.Column("lead_ids", sa.JSON, nullable=False),
        sa.Column("content_type", sa.Text),
        sa.Column(
            "body", sa.Text, comment="what came, to be replayed; none where the signature was wrong"
        ),
        sa.CheckConstraint(
            "(form_id IS NULL) <> (integration_id IS NULL)", name=op.f("ck_deliveries_of_one")
        ),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("fk_deliveries_form_id")),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_deliveries_integration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("form_id", "key", name=op.f("uq_deliveries_form_id_key")),
        sa.UniqueConstraint("integration_id", "key", name=op.f("uq_deliveries_integration_id_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_at", "deliveries", ["at"])
    op.create_index("ix_deliveries_form_id_id", "deliveries", ["form_id", "id"])
    op.create_index("ix_deliveries_integration_id_id", "deliveries", ["integration_id", "id"])


def _lookups() -> None:
    op.create_table(
        "lookups",
        sa.Column("lead_id", Id, autoincrement=False, nullable=False),
        sa.Column("integration_id", Id, nullable=False),
        sa.Column(
            "object_id",
            sa.Text,
            nullable=False,
            comment="the sender's number of what the lead is about",
        ),
        sa.Column("due_at", Moment, nullable=False, comment="when it is tried next"),
        sa.Column(
            "tries",
            sa.Integer,
            server_default="0",
            nullable=False,
            comment="how often the sender was asked in vain",
        ),
        sa.Column(
            "attempts",
            sa.Integer,
            server_default="0",
            nullable=False,
            comment="begun, and not ended in good order",
        ),
        sa.Column("leased_until", Moment, comment="a worker is on it until then"),
        sa.Column("leased_by", sa.Text, comment="the task that the worker runs"),
        sa.Column(
            "set_aside",
            sa.Boolean,
            server_default=sa.false(),
            nullable=False,
            comment="tried often enough, until somebody asks for more",
        ),
        sa.Column("reason", sa.Text, comment="what went wrong last"),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_lookups_lead_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_lookups_integration_id")
        ),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_lookups")),
        comment="leads of which more is to be fetched from their sender; "
        "one of which all is known is here no more",
    )
    op.create_index(
        "ix_lookups_integration_id_tries", "lookups", ["integration_id", "tries", "lead_id"]
    )
