"""Runs, and the additional columns of imports, reassignments and undos."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
)

from worker.domain.records.record_type import RecordType
from worker.domain.runs.runs import RunKind, RunState, SkipReason
from worker.store.sql.types import Id, Moment, Word
from worker.store.tables.columns import attempts_columns, id_column, metadata, run_column, where

runs = Table(
    "runs",
    metadata,
    id_column(),
    Column("kind", Word(RunKind, 10), nullable=False),
    Column("state", Word(RunState, 10), nullable=False),
    Column("record_type", Word(RecordType, 10), nullable=False),
    Column(
        "owner_id",
        Id,
        ForeignKey("users.id"),
        nullable=False,
        comment="a user, or a pool's phantom user",
    ),
    Column("actor_id", Id, ForeignKey("users.id")),
    Column("rows", BigInteger, nullable=False, server_default="0"),
    Column("records", BigInteger, nullable=False, server_default="0", comment="made so far"),
    Column("errors", BigInteger, nullable=False, server_default="0"),
    Column(
        "skipped",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="records that it has left as they are",
    ),
    Column("turns", BigInteger, nullable=False, server_default="0"),
    Column(
        "returned",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="of its turns, those that it gave back unused",
    ),
    *attempts_columns(),
    Column("chunks_left", Integer, comment="none until they are cut"),
    Column("accepted_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column(
        "moved_at", Moment, nullable=False, comment="when a worker last gave a sign of progress"
    ),
    Column(
        "resent",
        Integer,
        nullable=False,
        server_default="0",
        comment="how often upkeep has sent its tasks again since",
    ),
    sqlite_autoincrement=True,
)
Index("ix_runs_live", runs.c.moved_at, **where("ended_at IS NULL"))

imports = Table(
    "imports",
    metadata,
    run_column(),
    Column("folder", Text, nullable=False, comment="where its upload and receipt lie"),
    Column("file_name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mapping", JSON, nullable=False, comment="what --map said: field by header"),
    Column("delimiter", String(1)),
    Column("columns", JSON, comment="what each column is taken as"),
    Column("first_errors", JSON, comment="the first hundred row errors"),
    Column("first_record_id", Id, comment="its records have consecutive ids in file order"),
    Column("scanned_bytes", BigInteger, nullable=False, server_default="0"),
    Column(
        "tidied",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="of its files, only what is still of use lies there",
    ),
)
Index("ix_imports_untidy", imports.c.run_id, **where("NOT tidied"))

chunks = Table(
    "chunks",
    metadata,
    run_column(),
    Column("number", Integer, primary_key=True),
    Column("offset", BigInteger, comment="in the file, of an import's"),
    Column("length", Integer),
    Column("first_line", BigInteger),
    Column("first_ordinal", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    *attempts_columns(),
    Column("done_at", Moment),
)
Index("ix_chunks_waiting", chunks.c.run_id, **where("done_at IS NULL"))

reassignments = Table(
    "reassignments",
    metadata,
    run_column(),
    Column("list", Text, comment="the name of the smart list, as it was then"),
    Column("filter", JSON, comment="of the list, as it was then"),
    Column("order", Text),
    Column("ids", JSON, comment="of the records, in order, where no list was named"),
    Column("ids_count", Integer, comment="how many these are: counting them would read them all"),
)

undos = Table(
    "undos",
    metadata,
    run_column(),
    Column("undone_run_id", Id, ForeignKey("runs.id"), nullable=False),
    Column(
        "returns_turns",
        Boolean,
        nullable=False,
        comment="whether its turns come back; else they stay spent",
    ),
    Index("ix_undos_undone_run_id", "undone_run_id"),
)

selections = Table(
    "selections",
    metadata,
    run_column(),
    Column(
        "ordinal",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="in the order of the list, from 0",
    ),
    Column("record_id", Id, nullable=False),
    Column(
        "owner_id",
        Id,
        nullable=False,
        comment="as the record was when the list was read, like what follows",
    ),
    Column("pool_id", Id),
    Column("turn", BigInteger),
    Column("given_by", Id),
)

skips = Table(
    "skips",
    metadata,
    run_column(),
    Column("ordinal", BigInteger, primary_key=True, autoincrement=False),
    Column("record_id", Id, nullable=False),
    Column(
        "reason",
        Word(SkipReason, 10),
        nullable=False,
        comment="why the run has left the record as it is",
    ),
)
