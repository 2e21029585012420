"""Pools, the ring and its fence. The system repairs ring errors by seeding and tries again."""

from worker.errors.base import Conflict, EvenhandError, NotFound, Unavailable, WrongUse


class RingError(EvenhandError):
    """The ring can't answer as it is."""

    status = 503


class Unseeded(RingError):
    """The ring of pool {pool_id} has no state in Redis."""


class Stale(RingError):
    """The ring of pool {pool_id} is at another epoch or roster version than the ledger."""


class EmptyRoster(RingError):
    """The ring of pool {pool_id} has no members."""


class Refused(RingError):
    """The fence of pool {pool_id} doesn't accept what the ring answered: {reason}."""


class StillRefused(Unavailable):
    """Pool {pool_id} could not be brought into agreement with its ring after {attempts} attempts
    ({reason}). Try again in a moment."""


class UnknownPool(NotFound):
    """There is no pool {name!r}. `evenhand pool list` shows all."""


class PoolExists(Conflict):
    """There is already a pool called {name!r}."""


class WrongPoolType(WrongUse):
    """The pool {pool} shares {theirs}s and can't take a {asked}."""


class AlreadyMember(Conflict):
    """{user} is already a member of {pool}."""


class NotAMember(NotFound):
    """{user} is not a member of {pool}."""


class EmptyPool(WrongUse):
    """The pool {pool} has no members. Add one with `evenhand pool add`."""


class UnknownOwner(NotFound):
    """There is no pool and no active user {name!r}. `evenhand pool list` and `evenhand user list`
    show them."""
