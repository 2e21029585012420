"""The database that chaos works on: its own, or an empty one, and never anybody else's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.factories import person, pool
from tests.support.invariants import rows
from tests.support.servers import Postgres
from tests.support.tasks import Tasks
from worker.chaos.database import find_address_behind, find_upstream, prepare
from worker.errors.servers import ForeignDatabase
from worker.flows.system import System
from worker.ring import Ring
from worker.store.sql.engine import open_engine, writing
from worker.uploads import Uploads


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, ring: Ring, tmp_path: Path) -> Iterator[System]:
    """A system over a database without any tables."""
    server: Postgres = request.getfixturevalue("postgres")
    url = (
        server.create_database()
        if request.param == "postgresql"
        else f"sqlite:///{tmp_path / 'fresh.db'}"
    )
    engine = open_engine(url)
    yield System(engine, ring, Uploads(str(tmp_path / "uploads")), Tasks())
    engine.dispose()
    if request.param == "postgresql":
        server.drop_database(url)


def write(system: System, statement: str) -> None:
    with writing(system.engine) as session:
        session.execute(text(statement))


def test_an_empty_database_is_given_all_tables(fresh: System) -> None:
    prepare(fresh)

    assert rows(fresh, "SELECT * FROM users") == []


def test_one_that_chaos_has_used_is_emptied(system: System) -> None:
    pool(system, ["ada@chaos.invalid", "ben@chaos.invalid"])

    prepare(system)

    assert (
        rows(system, "SELECT id FROM users")
        == rows(system, "SELECT id FROM pools")
        == rows(system, "SELECT * FROM rosters")
        == []
    )


@pytest.mark.parametrize("others", [["ann@example.com"], ["ada@chaos.invalid", "ann@example.com"]])
def test_one_with_other_people_is_refused_and_left_as_it_is(
    system: System, others: list[str]
) -> None:
    for address in others:
        person(system, address)

    with pytest.raises(ForeignDatabase, match=r"holds the user ann@example\.com"):
        prepare(system)

    assert [user["email"] for user in rows(system, "SELECT email FROM users ORDER BY id")] == others


def test_one_with_records_but_no_people_is_refused(system: System) -> None:
    pool(system, 0)

    with pytest.raises(ForeignDatabase, match="holds users that are not of chaos"):
        prepare(system)


def test_one_with_tables_of_something_else_is_refused_and_left_as_it_is(fresh: System) -> None:
    write(fresh, "CREATE TABLE invoices (id integer)")

    with pytest.raises(ForeignDatabase, match="holds the table invoices"):
        prepare(fresh)

    write(fresh, "CREATE TABLE users (id integer)")  # which isn't there: nothing was migrated


@pytest.mark.parametrize(
    ("url", "place", "proxied"),
    [
        (
            "postgresql+psycopg://ann:pw@db.internal:6543/staging?sslmode=require",
            ("db.internal", 6543),
            "postgresql+psycopg://ann:pw@127.0.0.1:9999/staging?sslmode=require",
        ),
        (
            "postgresql+psycopg://ann@db.internal/staging",
            ("db.internal", 5432),
            "postgresql+psycopg://ann@127.0.0.1:9999/staging",
        ),
        (
            "postgresql+psycopg://ann@/staging?host=%2Frun%2Fpg&port=5433",
            "/run/pg/.s.PGSQL.5433",
            "postgresql+psycopg://ann@127.0.0.1:9999/staging",
        ),
    ],
)
def test_a_server_is_found_by_its_address_and_reached_behind_a_proxy(
    url: str, place: object, proxied: str
) -> None:
    assert find_upstream(url) == place
    assert find_address_behind(url, 9999) == proxied


def test_a_file_has_no_server() -> None:
    assert find_upstream("sqlite:////tmp/evenhand.db") is None
