"""The tables. Migrations make them; a test holds the two together.

The ledger and the records have no foreign keys: users and pools are never deleted, and a check for
each of a million rows would cost as much as loading them. `evenhand verify` checks the same as the
keys would."""

from worker.store.tables.columns import metadata
from worker.store.tables.intake import deliveries, enrichments, forms, integrations
from worker.store.tables.labels import labels, pipelines, stages
from worker.store.tables.lists import smart_lists
from worker.store.tables.people import idempotency_keys, tokens, users
from worker.store.tables.records import RECORDS, captures, contacts, conversions, deals, leads
from worker.store.tables.runs import chunks, imports, reassignments, runs, selections, skips, undos
from worker.store.tables.turns import (
    blocks,
    ledger,
    ledger_history,
    pools,
    reversals,
    rosters,
    seedings,
)

__all__ = [
    "RECORDS", "blocks", "captures", "chunks", "contacts", "conversions", "deals", "deliveries",
    "enrichments", "forms", "idempotency_keys", "imports", "integrations", "labels", "leads",
    "ledger", "ledger_history", "metadata", "pipelines", "pools", "reassignments", "reversals",
    "rosters", "runs", "seedings", "selections", "skips", "smart_lists", "stages", "tokens",
    "undos", "users",
]  # fmt: skip
