"""Labels: the names of the sources, statuses, tags and custom fields that records have. Code that
stores a record also registers its labels."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Row, Select, delete, insert, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from worker.domain.records.fields import LONGEST_INDEXED_CHARACTERS
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import DESCRIPTIONS
from worker.store.sql.clock import now
from worker.store.tables import RECORDS, labels, stages

KINDS = SOURCE, STATUS, TAG, CUSTOM_FIELD = "source", "status", "tag", "custom_field"

Names = Mapping[str, Collection[str]]
"""Names by kind of label."""

NAMES_AT_ONCE = 1_000
"""Databases limit the number of values in a statement."""


class LabelKey(NamedTuple):
    """The columns that make a label unique."""

    kind: str
    resource_type: str
    """The type of the records that have it."""
    name: str


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """A label, and who created it; None where a file did."""

    id: int
    kind: str
    resource_type: RecordType
    name: str
    creator_id: int | None


def register(
    session: Session, record_type: RecordType, names: Names, creator_id: int | None = None
) -> None:
    """Adds the labels that don't exist yet, except for names that are too long for an index.
    Sources and statuses belong to leads, even if a record of another type has them."""
    types = dict.fromkeys(KINDS, record_type) | dict.fromkeys((SOURCE, STATUS), RecordType.LEAD)
    wanted = {
        LabelKey(kind, types[kind], name)
        for kind, of_kind in names.items()
        for name in of_kind
        if len(name) <= LONGEST_INDEXED_CHARACTERS
    }
    # All transactions add them in the same order, so that no two wait for each other.
    ordered = sorted(wanted)
    for start in range(0, len(ordered), NAMES_AT_ONCE):
        _register(session, ordered[start : start + NAMES_AT_ONCE], creator_id)


def _register(session: Session, wanted: Sequence[LabelKey], creator_id: int | None) -> None:
    moment, key = now(), (labels.c.kind, labels.c.resource_type, labels.c.name)
    known = set(map(tuple, session.execute(select(*key).where(tuple_(*key).in_(wanted)))))
    common = {"creator_id": creator_id, "created_at": moment, "updated_at": moment}
    rows = [{**each._asdict(), **common} for each in wanted if each not in known]
    if rows:
        on_postgresql = session.connection().dialect.name == "postgresql"
        new = postgresql.insert(labels) if on_postgresql else sqlite.insert(labels)
        session.execute(new.on_conflict_do_nothing(), rows)


def collect_names(records: Iterable[Mapping[str, object]]) -> Names:
    """The names of the labels of records, which are given by their columns."""
    names: dict[str, set[str]] = {kind: set() for kind in KINDS}
    columns = {SOURCE: "source", STATUS: "status", TAG: "tags", CUSTOM_FIELD: "custom_fields"}
    for record in records:
        for kind, column in columns.items():
            value = record.get(column)
            if isinstance(value, str):
                value = [value] if value else []
            names[kind].update(value if isinstance(value, Iterable) else ())
    return names


def add(session: Session, key: LabelKey, creator_id: int) -> int:
    """Adds a label, and returns its id. The unique key refuses a second of the same name."""
    moment = now()
    new = insert(labels).values(
        **key._asdict(), creator_id=creator_id, created_at=moment, updated_at=moment
    )
    return session.scalars(new.returning(labels.c.id)).one()


def lock(session: Session, kind: str, label_id: int) -> StoredLabel | None:
    """The label, which stays as it is until the transaction ends."""
    found = _select().where(labels.c.kind == kind, labels.c.id == label_id)
    return _label(session.execute(found.with_for_update()).one_or_none())


def find(session: Session, key: LabelKey) -> StoredLabel | None:
    """The label of that kind, type and name."""
    of_type = (labels.c.kind == key.kind, labels.c.resource_type == key.resource_type)
    found = _select().where(*of_type, labels.c.name == key.name)
    return _label(session.execute(found).one_or_none())


def _select() -> Select[int, str, str, str, int | None]:
    columns = labels.c
    return select(columns.id, columns.kind, columns.resource_type, columns.name, columns.creator_id)


def _label(row: Row[int, str, str, str, int | None] | None) -> StoredLabel | None:
    if row is None:
        return None
    return StoredLabel(row.id, row.kind, RecordType(row.resource_type), row.name, row.creator_id)


def find_source_name(session: Session, source_id: int) -> str | None:
    """The name of the source with that id."""
    return session.scalar(
        select(labels.c.name).where(labels.c.kind == SOURCE, labels.c.id == source_id)
    )


def find_stage_name(session: Session, stage_id: int) -> str | None:
    """The name of a stage of deals, or None."""
    return session.scalar(select(stages.c.name).where(stages.c.id == stage_id))


def rename(session: Session, label: StoredLabel, name: str) -> None:
    """Renames a label, also on all records that have it."""
    session.execute(
        update(labels).where(labels.c.id == label.id).values(name=name, updated_at=now())
    )
    _replace(session, label, name)


def remove(session: Session, label: StoredLabel) -> None:
    """Removes a label, also from all records that have it."""
    session.execute(delete(labels).where(labels.c.id == label.id))
    _replace(session, label, None)


def _replace(session: Session, label: StoredLabel, name: str | None) -> None:
    if label.kind == SOURCE:
        for description in DESCRIPTIONS.values():
            if "source" in description.stored_names:
                table = RECORDS[description.record_type]
                renamed = update(table).where(table.c.source == label.name)
                session.execute(renamed.values(source=name))
    elif label.kind == TAG:
        _replace_tag(session, label.resource_type, label.name, name)


def _replace_tag(session: Session, record_type: RecordType, old: str, new: str | None) -> None:
    """One statement. It keeps the order of tags; of two that are now alike the first stays."""
    on_postgresql = session.connection().dialect.name == "postgresql"
    form = _TAGS_ON_POSTGRESQL if on_postgresql else _TAGS_ON_SQLITE
    session.execute(text(form.format(table=RECORDS[record_type].name)), {"old": old, "new": new})


_TAGS_ON_POSTGRESQL = """
UPDATE {table} SET tags = (
    SELECT coalesce(jsonb_agg(name), '[]') FROM (
        SELECT name FROM (
            SELECT CASE WHEN value = :old THEN CAST(:new AS text) ELSE value END AS name, place
            FROM jsonb_array_elements_text(tags) WITH ORDINALITY AS each (value, place)
        ) AS replaced WHERE name IS NOT NULL GROUP BY name ORDER BY min(place)
    ) AS kept
) WHERE tags @> jsonb_build_array(CAST(:old AS text))
"""

_TAGS_ON_SQLITE = """
UPDATE {table} SET tags = (
    SELECT json_group_array(name) FROM (
        SELECT name FROM (
            SELECT CASE WHEN value = :old THEN :new ELSE value END AS name, key AS place
            FROM json_each({table}.tags)
        ) WHERE name IS NOT NULL GROUP BY name ORDER BY min(place)
    )
) WHERE EXISTS (SELECT 1 FROM json_each({table}.tags) WHERE value = :old)
"""
