"""The columns that several tables share."""

from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Integer, MetaData, Text, false, text

from worker.store.sql.types import Id, Moment

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def id_column() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def pool_column() -> Column[int]:
    return Column("pool_id", Id, ForeignKey("pools.id"), primary_key=True)


def run_column() -> Column[int]:
    return Column("run_id", Id, ForeignKey("runs.id"), primary_key=True)


def attempts_columns() -> list[Column[Any]]:
    """The columns of work that is tried a few times and then set aside."""
    return [
        Column(
            "attempts",
            Integer,
            nullable=False,
            server_default="0",
            comment="begun, and not ended in good order",
        ),
        Column("leased_until", Moment, comment="a worker is on it until then"),
        Column("leased_by", Text, comment="the task that the worker runs"),
        Column(
            "set_aside",
            Boolean,
            nullable=False,
            server_default=false(),
            comment="tried often enough, until somebody asks for more",
        ),
        Column("reason", Text, comment="what went wrong last"),
    ]


def where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}
