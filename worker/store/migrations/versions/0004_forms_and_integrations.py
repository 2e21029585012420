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
        _needed("fields", sa.JSON, comment="in order: name, label, type, required, choices"),
        sa.Column("thanks", sa.Text, comment="what is said afterwards"),
        sa.Column("redirect_url", sa.Text, comment="where one goes afterwards instead"),
        _needed("origins", sa.JSON, comment="from which pages of others it may be sent"),
    )
    _door(
        "integrations",
        _needed("kind", sa.String(20)),
        _needed(
            "mapping", sa.JSON, comment="fields of a lead by where they are in what is delivered"
        ),
        _needed("secret", sa.Text, comment="encrypted"),
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


def _needed(name: str, *given: Any, **named: Any) -> sa.Column[Any]:
    """A column that is never null."""
    return sa.Column(name, *given, nullable=False, **named)


def _door(table: str, *own: sa.Column[Any]) -> None:
    op.create_table(
        table,
        _needed("id", Id, autoincrement=True),
        _needed("slug", sa.Text, comment="the last part of its address"),
        _needed("name", sa.Text),
        _needed("owner_id", Id, comment="a user, or a pool's phantom user, who gets the leads"),
        sa.Column("source", sa.Text, comment="of its leads"),
        _needed("tags", Json, comment="of its leads"),
        _needed("enabled", sa.Boolean, server_default=sa.true()),
        sa.Column("creator_id", Id),
        _needed("created_at", Moment),
        _needed("updated_at", Moment),
        *own,
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f(f"fk_{table}_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("slug", name=op.f(f"uq_{table}_slug")),
        sqlite_autoincrement=True,
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        _needed("id", Id, autoincrement=True),
        sa.Column("form_id", Id),
        sa.Column("integration_id", Id),
        _needed(
            "key", sa.Text, comment="the sender's own number of it, by which a repeat is known"
        ),
        _needed("at", Moment),
        _needed("outcome", sa.String(10), comment="accepted, ignored, invalid or refused"),
        sa.Column("reason", sa.Text),
        _needed("repeats", sa.Integer, server_default="0", comment="how often it came again"),
        _needed("lead_ids", sa.JSON),
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
        _needed("lead_id", Id, autoincrement=False),
        _needed("integration_id", Id),
        _needed("object_id", sa.Text, comment="the sender's number of what the lead is about"),
        _needed("due_at", Moment, comment="when it is tried next"),
        _needed(
            "tries",
            sa.Integer,
            server_default="0",
            comment="how often the sender was asked in vain",
        ),
        _needed(
            "attempts", sa.Integer, server_default="0", comment="begun, and not ended in good order"
        ),
        sa.Column("leased_until", Moment, comment="a worker is on it until then"),
        sa.Column("leased_by", sa.Text, comment="the task that the worker runs"),
        _needed(
            "set_aside",
            sa.Boolean,
            server_default=sa.false(),
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
