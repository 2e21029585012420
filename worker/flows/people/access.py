"""Access: tokens are issued and shown once, they authenticate requests, and they are revoked."""

import hashlib
import logging
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from sqlalchemy.orm import Session

from worker.domain.people.permissions import Actor
from worker.errors.people import BlankName, UnknownToken, UnknownUser
from worker.flows.system import System
from worker.store.people import tokens, users
from worker.store.sql.clock import now
from worker.store.views.people import DOCUMENTED, TokenView, show_token

logger = logging.getLogger(__name__)

TOKEN_BYTES = 32

NOTED_EVERY = timedelta(seconds=60)
"""The last use of a token is known to the minute, so that not every request writes it."""

_TOKEN = re.compile(f"[0-9a-f]{{{2 * TOKEN_BYTES}}}")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token, shown this once."""

    __pydantic_config__: ClassVar = DOCUMENTED

    id: int
    token: str
    """The text that follows `Bearer ` in the header `Authorization`: 64 hexadecimal digits."""


class SignedIn(NamedTuple):
    """The actor, their token, and the moment at which its last use was noted."""

    actor: Actor
    token_id: int
    last_used_at: datetime | None


def issue(session: Session, user_id: int, name: str) -> IssuedToken:
    """Issues a token that admits an active person. The name tells its purpose. Raises BlankName,
    UnknownUser."""
    if not name.strip():
        raise BlankName(what="token")
    user = users.find(session, user_id)
    if user is None or user.is_pool or not users.lock_active(session, user_id):
        raise UnknownUser(name=user_id)
    token = secrets.token_hex(TOKEN_BYTES)
    return IssuedToken(tokens.add(session, user_id, name.strip(), _digest(token)), token)


def list_tokens(session: Session, user_id: int) -> list[TokenView]:
    """Everything about a person's tokens but the tokens themselves. The person may be inactive.
    Raises UnknownUser."""
    user = users.find(session, user_id)
    if user is None or user.is_pool:
        raise UnknownUser(name=user_id)
    return [show_token(token) for token in tokens.list_of_user(session, user_id)]


def revoke(session: Session, token_id: int, of_user: int | None = None) -> None:
    """Revokes a token. With `of_user`, only that user's. Raises UnknownToken, also for another
    user's token."""
    token = tokens.find(session, token_id)
    if token is None or of_user not in (None, token.user_id):
        raise UnknownToken(token_id=token_id)
    tokens.revoke(session, token_id)


def authenticate(session: Session, token: str) -> SignedIn | None:
    """Whose token that is. None unless it is live and its user active."""
    found = tokens.find_live(session, _digest(token)) if _TOKEN.fullmatch(token) else None
    if found is None:
        return None
    actor = Actor(found.user_id, found.is_admin, found.can_reassign)
    return SignedIn(actor, found.id, found.last_used_at)


def note_use(system: System, who: SignedIn) -> None:
    """Writes that the token is being used, unless that was written less than a minute ago. A
    failure is logged, and the request goes on."""
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
