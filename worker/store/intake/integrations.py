"""Integrations: others' systems that deliver leads, and the secrets that they sign with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, func, insert, or_, select, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import integrations

FORMER_GOOD_FOR = timedelta(days=1)
"""How long the secret before the present one is still good."""


@dataclass(frozen=True, slots=True)
class Integration:
    """An integration, as it is stored. Its secrets and its access token are sealed."""

    id: int
    slug: str
    name: str
    kind: str
    owner_id: int
    source: str | None
    tags: tuple[str, ...]
    mapping: Mapping[str, str]
    secret: str
    former_secret: str | None
    former_until: datetime | None
    access_token: str | None
    base_url: str | None

    def good_secrets(self) -> list[str]:
        """The sealed secrets that are good now."""
        former = self.former_until is not None and self.former_until > now()
        return [self.secret, *([self.former_secret] if former and self.former_secret else [])]


def add(session: Session, columns: Mapping[str, object]) -> int:
    """The id of a new integration. Unique keys refuse a second one with the same slug or name."""
    moment = now()
    new = insert(integrations).values(**columns, created_at=moment, updated_at=moment)
    return session.scalars(new.returning(integrations.c.id)).one()


def change(session: Session, integration_id: int, columns: Mapping[str, object]) -> None:
    changed = update(integrations).where(integrations.c.id == integration_id)
    session.execute(changed.values(**columns, updated_at=now()))


def rotate(session: Session, integration: Integration, sealed: str) -> None:
    """Sets another secret. The present one is good for a day more."""
    columns = {
        "secret": sealed,
        "former_secret": integration.secret,
        "former_until": now() + FORMER_GOOD_FOR,
    }
    change(session, integration.id, columns)


def find_enabled(session: Session, slug: str) -> Integration | None:
    """The integration with that slug, if it accepts deliveries."""
    return _find_one(session, (integrations.c.slug == slug) & integrations.c.enabled)


def find(session: Session, integration_id: int) -> Integration | None:
    return _find_one(session, integrations.c.id == integration_id)


def lock(session: Session, integration_id: int) -> Integration | None:
    """The integration. No other transaction changes it until this one ends. Deliveries don't wait
    for that."""
    found = select(integrations).where(integrations.c.id == integration_id)
    row = session.execute(found.with_for_update(key_share=True)).one_or_none()
    return None if row is None else _read_integration(row)


def find_by_name(session: Session, name: str) -> Integration | None:
    """The integration with that slug or, in capitals or not, that name. A slug goes first."""
    same = or_(integrations.c.slug == name, func.lower(integrations.c.name) == func.lower(name))
    found = select(integrations).where(same).order_by(integrations.c.slug != name).limit(1)
    row = session.execute(found).one_or_none()
    return None if row is None else _read_integration(row)


def _find_one(session: Session, condition: ColumnElement[bool]) -> Integration | None:
    row = session.execute(select(integrations).where(condition)).one_or_none()
    return None if row is None else _read_integration(row)


def _read_integration(row: Row[tuple[object, ...]]) -> Integration:
    return Integration(
        id=row.id,
        slug=row.slug,
        name=row.name,
        kind=row.kind,
        owner_id=row.owner_id,
        source=row.source,
        tags=tuple(row.tags),
        mapping=row.mapping,
        secret=row.secret,
        former_secret=row.former_secret,
        former_until=row.former_until,
        access_token=row.access_token,
        base_url=row.base_url,
    )
