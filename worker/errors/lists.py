"""Smart lists and what their filters name."""

from worker.errors.base import Conflict, NotFound, WrongUse


class UnknownList(NotFound):
    """There is no list {name!r}. `evenhand list list` shows all."""


class AmbiguousList(WrongUse):
    """Several lists are called {name!r}. Use the id, which `evenhand list list` shows."""


class ListExists(Conflict):
    """There is already a list called {name!r}. Choose another name."""


class BadListName(WrongUse):
    """{name!r} can't be a list's name: it {reason}."""


class BadFilterText(WrongUse):
    """The filter can't be read: {reason}. Write it as JSON; `evenhand list create --help` has an
    example."""


class UnknownCustomField(WrongUse):
    """No {record_type} has a custom field {name!r}. /v2/{record_type}/custom_fields lists those
    that there are."""


class WrongRunType(WrongUse):
    """Run {run_id} made {theirs}s, and the list is one of {asked}s."""
