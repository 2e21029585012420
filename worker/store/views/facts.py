"""What people and programs are shown: plain facts, ready for JSON."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from worker.store.people import users
from worker.store.tables import users as user_table

Facts = dict[str, Any]


def user_facts(user: Row[Any]) -> Facts:
    facts = {
        name: getattr(user, name)
        for name in ("id", "name", "email", "is_admin", "can_reassign", "is_active")
    }
    return facts | {"created_at": time_text(user.created_at)}


def who(user: Row[Any] | None) -> Facts | None:
    """A user, or a pool's phantom user, in short."""
    return None if user is None else {"id": user.id, "name": user.name, "email": user.email}


def token_facts(token: Row[Any]) -> Facts:
    """A token without what it is, which nobody knows but who was given it."""
    times = {
        name: time_text(getattr(token, name))
        for name in ("created_at", "last_used_at", "revoked_at")
    }
    return {"id": token.id, "name": token.name, **times}


def all_users(session: Session) -> list[Facts]:
    return [user_facts(user) for user in users.people(session)]


def account_facts(session: Session, name: str, currency: str) -> Facts:
    """What the Sell API tells of the account, which is as old as its first user."""
    began = session.scalar(select(func.min(user_table.c.created_at)))
    facts = {
        "id": 1,
        "name": name,
        "currency": currency,
        "time_format": "24H",
        "timezone": "UTC",
        "phone": None,
        "subdomain": None,
    }
    return facts | dict.fromkeys(
        ("created_at", "updated_at"), began.strftime("%Y-%m-%dT%H:%M:%SZ") if began else None
    )


def time_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
