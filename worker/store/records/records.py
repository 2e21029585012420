"""Leads, contacts and deals."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, text, update
from sqlalchemy.orm import Session

from worker.domain.turns.allotment import OwnerColumns
from worker.store.sql import value_table
from worker.store.sql.clock import now
from worker.store.tables import RECORDS


def add(session: Session, record_type: str, owner_id: int, values: Mapping[str, Any]) -> int:
    """The id of a new record."""
    table, moment = RECORDS[record_type], now()
    complete = {
        "tags": [],
        "custom_fields": {},
        **values,
        "owner_id": owner_id,
        "created_at": moment,
        "updated_at": moment,
    }
    return session.scalars(insert(table).values(complete).returning(table.c.id)).one()


def add_all(
    session: Session,
    record_type: str,
    owner_id: int,
    creator_id: int | None,
    records: Iterable[Mapping[str, Any]],
) -> list[int]:
    """The ids of new records, in order and ascending. Each names the same fields."""
    table, moment = RECORDS[record_type], now()
    common = {
        "owner_id": owner_id,
        "creator_id": creator_id,
        "created_at": moment,
        "updated_at": moment,
    }
    rows = [{**record, **common} for record in records]
    ids = _next_ids(session, table.name, len(rows))
    session.execute(
        insert(table), [{**row, "id": record_id} for record_id, row in zip(ids, rows, strict=True)]
    )
    return ids


def live(
    session: Session, record_type: str, record_id: int, *, lock: bool = False
) -> Row[Any] | None:
    """The record, unless it was deleted or converted."""
    record = with_id(session, record_type, record_id, lock=lock)
    return None if record is None or record.deleted_at is not None else record


def change(session: Session, record_type: str, record_id: int, values: Mapping[str, Any]) -> None:
    table = RECORDS[record_type]
    session.execute(
        update(table).where(table.c.id == record_id).values({**values, "updated_at": now()})
    )


def remove(session: Session, record_type: str, record_id: int) -> None:
    """For good: nothing may name it, above all no entry of the ledger."""
    session.execute(delete(RECORDS[record_type]).where(RECORDS[record_type].c.id == record_id))


def with_id(
    session: Session, record_type: str, record_id: int, *, lock: bool = False
) -> Row[Any] | None:
    table = RECORDS[record_type]
    found = select(table).where(table.c.id == record_id)
    return session.execute(found.with_for_update() if lock else found).one_or_none()


OWNED = ("owner_id", "pool_id", "turn", "given_by")
"""The columns of a record that tell whose it is, and by what."""


def set_owners(session: Session, record_type: str, owners: OwnerColumns, moment: datetime) -> None:
    """Sets the owners of any number of records, which the caller has locked."""
    table, new = RECORDS[record_type], value_table.table(session, **owners)
    values = {name: new.c[name] for name in OWNED}
    session.execute(
        update(table).where(table.c.id == new.c.record_id).values(**values, updated_at=moment)
    )


def reserve_ids(session: Session, record_type: str, count: int) -> int:
    """The first of so many consecutive ids that no other record will get. Ids that go unused stay
    unused."""
    name = RECORDS[record_type].name
    if session.connection().dialect.name == "sqlite":
        return _reserve_on_sqlite(session, name, count)
    # Altering a sequence, even to what it is, keeps everybody else's nextval waiting until the
    # commit.
    session.execute(text(f"ALTER SEQUENCE {name}_id_seq INCREMENT BY 1"))
    first = session.scalars(text(f"SELECT nextval('{name}_id_seq')")).one()
    session.execute(text(f"SELECT setval('{name}_id_seq', :last)"), {"last": first + count - 1})
    return int(first)


def _next_ids(session: Session, name: str, count: int) -> list[int]:
    """So many ids, ascending. Unlike `reserve_ids` it holds up nobody, and others' ids may lie
    between."""
    if session.connection().dialect.name == "sqlite":
        first = _reserve_on_sqlite(session, name, count)
        return list(range(first, first + count))
    return list(
        session.scalars(
            text(f"SELECT nextval('{name}_id_seq') FROM generate_series(1, :count)"),
            {"count": count},
        )
    )


def _reserve_on_sqlite(session: Session, name: str, count: int) -> int:
    session.execute(
        text(
            "INSERT INTO sqlite_sequence (name, seq) SELECT :name, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :name)"
        ),
        {"name": name},
    )
    counted = text(
        "UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :name RETURNING seq - :count + 1"
    )
    return session.execute(counted, {"name": name, "count": count}).scalar_one()
