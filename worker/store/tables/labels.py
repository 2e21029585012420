"""The labels that records refer to by name."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from worker.store.sql.types import Id, Moment
from worker.store.tables.columns import id_column, metadata

labels = Table(
    "labels",
    metadata,
    id_column(),
    Column("kind", String(12), nullable=False, comment="source, status, tag or custom_field"),
    Column("resource_type", String(10), nullable=False, comment="the records that may bear it"),
    Column("name", Text, nullable=False),
    Column("creator_id", Id),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("kind", "resource_type", "name"),
    sqlite_autoincrement=True,
)

pipelines = Table(
    "pipelines",
    metadata,
    id_column(),
    Column("name", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)

stages = Table(
    "stages",
    metadata,
    id_column(),
    Column("pipeline_id", Id, ForeignKey("pipelines.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("category", String(12), nullable=False),
    Column("position", Integer, nullable=False),
    Column("likelihood", Integer, nullable=False, comment="of winning the deal, in percent"),
    Column("active", Boolean, nullable=False, comment="whether deals in it are still open"),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("pipeline_id", "name"),
    sqlite_autoincrement=True,
)
