"""People, and the phantom users that pools are."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import users


def add(session: Session, name: str, email: str | None, /, **permissions: bool) -> int:
    """The id of a new user, or of a pool's phantom user: with is_admin, can_reassign, or is_pool."""
    moment = now()
    new = insert(users).values(
        name=name, email=email, created_at=moment, updated_at=moment, **permissions
    )
    return session.scalars(new.returning(users.c.id)).one()


def change(session: Session, user_id: int, /, **values: Any) -> None:
    session.execute(update(users).where(users.c.id == user_id).values(**values, updated_at=now()))


def people(session: Session) -> list[Row[Any]]:
    """Everyone, in the order of joining."""
    return list(session.execute(select(users).where(~users.c.is_pool).order_by(users.c.id)))


def with_email(session: Session, email: str) -> Row[Any] | None:
    return session.execute(select(users).where(users.c.email == email.lower())).one_or_none()


def with_id(session: Session, user_id: int) -> Row[Any] | None:
    return session.execute(select(users).where(users.c.id == user_id)).one_or_none()


def lock_active(session: Session, user_id: int) -> bool:
    """Whether the user is active, and will be until the transaction ends."""
    active = select(users.c.id).where(users.c.id == user_id, users.c.is_active)
    return session.execute(active.with_for_update(read=True)).one_or_none() is not None


def called(session: Session, name: str) -> list[Row[Any]]:
    """The active people of that name, capitals or not."""
    same_name = func.lower(users.c.name) == func.lower(name)
    return list(
        session.execute(
            select(users).where(same_name, users.c.is_active, ~users.c.is_pool).limit(2)
        )
    )


def active_admins(session: Session) -> list[int]:
    """Their ids; none of them changes until the transaction ends."""
    admins = select(users.c.id).where(users.c.is_admin, users.c.is_active).order_by(users.c.id)
    return list(session.scalars(admins.with_for_update()))


def by_id(session: Session, ids: Iterable[int | None]) -> dict[int, Row[Any]]:
    """The users with those ids."""
    wanted = {user_id for user_id in ids if user_id is not None}
    return {user.id: user for user in session.execute(select(users).where(users.c.id.in_(wanted)))}
