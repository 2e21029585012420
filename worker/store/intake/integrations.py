"""Integrations: through which others' systems bring in leads, and what they show to be let in."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import integrations, users
from worker.store.views.facts import Facts, time_text

FORMER_GOOD_FOR = timedelta(days=1)
"""How long the secret before the present one still lets in."""


def add(session: Session, /, **values: Any) -> int:
    """The id of a new integration. Unique keys refuse a second of the same slug or name."""
    moment = now()
    new = insert(integrations).values(**values, created_at=moment, updated_at=moment)
    return session.scalars(new.returning(integrations.c.id)).one()


def change(session: Session, integration_id: int, /, **values: Any) -> None:
    session.execute(
        update(integrations)
        .where(integrations.c.id == integration_id)
        .values(**values, updated_at=now())
    )


def rotate(session: Session, integration: Row[Any], sealed: str) -> None:
    """Another secret, beside which the present one is good for a day more."""
    until = now() + FORMER_GOOD_FOR
    change(
        session, integration.id, secret=sealed, former_secret=integration.secret, former_until=until
    )


def enabled(session: Session, slug: str) -> Row[Any] | None:
    """The integration behind that slug, if it takes in anything."""
    found = select(integrations).where(integrations.c.slug == slug, integrations.c.enabled)
    return session.execute(found).one_or_none()


def with_id(session: Session, integration_id: int, *, lock: bool = False) -> Row[Any] | None:
    """An integration, which then stays as it is until the transaction ends. Those who bring in
    leads don't wait for that."""
    found = select(integrations).where(integrations.c.id == integration_id)
    return session.execute(found.with_for_update(key_share=True) if lock else found).one_or_none()


def called(session: Session, name: str) -> Row[Any] | None:
    """The integration of that slug or, capitals or not, that name; the slug goes first."""
    same = or_(integrations.c.slug == name, func.lower(integrations.c.name) == func.lower(name))
    found = select(integrations).where(same).order_by(integrations.c.slug != name).limit(1)
    return session.execute(found).one_or_none()


def secrets_of(integration: Row[Any]) -> list[str]:
    """The sealed secrets that let in now."""
    former = integration.former_until is not None and integration.former_until > now()
    return [integration.secret, *([integration.former_secret] if former else [])]


# --- what is shown ---


def every(session: Session) -> list[Facts]:
    """All integrations, in the order of making."""
    return [_facts(row) for row in session.execute(_with_owners().order_by(integrations.c.id))]


def facts(session: Session, integration_id: int) -> Facts:
    """An integration without its secrets."""
    return _facts(session.execute(_with_owners().where(integrations.c.id == integration_id)).one())


def _with_owners() -> Any:
    return select(integrations, users.c.name.label("owner")).join(
        users, users.c.id == integrations.c.owner_id
    )


def _facts(row: Row[Any]) -> Facts:
    plain = (
        "id",
        "name",
        "slug",
        "kind",
        "owner",
        "owner_id",
        "source",
        "tags",
        "mapping",
        "enabled",
        "base_url",
    )
    shown = {name: getattr(row, name) for name in plain}
    own = {"path": f"/hooks/{row.slug}", "has_access_token": row.access_token is not None}
    return (
        shown
        | own
        | {
            "former_secret_until": _future(row.former_until),
            "created_at": time_text(row.created_at),
        }
    )


def _future(moment: datetime | None) -> str | None:
    return time_text(moment) if moment is not None and moment > now() else None
