"""Forms and integrations, which bring leads, and their deliveries."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    true,
)

from worker.store.sql.types import Id, Json, Moment
from worker.store.tables.columns import attempts_columns, id_column, metadata


def _source_columns() -> list[Column[object]]:
    """The columns that forms and integrations share."""
    return [
        Column("slug", Text, nullable=False, unique=True, comment="the last part of its address"),
        Column("name", Text, nullable=False),
        Column(
            "owner_id",
            Id,
            ForeignKey("users.id"),
            nullable=False,
            comment="a user, or a pool's phantom user, who gets the leads",
        ),
        Column("source", Text, comment="of its leads"),
        Column("tags", Json, nullable=False, comment="of its leads"),
        Column("enabled", Boolean, nullable=False, server_default=true()),
        Column("creator_id", Id),
        Column("created_at", Moment, nullable=False),
        Column("updated_at", Moment, nullable=False),
    ]


forms = Table(
    "forms",
    metadata,
    id_column(),
    *_source_columns(),
    Column(
        "fields", JSON, nullable=False, comment="in order: name, label, type, required, choices"
    ),
    Column("thanks", Text, comment="what is said afterwards"),
    Column("redirect_url", Text, comment="where one goes afterwards instead"),
    Column("origins", JSON, nullable=False, comment="from which pages of others it may be sent"),
    sqlite_autoincrement=True,
)

integrations = Table(
    "integrations",
    metadata,
    id_column(),
    *_source_columns(),
    Column("kind", String(20), nullable=False),
    Column(
        "mapping",
        JSON,
        nullable=False,
        comment="fields of a lead by where they are in what is delivered",
    ),
    Column("secret", Text, nullable=False, comment="encrypted"),
    Column("former_secret", Text, comment="encrypted; good until former_until"),
    Column("former_until", Moment),
    Column("access_token", Text, comment="encrypted; by which more is fetched from the sender"),
    Column("base_url", Text, comment="where the sender's API is, if not at the usual place"),
    sqlite_autoincrement=True,
)

Index("uq_integrations_name", func.lower(integrations.c.name), unique=True)

deliveries = Table(
    "deliveries",
    metadata,
    id_column(),
    Column("form_id", Id, ForeignKey("forms.id")),
    Column("integration_id", Id, ForeignKey("integrations.id")),
    Column(
        "key",
        Text,
        nullable=False,
        comment="the sender's own number of it, by which a repeat is known",
    ),
    Column("at", Moment, nullable=False),
    Column("outcome", String(10), nullable=False, comment="accepted, ignored, invalid or refused"),
    Column("reason", Text),
    Column(
        "repeats", Integer, nullable=False, server_default="0", comment="how often it came again"
    ),
    Column("lead_ids", JSON, nullable=False),
    Column("content_type", Text),
    Column("body", Text, comment="what came, to be replayed; none where the signature was wrong"),
    CheckConstraint("(form_id IS NULL) <> (integration_id IS NULL)", name="ck_deliveries_of_one"),
    UniqueConstraint("form_id", "key"),
    UniqueConstraint("integration_id", "key"),
    Index("ix_deliveries_at", "at"),
    Index("ix_deliveries_form_id_id", "form_id", "id"),
    Index("ix_deliveries_integration_id_id", "integration_id", "id"),
    sqlite_autoincrement=True,
)

enrichments = Table(
    "enrichments",
    metadata,
    Column(
        "lead_id",
        Id,
        ForeignKey("leads.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("integration_id", Id, ForeignKey("integrations.id"), nullable=False),
    Column(
        "object_id", Text, nullable=False, comment="the sender's number of what the lead is about"
    ),
    Column("due_at", Moment, nullable=False, comment="when it is tried next"),
    Column(
        "tries",
        Integer,
        nullable=False,
        server_default="0",
        comment="how often the sender was asked in vain",
    ),
    *attempts_columns(),
    Index("ix_enrichments_integration_id_tries", "integration_id", "tries", "lead_id"),
    comment="leads of which more is to be fetched from their sender; "
    "one of which all is known is here no more",
)
