"""Users and pools."""

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


class UnknownPool(NotFound):
    """There is no pool {name!r}. `evenhand pool list` shows all."""


class PoolExists(Conflict):
    """There is already a pool called {name!r}."""


class UnknownRecordType(WrongUse):
    """{name!r} is not a record type. It is lead, contact or deal."""


class WrongPoolType(WrongUse):
    """The pool {pool} shares {theirs}s and can't take a {asked}."""


class AlreadyMember(Conflict):
    """{user} is already a member of {pool}."""


class NotAMember(NotFound):
    """{user} is not a member of {pool}."""


class EmptyPool(WrongUse):
    """The pool {pool} has no members. Add one with `evenhand pool add`."""


class UnknownOwner(NotFound):
    """There is no pool and no active user {name!r}. `evenhand pool list` and `evenhand user list` show them."""
