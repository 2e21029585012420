"""Reassignments and undos: what they are about, what they leave alone, which gave a record its
owner, and when somebody last edited it."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from worker.store.sql.types import Id, Moment

revision = "0006"
down_revision = "0005"

ATTEMPTS = "begun, and not ended in good order"
SET_ASIDE = "tried often enough, until somebody asks for more"

GIVEN = "the run that gave the record its owner, if a reassignment did"
EDITED = "when somebody last changed what it says, or chose its owner by hand"


def upgrade() -> None:
    for table in ("leads", "contacts", "deals"):
        op.add_column(table, sa.Column("given_by", Id, comment=GIVEN))
        op.add_column(table, sa.Column("edited_at", Moment, comment=EDITED))
        op.execute(f"UPDATE {table} SET edited_at = updated_at WHERE updated_at <> created_at")
    left = sa.Column(
        "skipped",
        sa.BigInteger,
        server_default="0",
        nullable=False,
        comment="records that it has left as they are",
    )
    op.add_column("runs", left)
    _chunks()
    _history()
    _runs()
    _takebacks()


def _needed(name: str, *given: Any, **named: Any) -> sa.Column[Any]:
    """A column that is never null."""
    return sa.Column(name, *given, nullable=False, **named)


def _chunks() -> None:
    """Of chunks it is known when they were done, as early as it may have been: nobody has edited
    their records before. Those that are no part of a file have no place in one."""
    op.execute("CREATE TABLE earlier_chunks AS SELECT * FROM chunks")
    op.drop_table("chunks")
    _of_run(
        "chunks",
        _needed("number", sa.Integer),
        sa.Column("offset", sa.BigInteger, comment="in the file, of an import's"),
        sa.Column("length", sa.Integer),
        sa.Column("first_line", sa.BigInteger),
        _needed("first_ordinal", sa.BigInteger),
        _needed("rows", sa.Integer),
        _needed("records", sa.Integer),
        _needed("attempts", sa.Integer, server_default="0", comment=ATTEMPTS),
        sa.Column("leased_until", Moment, comment="a worker is on it until then"),
        sa.Column("leased_by", sa.Text, comment="the task that the worker runs"),
        _needed("set_aside", sa.Boolean, server_default=sa.false(), comment=SET_ASIDE),
        sa.Column("reason", sa.Text, comment="what went wrong last"),
        sa.Column("done_at", Moment),
        key="number",
    )
    kept = (
        'run_id, number, "offset", length, first_line, first_ordinal, rows, records, attempts, '
        "leased_until, leased_by, set_aside, reason"
    )
    ended = "CASE WHEN done THEN (SELECT accepted_at FROM runs WHERE runs.id = run_id) END"
    op.execute(f"INSERT INTO chunks ({kept}, done_at) SELECT {kept}, {ended} FROM earlier_chunks")
    op.drop_table("earlier_chunks")
    waiting = sa.text("done_at IS NULL")
    op.create_index(
        "ix_chunks_waiting", "chunks", ["run_id"], postgresql_where=waiting, sqlite_where=waiting
    )


def _history() -> None:
    """What is taken back keeps its place in its claim. Nothing was ever taken back before."""
    op.drop_table("ledger_history")
    op.create_table(
        "ledger_history",
        _needed("pool_id", Id),
        _needed("turn", sa.BigInteger),
        _needed("claim", sa.Text),
        _needed("ordinal", sa.BigInteger, comment="of the record within its claim, from 0"),
        sa.Column("record_id", Id, comment="none where the turn is void"),
        _needed("user_id", Id, comment="the rightful member"),
        sa.Column("previous_owner_id", Id),
        _needed("cause", sa.String(10)),
        sa.Column("actor_id", Id),
        _needed("at", Moment),
        sa.PrimaryKeyConstraint("pool_id", "claim", "ordinal", name=op.f("pk_ledger_history")),
    )
    op.create_index("ix_ledger_history_record_id", "ledger_history", ["record_id"])
    op.drop_index("ix_ledger_record_id", "ledger")
    some = sa.text("record_id IS NOT NULL")
    op.create_index(
        "ix_ledger_record_id", "ledger", ["record_id"], postgresql_where=some, sqlite_where=some
    )


def _of_run(table: str, *columns: sa.Column[Any], key: str | None = None) -> None:
    op.create_table(
        table,
        _needed("run_id", Id),
        *columns,
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f(f"fk_{table}_run_id")),
        sa.PrimaryKeyConstraint(*filter(None, ("run_id", key)), name=op.f(f"pk_{table}")),
    )


def _runs() -> None:
    _of_run(
        "reassignments",
        sa.Column("list", sa.Text, comment="the name of the smart list, as it was then"),
        sa.Column("filter", sa.JSON, comment="of the list, as it was then"),
        sa.Column("order", sa.Text),
        sa.Column("ids", sa.JSON, comment="of the records, in order, where no list was named"),
        sa.Column(
            "ids_count", sa.Integer, comment="how many these are: counting them would read them all"
        ),
    )
    _of_run(
        "undos",
        _needed("undone_run_id", Id, sa.ForeignKey("runs.id", name=op.f("fk_undos_undone_run_id"))),
        _needed(
            "returns_turns", sa.Boolean, comment="whether its turns come back; else they stay spent"
        ),
    )
    op.create_index("ix_undos_undone_run_id", "undos", ["undone_run_id"])
    _of_run(
        "selections",
        _needed("ordinal", sa.BigInteger, comment="in the order of the list, from 0"),
        _needed("record_id", Id),
        _needed(
            "owner_id", Id, comment="as the record was when the list was read, like what follows"
        ),
        sa.Column("pool_id", Id),
        sa.Column("turn", sa.BigInteger),
        sa.Column("given_by", Id),
        key="ordinal",
    )
    _of_run(
        "skips",
        _needed("ordinal", sa.BigInteger),
        _needed("record_id", Id),
        _needed("reason", sa.String(10), comment="why the run has left the record as it is"),
        key="ordinal",
    )


def _takebacks() -> None:
    op.create_table(
        "takebacks",
        _needed("pool_id", Id),
        _needed("claim", sa.Text),
        _needed("first_ordinal", sa.BigInteger),
        _needed("last_ordinal", sa.BigInteger),
        _needed(
            "run_id",
            Id,
            sa.ForeignKey("runs.id", name=op.f("fk_takebacks_run_id")),
            comment="the undo's",
        ),
        _needed("at", Moment),
        sa.PrimaryKeyConstraint("pool_id", "claim", "first_ordinal", name=op.f("pk_takebacks")),
    )
    op.create_index("ix_takebacks_run_id", "takebacks", ["run_id"])
