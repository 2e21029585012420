"""Runs, and what imports know beside them."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false

from worker.store.tables.columns import attempts_columns, id_column, metadata, run_column, where
from worker.store.types import Id, Moment

runs = Table(
    "runs",
    metadata,
    id_column(),
    Column("kind", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("record_type", String(10), nullable=False),
    Column("owner_id", Id, ForeignKey("users.id"), nullable=False, comment="a user, or a pool's phantom user"),
    Column("actor_id", Id, ForeignKey("users.id")),
    Column("rows", BigInteger, nullable=False, server_default="0"),
    Column("records", BigInteger, nullable=False, server_default="0", comment="made so far"),
    Column("errors", BigInteger, nullable=False, server_default="0"),
    Column("turns", BigInteger, nullable=False, server_default="0"),
    Column("returned", BigInteger, nullable=False, server_default="0", comment="of its turns, those that it gave back unused"),
    *attempts_columns(),
    Column("chunks_left", Integer, comment="none until they are cut"),
    Column("accepted_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("moved_at", Moment, nullable=False, comment="when a worker last gave a sign of progress"),
    Column("resent", Integer, nullable=False, server_default="0", comment="how often upkeep has sent its tasks again since"),
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
    Column("tidied", Boolean, nullable=False, server_default=false(), comment="of its files, only what is still of use lies there"),
)
Index("ix_imports_untidy", imports.c.run_id, **where("NOT tidied"))

chunks = Table(
    "chunks",
    metadata,
    run_column(),
    Column("number", Integer, primary_key=True),
    Column("offset", BigInteger, nullable=False),
    Column("length", Integer, nullable=False),
    Column("first_line", BigInteger, nullable=False),
    Column("first_ordinal", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    *attempts_columns(),
    Column("done", Boolean, nullable=False, server_default=false()),
)
Index("ix_chunks_waiting", chunks.c.run_id, **where("NOT done"))
