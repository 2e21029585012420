"""Users and their tokens."""

from worker.errors.base import Conflict, NotFound, WrongUse


class UnknownUser(NotFound):
    """There is no active user {name!r}. `evenhand user list` shows everyone."""


class AmbiguousUser(WrongUse):
    """Several users are called {name!r}. Use the email address."""


class UserExists(Conflict):
    """There is already a user with the email {email}."""


class BadEmail(WrongUse):
    """{email!r} is not an email address."""


class BlankName(WrongUse):
    """A {what} needs a name."""


class LastAdmin(Conflict):
    """{name} is the only active admin. Make somebody else an admin first."""


class UnknownToken(NotFound):
    """There is no token {token_id}. `evenhand user tokens EMAIL` shows a user's tokens."""


class UnknownRecordType(WrongUse):
    """{name!r} is not a record type. It is lead, contact or deal."""
