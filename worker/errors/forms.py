"""Forms, and what is sent through them."""

from worker.errors.base import Conflict, EvenhandError, NotFound, WrongUse


class UnknownForm(NotFound):
    """There is no form {name!r}. `evenhand form list` shows all."""


class AmbiguousForm(WrongUse):
    """Several forms are called {name!r}. Use the last part of the address, which `evenhand form list` shows."""


class FormExists(Conflict):
    """There is already a form at /forms/{slug}. Choose another slug."""


class BadForm(WrongUse):
    """The form can't be taken: {reason}."""


class TokenExpired(WrongUse):
    """The form token is none of this form, or more than {hours} hours old. Fetch a fresh one from {path}/token."""


class TooSoon(WrongUse):
    """The form was sent within {seconds} seconds. Send it once more, with the same token."""


class TokenUsed(Conflict):
    """Something else was sent with that form token. Fetch a fresh one from {path}/token, and send this with it."""


class TooManySubmissions(EvenhandError):
    """Too much was sent from your address: {limit} submissions at most. Come again in {seconds} s."""

    status = 429
