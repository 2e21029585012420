"""Leads, contacts and deals, and how one becomes the others."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    false,
)

from worker.domain.records.record_type import RecordType
from worker.domain.records.types import CONTACT, DEAL, LEAD, RecordDescription
from worker.store.sql.types import Id, Json, Moment
from worker.store.tables.columns import attempts_columns, id_column, metadata


def _records(
    description: RecordDescription, *special: Column[Any], indexed: Sequence[str]
) -> Table:
    name = description.path
    return Table(
        name,
        metadata,
        id_column(),
        Column("owner_id", Id, nullable=False),
        Column("creator_id", Id),
        Column("pool_id", Id, comment="with turn: the ledger entry that gave the record its owner"),
        Column("turn", BigInteger),
        Column(
            "given_by", Id, comment="the run that gave the record its owner, if a reassignment did"
        ),
        *(Column(field, Text) for field in description.text_fields),
        *special,
        Column("tags", Json, nullable=False),
        Column("custom_fields", Json, nullable=False),
        Column("created_at", Moment, nullable=False),
        Column("updated_at", Moment, nullable=False),
        Column(
            "edited_at",
            Moment,
            comment="when somebody last changed what it says, or chose its owner by hand",
        ),
        Column(
            "deleted_at",
            Moment,
            comment="deleted or converted: the ledger goes on naming it, nobody else does",
        ),
        # With whether a record is deleted, so that those of an owner are counted by the index
        # alone.
        Index(f"ix_{name}_owner_id_deleted_at", "owner_id", "deleted_at"),
        *(Index(f"ix_{name}_{column}", column) for column in indexed),
        sqlite_autoincrement=True,
    )


leads = _records(LEAD, Column("unqualified_reason_id", Id), indexed=["email"])
Index("ix_leads_updated_at_deleted_at", leads.c.updated_at, leads.c.deleted_at)
contacts = _records(
    CONTACT,
    Column("contact_id", Id, comment="the organization that a person is with"),
    Column("parent_organization_id", Id),
    Column("customer_status", Text),
    Column("prospect_status", Text),
    Column("billing_address", Json),
    Column("shipping_address", Json),
    indexed=["email", "contact_id"],
)
deals = _records(
    DEAL,
    Column("value", Numeric(18, 2, asdecimal=False)),
    Column("estimated_close_date", Date),
    Column("contact_id", Id, comment="with whom; none where a file didn't say"),
    Column("hot", Boolean, nullable=False, server_default=false()),
    Column("unqualified_reason_id", Id),
    Column("loss_reason_id", Id),
    Column("customized_win_likelihood", Integer),
    Column("last_stage_change_at", Moment),
    Column("last_stage_change_by_id", Id),
    indexed=["contact_id"],
)

RECORDS: Mapping[str, Table] = {
    RecordType.LEAD: leads,
    RecordType.CONTACT: contacts,
    RecordType.DEAL: deals,
}

captures = Table(
    "captures",
    metadata,
    Column(
        "lead_id",
        Id,
        ForeignKey("leads.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("pool_id", Id, ForeignKey("pools.id"), nullable=False),
    Column("actor_id", Id),
    Column("accepted_at", Moment, nullable=False),
    *attempts_columns(),
    Index("ix_captures_pool_id_lead_id", "pool_id", "lead_id"),
    comment="captured leads that wait for their owner; one that has got it is here no more",
)

conversions = Table(
    "conversions",
    metadata,
    id_column(),
    Column("lead_id", Id, nullable=False, unique=True),
    Column("owner_id", Id, comment="whom the request named, if anybody"),
    Column("create_deal", Boolean, nullable=False),
    Column("individual_id", Id),
    Column("organization_id", Id),
    Column("deal_id", Id),
    Column(
        "pool_id", Id, comment="with turn: the ledger entry that gave all that it made its owner"
    ),
    Column("turn", BigInteger),
    Column("creator_id", Id),
    Column("created_at", Moment, nullable=False),
    Index("ix_conversions_pool_id_turn", "pool_id", "turn"),
    sqlite_autoincrement=True,
)
