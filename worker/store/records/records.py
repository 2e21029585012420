"""Leads, contacts and deals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.domain.records.types import ColumnValues
from worker.domain.turns.allotment import OwnerColumns
from worker.store.sql import value_table
from worker.store.sql.clock import now
from worker.store.tables import RECORDS


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A lead, a contact or a deal as its table has it. `columns` holds all columns by name."""

    id: int
    owner_id: int
    creator_id: int | None
    pool_id: int | None
    turn: int | None
    given_by: int | None
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    columns: ColumnValues


_COMMON = tuple(each.name for each in fields(StoredRecord) if each.name != "columns")


def add(
    session: Session, record_type: RecordType, owner_id: int, values: Mapping[str, object]
) -> int:
    """Adds a record, and returns its id."""
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
    record_type: RecordType,
    owner_id: int,
    creator_id: int | None,
    records: Iterable[Mapping[str, object]],
) -> list[int]:
    """Adds records, and returns their ids, in order and ascending. All must name the same
    fields."""
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


def find_live(
    session: Session, record_type: RecordType, record_id: int, *, lock: bool = False
) -> StoredRecord | None:
    """The record, or None if it was deleted or converted. With `lock` it stays as it is until the
    transaction ends."""
    record = find(session, record_type, record_id, lock=lock)
    return None if record is None or record.deleted_at is not None else record


def find(
    session: Session, record_type: RecordType, record_id: int, *, lock: bool = False
) -> StoredRecord | None:
    """The record, deleted or not."""
    table = RECORDS[record_type]
    found = select(table).where(table.c.id == record_id)
    row = session.execute(found.with_for_update() if lock else found).mappings().one_or_none()
    if row is None:
        return None
    common = {name: row[name] for name in _COMMON}
    return StoredRecord(**common, columns=dict(row))


def change(
    session: Session, record_type: RecordType, record_id: int, values: Mapping[str, object]
) -> None:
    """Writes the named columns of a record."""
    table = RECORDS[record_type]
    session.execute(
        update(table).where(table.c.id == record_id).values({**values, "updated_at": now()})
    )


def remove(session: Session, record_type: RecordType, record_id: int) -> None:
    """Removes the record for good. Nothing may name it, above all no entry of the ledger."""
    session.execute(delete(RECORDS[record_type]).where(RECORDS[record_type].c.id == record_id))


OWNED = ("owner_id", "pool_id", "turn", "given_by")
"""The columns of a record that name its owner, and the turn that gave it to them."""


def set_owners(
    session: Session, record_type: RecordType, owners: OwnerColumns, moment: datetime
) -> None:
    """Sets the owners of any number of records, which the caller has locked."""
    table, new = RECORDS[record_type], value_table.table(session, **owners)
    values = {name: new.c[name] for name in OWNED}
    session.execute(
        update(table).where(table.c.id == new.c.record_id).values(**values, updated_at=moment)
    )


def reserve_ids(session: Session, record_type: RecordType, count: int) -> int:
    """Reserves so many consecutive ids, which no other record gets, and returns the first. Ids that
    aren't used stay unused."""
    name = RECORDS[record_type].name
    if session.connection().dialect.name == "sqlite":
        return _reserve_on_sqlite(session, name, count)
    # ALTER SEQUENCE locks the sequence until the commit, even when it changes nothing.
    session.execute(text(f"ALTER SEQUENCE {name}_id_seq INCREMENT BY 1"))
    first = session.scalars(text(f"SELECT nextval('{name}_id_seq')")).one()
    session.execute(text(f"SELECT setval('{name}_id_seq', :last)"), {"last": first + count - 1})
    return int(first)


def _next_ids(session: Session, name: str, count: int) -> list[int]:
    """That many ids, ascending. Unlike `reserve_ids` it makes no transaction wait, so other
    transactions' ids may lie between."""
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
            "INSERT INTO sqlite_sequence (name, seq) SELECT :name, 0"
            " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :name)"
        ),
        {"name": name},
    )
    counted = text(
        "UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :name"
        " RETURNING seq - :count + 1"
    )
    return session.execute(counted, {"name": name, "count": count}).scalar_one()
