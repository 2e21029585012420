"""The ring: the turns that Redis hands out.

Functions import the Redis library: it is slow to import, and many commands never ask the ring.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from worker.domain.turns.rosters import Roster
from worker.domain.turns.turns import Span, Turns
from worker.errors.servers import Garbled, RingUnreachable
from worker.errors.turns import EmptyRoster, RingError, Stale, Unseeded
from worker.ring import keys, scripts

if TYPE_CHECKING:
    from redis import Redis
    from redis.retry import Retry

    from worker.ring.client import Cluster, Server

TIMEOUT_SECONDS = 1.0
"""How long Redis may take to answer."""

CLAIM_SECONDS = 24 * 3600
"""How long a claim's answer is kept: longer than the broker takes to deliver a task again."""

TRIES = 3
PATIENCE_SECONDS = TRIES * TIMEOUT_SECONDS
"""No try begins later than this after the first: a transaction may be waiting."""

_ERRORS: dict[str, type[RingError]] = {"UNSEEDED": Unseeded, "EMPTY": EmptyRoster, "STALE": Stale}

Answer = TypeVar("Answer")


class Taken(NamedTuple):
    """The turns that each of some claims got, and the ring's epoch and roster version."""

    epoch: str
    version: int
    turns: list[Turns]


class RosterChange(NamedTuple):
    """Where a new roster begins, and how many spans of returned turns are in the ring."""

    first_turn: int
    first_slot: int
    returned: int


class RingState(NamedTuple):
    """All that Redis holds of one ring, except the claims."""

    epoch: str
    version: int
    next_turn: int
    cursor: int
    slots: int
    members: tuple[int, ...]
    returned: Turns

    def list_disagreements(self, latest: Roster, greatest: int) -> list[str]:
        """Lists all differences between a ring of the current epoch and SQL: `latest` is SQL's
        newest roster, `greatest` the highest turn in use."""
        size, cursor = len(latest.members), 0
        if latest.members and self.next_turn >= latest.first_turn:
            cursor = latest.slot(self.next_turn)
        checks = (
            (
                self.next_turn > greatest,
                f"it hands out turn {self.next_turn} next, but turns up to {greatest} are used",
            ),
            (
                self.version == latest.version,
                f"it has roster version {self.version}, SQL has {latest.version}",
            ),
            (
                self.members == latest.members,
                f"it has the members {self.members}, SQL has {latest.members}",
            ),
            (self.slots == size, f"it counts {self.slots} members, SQL {size}"),
            (self.cursor == cursor, f"its cursor is {self.cursor}, by the roster it is {cursor}"),
        )
        return [what for right, what in checks if not right]


class Ring:
    """The rings of all pools: on one server, on a cluster, or on the master that Sentinel names."""

    def __init__(self, client: "Redis | Cluster | str") -> None:
        """Takes a client, or the address of one, which is connected at the first question."""
        self._given = client

    @cached_property
    def _server(self) -> "Server | Cluster":
        from worker.ring.client import find_server

        return find_server(self._given)

    def close(self) -> None:
        if "_server" in vars(self):
            self._server.close()

    def ping(self) -> None:
        """Raises RingUnreachable when the server doesn't answer."""
        self._ask(self._server.ping)

    def take_turns(self, pool_id: int, claims: Sequence[tuple[str, int]]) -> Taken:
        """Takes turns for each (claim, count), in order. A claim that was answered under this epoch
        gets the same turns again. Raises Unseeded and EmptyRoster."""
        names = [keys.claim(pool_id, name) for name, _ in claims]
        places = [keys.ring(pool_id), keys.returned(pool_id), *names]
        counts = [CLAIM_SECONDS, *(count for _, count in claims)]
        epoch, version, *spans = self._ask(
            lambda: scripts.take_turns(self._client, places, counts), pool_id
        )
        return Taken(epoch, int(version), [Turns.parse(text) for text in spans])

    def change_roster(
        self, pool_id: int, epoch: str, version: int, members: Sequence[int]
    ) -> RosterChange:
        """Puts members in force under version + 1. Raises Unseeded, and Stale if the ring is at
        another epoch or version."""
        places = [keys.ring(pool_id), keys.members(pool_id), keys.returned(pool_id)]
        answer = self._ask(
            lambda: scripts.change_roster(self._client, places, [epoch, version, *members]),
            pool_id,
            epoch,
        )
        return RosterChange(*map(int, answer))

    def epoch(self, pool_id: int) -> str | None:
        """The ring's epoch; None if it has no state."""
        return self._ask(lambda: self._client.hget(keys.ring(pool_id), "epoch"), pool_id)

    def seed(
        self,
        pool_id: int,
        seen_epoch: str | None,
        epoch: str,
        roster: Roster,
        next_turn: int,
        returned: Turns,
    ) -> None:
        """Writes the whole ring. Raises Stale if another process has written it since seen_epoch
        was read."""
        cursor = roster.slot(next_turn) if roster.members else 0
        places = [keys.ring(pool_id), keys.members(pool_id), keys.returned(pool_id)]
        state: list[str | int] = [
            seen_epoch or "",
            epoch,
            roster.version,
            next_turn,
            cursor,
            len(roster.members),
            *roster.members,
            *map(str, returned),
        ]
        self._ask(lambda: scripts.seed_ring(self._client, places, state), pool_id)

    def drop(self, pool_id: int) -> None:
        """Removes the ring. Its claims expire by themselves."""
        places = (keys.ring(pool_id), keys.members(pool_id), keys.returned(pool_id))
        self._ask(lambda: self._client.execute_command("DEL", *places), pool_id)

    def state(self, pool_id: int) -> RingState | None:
        """The ring at one moment; None if it has no state. Raises Garbled if something else was
        written there."""
        ring, members, returned = self._ask(lambda: self._read(pool_id), pool_id)
        if not ring:
            return None
        try:
            version, next_turn, cursor, slots = (
                int(ring[name]) for name in ("version", "next", "cursor", "slots")
            )
            spans = Turns(map(Span.parse, returned))
            return RingState(
                ring["epoch"], version, next_turn, cursor, slots, tuple(map(int, members)), spans
            )
        except (KeyError, ValueError):
            raise Garbled(pool_id=pool_id) from None

    def _read(self, pool_id: int) -> list[Any]:
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hgetall(keys.ring(pool_id))
            pipeline.lrange(keys.members(pool_id), 0, -1)
            pipeline.lrange(keys.returned(pool_id), 0, -1)
            return pipeline.execute()

    @property
    def _client(self) -> Any:
        return self._server.client

    def _ask(
        self, question: Callable[[], Answer], pool_id: int | None = None, epoch: str | None = None
    ) -> Answer:
        """Asks a question, and again if it fails or its answer is lost. Scripts are harmless to
        repeat, thanks to their claims, versions and epochs. The next try may find another master.
        """
        end = time.monotonic() + PATIENCE_SECONDS

        def once() -> Answer:
            with self._own_errors(pool_id, epoch):
                return question()

        return _retry().call_with_retry(
            once, lambda _: self._server.look_again(), lambda _: time.monotonic() < end
        )

    @contextmanager
    def _own_errors(self, pool_id: int | None, epoch: str | None) -> Iterator[None]:
        """Turns the server's errors into our own, by their first word. Ours name the epoch that was
        asked for."""
        from redis.exceptions import RedisClusterException, RedisError, ResponseError

        try:
            yield
        except (RedisError, RedisClusterException) as error:
            kind = (
                _ERRORS.get(str(error).partition(" ")[0])
                if isinstance(error, ResponseError)
                else None
            )
            if kind is not None:
                raise kind(pool_id=pool_id, epoch=epoch) from None
            if "WRONGTYPE" in str(error):
                raise Garbled(pool_id=pool_id) from None
            # Sentinel's client lists its own errors behind the colon.
            reason = str(error).partition(" : ")[0] or type(error).__name__
            raise RingUnreachable(address=self._server.address, reason=reason) from error


@cache
def _retry() -> "Retry":
    from redis.backoff import ExponentialWithJitterBackoff
    from redis.retry import Retry

    pauses = ExponentialWithJitterBackoff(base=0.05, cap=0.5)
    return Retry(pauses, TRIES - 1, supported_errors=(RingUnreachable,))
