"""Brings a database to the tables of this version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from worker.store.sql.engine import writing

_LOCK = 0x45564E48
"""The number of the advisory lock that lets one process at a time migrate."""


def migrate(engine: Engine, revision: str = "head") -> None:
    """Applies the migrations that the database doesn't have, up to that one. Safe to run at any
    time and by several processes at once."""
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%")
    )
    with writing(engine) as session:
        connection = session.connection()
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
