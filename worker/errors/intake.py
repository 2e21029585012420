"""Forms, integrations and what they deliver."""

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
    """{slug!r} can't be the last part of an address. It has 3 to 64 small letters, digits and
    hyphens."""


class BadPath(WrongUse):
    """{path!r} is no place in a delivery for {field}. Write it as "detail.name", or "name|email"
    for the first that is there."""


class BadAddress(WrongUse):
    """{address!r} is no address of a server. Write it as https://api.example.com."""


class UnknownDelivery(NotFound):
    """There is no delivery {delivery_id}, or it is older than 30 days."""


class NotReplayable(Conflict):
    """Delivery {delivery_id} can't be replayed: {reason}."""


class UnknownForm(NotFound):
    """There is no form {name!r}. `evenhand form list` shows all."""


class AmbiguousForm(WrongUse):
    """Several forms are called {name!r}. Use the last part of the address, which `evenhand form
    list` shows."""


class FormExists(Conflict):
    """There is already a form at /forms/{slug}. Choose another slug."""


class BadForm(WrongUse):
    """The form can't be taken: {reason}."""


class TokenExpired(WrongUse):
    """The form token is none of this form, or more than {hours} hours old. Fetch a fresh one from
    {path}/token."""


class TooSoon(WrongUse):
    """The form was sent within {seconds} seconds. Send it once more, with the same token."""


class TokenUsed(Conflict):
    """Something else was sent with that form token. Fetch a fresh one from {path}/token, and send
    this with it."""


class TooManySubmissions(EvenhandError):
    """Too much was sent from your address: {limit} submissions at most. Come again
    in {seconds} s."""

    status = 429
