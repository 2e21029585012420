"""What every error is, and the kinds of them. A class's docstring is its message, filled in from
the facts it is raised with."""

from typing import Any


class EvenhandError(Exception):
    """Something went wrong."""

    status = 500
    exit_code = 1

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(" ".join((self.__doc__ or "").split()).format(**facts))

    def __reduce__(self) -> tuple[Any, ...]:
        """Celery carries errors from one process to another; the facts go as text, since they may
        be anything."""
        return _again, (
            type(self),
            {
                name: value if isinstance(value, int) else str(value)
                for name, value in self.facts.items()
            },
        )

    @property
    def code(self) -> str:
        """The class's name as words_with_underscores: what a program tests for."""
        return "".join(
            f"_{letter.lower()}" if letter.isupper() else letter for letter in type(self).__name__
        ).lstrip("_")


def _again(kind: type[EvenhandError], facts: dict[str, Any]) -> EvenhandError:
    return kind(**facts)


class WrongUse(EvenhandError):
    """The request makes no sense as it stands."""

    status = 422
    exit_code = 2


class NotFound(EvenhandError):
    """There is no such thing."""

    status = 404
    exit_code = 2


class Conflict(EvenhandError):
    """That is so already."""

    status = 409
    exit_code = 2


class Unavailable(EvenhandError):
    """A part of the system can't be reached just now; try again in a moment."""

    status = 503


class RateLimitExceeded(EvenhandError):
    """This access token has used up its {limit} requests. Come again in {seconds} s."""

    status = 429


class Unauthorized(EvenhandError):
    """There is no such access token. Send one that is valid as `Authorization: Bearer TOKEN`;
    `evenhand user token EMAIL --name NAME` makes one."""

    status = 401


class InsufficientScope(EvenhandError):
    """You may not {action}."""

    status = 403
