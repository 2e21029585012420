"""Labels: the names of sources, statuses, tags and custom fields that records bear. Whoever stores
a record registers its labels."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from worker.domain.records.fields import LONGEST_INDEXED_CHARACTERS
from worker.store.sql.clock import now
from worker.store.tables import RECORDS, deals, labels, leads

KINDS = SOURCE, STATUS, TAG, CUSTOM_FIELD = "source", "status", "tag", "custom_field"

Names = Mapping[str, Collection[str]]
"""Names by kind of label."""

Name = tuple[str, str, str]
"""A label's kind, the type of records that bear it, and its name."""

NAMES_AT_ONCE = 1_000
"""A statement can't have any number of values."""


def register(
    session: Session, resource_type: str, names: Names, creator_id: int | None = None
) -> None:
    """Adds the labels that aren't there yet, but for names that no index holds. Sources and
    statuses are those of leads, whoever bears them."""
    bearers = dict.fromkeys(KINDS, resource_type) | dict.fromkeys((SOURCE, STATUS), "lead")
    wanted = {
        (kind, bearers[kind], name)
        for kind, some in names.items()
        for name in some
        if len(name) <= LONGEST_INDEXED_CHARACTERS
    }
    # Everybody goes in the same order, so that two who wait for each other's names don't wait in a
    # circle.
    for some in _batches(sorted(wanted)):
        _register(session, some, creator_id)


def _batches(names: Sequence[Name]) -> Iterable[Sequence[Name]]:
    return (names[at : at + NAMES_AT_ONCE] for at in range(0, len(names), NAMES_AT_ONCE))


def _register(session: Session, wanted: Sequence[Name], creator_id: int | None) -> None:
    moment, key = now(), (labels.c.kind, labels.c.resource_type, labels.c.name)
    known = set(map(tuple, session.execute(select(*key).where(tuple_(*key).in_(wanted)))))
    common = {"creator_id": creator_id, "created_at": moment, "updated_at": moment}
    rows = [
        {"kind": kind, "resource_type": bearer, "name": name, **common}
        for kind, bearer, name in wanted
        if (kind, bearer, name) not in known
    ]
    if rows:
        dialect: Any = postgresql if session.connection().dialect.name == "postgresql" else sqlite
        session.execute(dialect.insert(labels).on_conflict_do_nothing(), rows)


def labels_of(records: Iterable[Mapping[str, Any]]) -> Names:
    """The labels that records bear, which are given as what is stored of them."""
    names: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for record in records:
        for kind in (SOURCE, STATUS):
            names[kind].update(filter(None, (record.get(kind),)))
        names[TAG].update(record.get("tags") or ())
        names[CUSTOM_FIELD].update(record.get("custom_fields") or ())
    return names


def add(session: Session, kind: str, resource_type: str, name: str, creator_id: int) -> int:
    """The id of a new label. The unique key refuses a second of the same name."""
    moment = now()
    new = insert(labels).values(
        kind=kind,
        resource_type=resource_type,
        name=name,
        creator_id=creator_id,
        created_at=moment,
        updated_at=moment,
    )
    return session.scalars(new.returning(labels.c.id)).one()


def lock(session: Session, kind: str, label_id: int) -> Row[Any] | None:
    found = select(labels).where(labels.c.kind == kind, labels.c.id == label_id)
    return session.execute(found.with_for_update()).one_or_none()


def find(session: Session, kind: str, resource_type: str, name: str) -> Row[Any] | None:
    of_kind = (labels.c.kind == kind, labels.c.resource_type == resource_type)
    return session.execute(select(labels).where(*of_kind, labels.c.name == name)).one_or_none()


def source_name(session: Session, source_id: int) -> str | None:
    return session.scalar(
        select(labels.c.name).where(labels.c.kind == SOURCE, labels.c.id == source_id)
    )


def rename(session: Session, label: Row[Any], name: str) -> None:
    """Renames a label on all records that bear it, too."""
    session.execute(
        update(labels).where(labels.c.id == label.id).values(name=name, updated_at=now())
    )
    _replace(session, label, name)


def remove(session: Session, label: Row[Any]) -> None:
    """Takes a label off all records that bear it, too."""
    session.execute(delete(labels).where(labels.c.id == label.id))
    _replace(session, label, None)


def _replace(session: Session, label: Row[Any], name: str | None) -> None:
    if label.kind == SOURCE:
        for table in (leads, deals):
            session.execute(update(table).where(table.c.source == label.name).values(source=name))
    elif label.kind == TAG:
        _replace_tag(session, label.resource_type, label.name, name)


def _replace_tag(session: Session, record_type: str, old: str, new: str | None) -> None:
    """One statement, which keeps the order of tags; of two that are alike by now the first stays."""
    form = (
        _TAGS_ON_POSTGRESQL
        if session.connection().dialect.name == "postgresql"
        else _TAGS_ON_SQLITE
    )
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
            SELECT CASE WHEN value = :old THEN :new ELSE value END AS name, key AS place FROM json_each({table}.tags)
        ) WHERE name IS NOT NULL GROUP BY name ORDER BY min(place)
    )
) WHERE EXISTS (SELECT 1 FROM json_each({table}.tags) WHERE value = :old)
"""
