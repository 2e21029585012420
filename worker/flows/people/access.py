"""Access: tokens are issued, shown once, revoked, and tell who asks."""

import hashlib
import logging
import re
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from worker.domain.people.permissions import Actor
from worker.errors.people import BlankName, UnknownToken, UnknownUser
from worker.flows.system import System
from worker.store.people import tokens, users
from worker.store.sql.clock import now
from worker.store.views.facts import Facts, token_facts

logger = logging.getLogger(__name__)

TOKEN_BYTES = 32

NOTED_EVERY = timedelta(seconds=60)
"""A token's last use is known to the minute: it isn't written with every request."""

_TOKEN = re.compile(f"[0-9a-f]{{{2 * TOKEN_BYTES}}}")


class Issued(NamedTuple):
    """A new token. This is the only time that it is seen."""

    id: int
    token: str


class SignedIn(NamedTuple):
    """Who asks, by which token, and when that was last noted to be used."""

    actor: Actor
    token_id: int
    last_used_at: datetime | None


def issue(session: Session, user_id: int, name: str) -> Issued:
    """A token by which an active person comes in. The name tells them what it is for."""
    if not name.strip():
        raise BlankName(what="token")
    user = users.with_id(session, user_id)
    if user is None or user.is_pool or not users.lock_active(session, user_id):
        raise UnknownUser(name=user_id)
    token = secrets.token_hex(TOKEN_BYTES)
    return Issued(tokens.add(session, user_id, name.strip(), _digest(token)), token)


def tokens_of(session: Session, user_id: int) -> list[Facts]:
    """What is known of a person's tokens, which is everything but the token. The person may have
    been deactivated."""
    user = users.with_id(session, user_id)
    if user is None or user.is_pool:
        raise UnknownUser(name=user_id)
    return [token_facts(token) for token in tokens.of_user(session, user_id)]


def revoke(session: Session, token_id: int, of_user: int | None = None) -> None:
    """The token lets nobody in any more. To somebody who may only revoke their own, another's is as
    unknown as one that isn't there."""
    token = tokens.with_id(session, token_id)
    if token is None or of_user not in (None, token.user_id):
        raise UnknownToken(token_id=token_id)
    tokens.revoke(session, token_id)


def authenticate(session: Session, token: str) -> SignedIn | None:
    """Whose token that is; None unless it is a live one of an active person."""
    found = tokens.live(session, _digest(token)) if _TOKEN.fullmatch(token) else None
    if found is None:
        return None
    return SignedIn(
        Actor(found.user_id, found.is_admin, found.can_reassign), found.id, found.last_used_at
    )


def note_use(system: System, who: SignedIn) -> None:
    """Writes that the token is being used, unless that was written a moment ago. Nobody's request
    fails because it can't be written."""
    due = now() - NOTED_EVERY
    if who.last_used_at is not None and who.last_used_at >= due:
        return
    try:
        system.transact(tokens.note_use, who.token_id, due)
    except Exception as error:
        logger.warning(
            "the use of token %d could not be noted: %s", who.token_id, type(error).__name__
        )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
