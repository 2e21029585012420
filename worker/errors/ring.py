"""The ring and its fence: met inside, mended by seeding and trying again."""

from worker.errors.base import EvenhandError, Unavailable


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
    """Pool {pool_id} could not be brought into agreement with its ring after {attempts} attempts ({reason}). Try again in a moment."""
