"""A database of an earlier version, with what it holds, is brought to this one."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.support import servers
from worker.store.sql.engine import open_engine, reading, writing
from worker.store.sql.migrate import migrate

NOW = "2026-01-01 12:00:00"

TOO_LONG = secrets.token_hex(5_000)
"""Longer than an index holds, and not to be compressed."""

LEADS = (
    (1, "Fair", "Hot", '["a", "b"]', '{"Region": "EU"}'),
    (2, "Fair", "New", '["b", "it\'s"]', '{"Region": "US", "été \\"x\\"": "1"}'),
    (3, None, None, "[]", "{}"),
    (4, TOO_LONG, TOO_LONG, f'["{TOO_LONG}"]', f'{{"{TOO_LONG}": "x"}}'),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without tables, once of each kind."""
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path}/earlier.db")
        return
    postgres: servers.Postgres = request.getfixturevalue("postgres")
    url = postgres.create_database()
    yield from _opened(url)
    postgres.drop_database(url)


def _opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    yield engine
    engine.dispose()


def fill_at_0002(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(
            text(
                "INSERT INTO users (name, email, created_at, updated_at)"
                f" VALUES ('Root', 'root@example.com', '{NOW}', '{NOW}')"
            )
        )
        common = f"'{NOW}', '{NOW}'"
        for number, source, status, tags, fields in LEADS:
            lead = text(
                "INSERT INTO leads (id, owner_id, last_name, source, status, tags, custom_fields,"
                " created_at, updated_at)"
                f" VALUES (:number, 1, 'L', :source, :status, :tags, :fields, {common})"
            )
            session.execute(
                lead,
                {
                    "number": number,
                    "source": source,
                    "status": status,
                    "tags": tags,
                    "fields": fields,
                },
            )
        session.execute(
            text(
                "INSERT INTO contacts"
                " (owner_id, last_name, tags, custom_fields, created_at, updated_at)"
                f""" VALUES (1, 'C', '["b"]', '{{"Size": "7"}}', {common})"""
            )
        )
        session.execute(
            text(
                "INSERT INTO deals"
                " (owner_id, name, source, stage, tags, custom_fields, created_at, updated_at)"
                f""" VALUES (1, 'D', 'Web', 'quote', '["c"]', '{{"Term": "1"}}', {common})"""
            )
        )


def held(engine: Engine, statement: str) -> list[Any]:
    with reading(engine) as session:
        return [tuple(row) for row in session.execute(text(statement))]


def test_the_records_of_version_0002_have_their_labels_at_version_0003(earlier: Engine) -> None:
    migrate(earlier, "0002")
    fill_at_0002(earlier)
    before = held(earlier, "SELECT id, source, status FROM leads ORDER BY id")

    migrate(earlier)
    migrate(earlier)

    found = held(
        earlier, "SELECT kind, resource_type, name FROM labels ORDER BY kind, resource_type, name"
    )
    statuses = ("New", "Working", "Unqualified", "Converted", "Hot")
    assert found == sorted([
        *(("status", "lead", name) for name in statuses),
        ("source", "lead", "Fair"), ("source", "lead", "Web"),
        ("tag", "lead", "a"), ("tag", "lead", "b"), ("tag", "lead", "it's"),
        ("tag", "contact", "b"), ("tag", "deal", "c"),
        ("custom_field", "lead", "Region"), ("custom_field", "lead", 'été "x"'),
        ("custom_field", "contact", "Size"), ("custom_field", "deal", "Term"),
    ])  # fmt: skip
    assert held(earlier, "SELECT id, source, status FROM leads ORDER BY id") == before
    assert held(
        earlier,
        "SELECT count(*) FROM labels"
        " WHERE created_at IS NULL OR updated_at IS NULL OR creator_id IS NOT NULL",
    ) == [(0,)]
    assert [bool(hot) for [hot] in held(earlier, "SELECT hot FROM deals")] == [False]
    assert held(earlier, "SELECT deleted_at FROM contacts") == [(None,)]
    assert [name for [name] in held(earlier, "SELECT name FROM stages ORDER BY position")][:3] == [
        "Incoming",
        "Qualified",
        "Quote",
    ]
    assert [bool(may) for [may] in held(earlier, "SELECT can_reassign FROM users")] == [False]


def test_labels_go_on_from_those_that_the_migration_made(earlier: Engine) -> None:
    migrate(earlier, "0002")
    fill_at_0002(earlier)
    migrate(earlier)

    with writing(earlier) as session:
        key = "kind, resource_type, name, created_at, updated_at"
        session.execute(
            text(f"INSERT INTO labels ({key}) VALUES ('tag', 'lead', 'new', '{NOW}', '{NOW}')")
        )

    [[newest]] = held(earlier, "SELECT name FROM labels ORDER BY id DESC LIMIT 1")
    assert newest == "new"


def test_the_chunks_of_version_0005_are_dated_before_anybody_edited_their_records(
    earlier: Engine,
) -> None:
    migrate(earlier, "0005")
    later = "2026-01-02 12:00:00"
    run = f"1, 'import', 'cancelled', 'lead', 1, '{NOW}', '{later}'"
    chunk = "(1, {number}, 7, 8, 9, 10, 11, 12, 1, {done})"
    with writing(earlier) as session:
        for statement in (
            "INSERT INTO users (name, email, created_at, updated_at)"
            f" VALUES ('Root', 'root@example.com', '{NOW}', '{NOW}')",
            "INSERT INTO runs (id, kind, state, record_type, owner_id, accepted_at, moved_at)"
            f" VALUES ({run})",
            'INSERT INTO chunks (run_id, number, "offset", length, first_line, first_ordinal,'
            " rows, records, attempts, done) VALUES "
            + ", ".join(chunk.format(number=number, done=f"({number} = 0)") for number in (0, 1)),
            "INSERT INTO leads (owner_id, tags, custom_fields, created_at, updated_at) VALUES "
            + ", ".join(f"(1, '[]', '{{}}', '{NOW}', '{moment}')" for moment in (NOW, later)),
        ):
            session.execute(text(statement))

    migrate(earlier)

    places = held(
        earlier,
        'SELECT number, "offset", length, first_line, first_ordinal, rows, records, attempts'
        " FROM chunks ORDER BY number",
    )
    assert places == [(number, 7, 8, 9, 10, 11, 12, 1) for number in (0, 1)]
    dated = (
        "SELECT chunks.number FROM chunks JOIN runs ON runs.id = run_id WHERE done_at = accepted_at"
    )
    assert held(
        earlier, f"{dated} UNION SELECT -1 FROM chunks WHERE done_at IS NULL ORDER BY 1"
    ) == [(-1,), (0,)]
    assert held(earlier, "SELECT id FROM leads WHERE edited_at = updated_at") == [(2,)]
    assert held(earlier, "SELECT id FROM leads WHERE edited_at IS NULL") == [(1,)]
