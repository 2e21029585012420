"""What comes in from outside, and through what."""

from worker.errors.base import Conflict, EvenhandError, NotFound, WrongUse


class UnknownHook(NotFound):
    """Nothing is taken in here."""


class BadSignature(EvenhandError):
    """The delivery doesn't show that it is from the sender who is expected here."""

    status = 401


class UnreadableDelivery(WrongUse):
    """The delivery can't be read: {reason}."""

    status = 400


class UnknownIntegration(NotFound):
    """There is no integration {name!r}. `evenhand integration list` shows all."""


class IntegrationExists(Conflict):
    """There is already an integration with the name or the slug {name!r}."""


class UnknownKind(WrongUse):
    """{name!r} is no kind of integration. It is one of: {kinds}."""


class BadSecret(WrongUse):
    """The secret {reason}."""


class BadSlug(WrongUse):
    """{slug!r} can't be the last part of an address. It has 3 to 64 small letters, digits and hyphens."""


class BadPath(WrongUse):
    """{path!r} is no place in a delivery for {field}. Write it as "detail.name", or "name|email" for the first that is there."""


class BadAddress(WrongUse):
    """{address!r} is no address of a server. Write it as https://api.example.com."""


class UnknownDelivery(NotFound):
    """There is no delivery {delivery_id}, or it is older than 30 days."""


class NotReplayable(Conflict):
    """Delivery {delivery_id} can't be replayed: {reason}."""
