"""Tables take the names that the field knows: idempotency keys, enrichments, reversals."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _rename("answers", "idempotency_keys", "pk", "fk user_id")
    op.drop_index("ix_answers_at", "idempotency_keys")
    op.create_index("ix_idempotency_keys_at", "idempotency_keys", ["at"])

    _rename("lookups", "enrichments", "pk", "fk lead_id", "fk integration_id")
    op.drop_index("ix_lookups_integration_id_tries", "enrichments")
    waiting = ["integration_id", "tries", "lead_id"]
    op.create_index("ix_enrichments_integration_id_tries", "enrichments", waiting)

    _rename("takebacks", "reversals", "pk", "fk run_id")
    op.drop_index("ix_takebacks_run_id", "reversals")
    op.create_index("ix_reversals_run_id", "reversals", ["run_id"])


def _rename(old: str, new: str, *constraints: str) -> None:
    """Renames the table, and its constraints. SQLite can't rename a constraint and shows its name
    nowhere, so there they keep theirs."""
    op.rename_table(old, new)
    if op.get_context().dialect.name != "postgresql":
        return
    for constraint in constraints:
        kind, *columns = constraint.split()
        before, after = ("_".join((kind, table, *columns)) for table in (old, new))
        op.execute(f"ALTER TABLE {new} RENAME CONSTRAINT {before} TO {after}")
