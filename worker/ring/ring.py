"""The ring: what Redis knows of whose turn it is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from worker.domain.rosters import Roster
from worker.domain.turns import Span, Turns
from worker.errors import EmptyRoster, RingError, RingUnreachable, Stale, Unseeded
from worker.ring import keys, scripts

CLAIM_SECONDS = 24 * 3600
"""How long an answer is kept: longer than the broker takes to deliver a task again."""

_ERRORS: dict[str, type[RingError]] = {"UNSEEDED": Unseeded, "EMPTY": EmptyRoster, "STALE": Stale}


class Taken(NamedTuple):
    """What the ring answered to some claims: the turns of each, and under which epoch and roster version."""

    epoch: str
    version: int
    turns: list[Turns]


class RosterChange(NamedTuple):
    """Where a new roster begins, and how many spans of returned turns wait."""

    first_turn: int
    first_slot: int
    returned: int


class RingState(NamedTuple):
    """All that Redis holds of one ring, but for the claims."""

    epoch: str
    version: int
    next_turn: int
    cursor: int
    members: tuple[int, ...]
    returned: Turns


class Ring:
    """The rings of all pools on one server."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def close(self) -> None:
        self._client.close()

    def ping(self) -> None:
        """Raises RingUnreachable when the server doesn't answer."""
        with self._answers():
            self._client.ping()

    def take_turns(self, pool_id: int, claims: Sequence[tuple[str, int]]) -> Taken:
        """Turns for each (claim, count), in order. A claim that was answered under this epoch gets the same turns again."""
        names = [keys.claim(pool_id, name) for name, _ in claims]
        with self._answers(pool_id):
            epoch, version, *spans = scripts.take_turns(
                [keys.ring(pool_id), keys.returned(pool_id), *names], [CLAIM_SECONDS, *(count for _, count in claims)], self._client
            )
        return Taken(epoch, int(version), [Turns.parse(text) for text in spans])

    def change_roster(self, pool_id: int, epoch: str, version: int, members: Sequence[int]) -> RosterChange:
        """Puts members in force under version + 1. Raises Stale unless the ring is at that epoch and version."""
        with self._answers(pool_id, epoch):
            answer = scripts.change_roster(
                [keys.ring(pool_id), keys.members(pool_id), keys.returned(pool_id)], [epoch, version, *members], self._client
            )
        return RosterChange(*map(int, answer))

    def epoch(self, pool_id: int) -> str | None:
        """The epoch that the ring bears; None when it has no state."""
        with self._answers(pool_id):
            return self._client.hget(keys.ring(pool_id), "epoch")  # type: ignore[return-value]

    def seed(self, pool_id: int, seen_epoch: str | None, epoch: str, roster: Roster, next_turn: int, returned: Turns) -> None:
        """Writes the whole ring. Raises Stale when somebody else has written it since seen_epoch was read."""
        cursor = roster.slot(next_turn) if roster.members else 0
        with self._answers(pool_id):
            scripts.seed_ring(
                [keys.ring(pool_id), keys.members(pool_id), keys.returned(pool_id)],
                [seen_epoch or "", epoch, roster.version, next_turn, cursor, len(roster.members), *roster.members, *map(str, returned)],
                self._client,
            )

    def drop(self, pool_id: int) -> None:
        """Forgets the ring. Claims are left to expire."""
        with self._answers(pool_id):
            self._client.delete(keys.ring(pool_id), keys.members(pool_id), keys.returned(pool_id))

    def state(self, pool_id: int) -> RingState | None:
        """The ring at one moment; None when it has no state."""
        with self._answers(pool_id), self._client.pipeline(transaction=True) as pipeline:
            pipeline.hgetall(keys.ring(pool_id))
            pipeline.lrange(keys.members(pool_id), 0, -1)
            pipeline.lrange(keys.returned(pool_id), 0, -1)
            ring, members, returned = pipeline.execute()
        if not ring:
            return None
        version, next_turn, cursor = (int(ring[name]) for name in ("version", "next", "cursor"))
        return RingState(ring["epoch"], version, next_turn, cursor, tuple(map(int, members)), Turns(map(Span.parse, returned)))

    @contextmanager
    def _answers(self, pool_id: int | None = None, epoch: str | None = None) -> Iterator[None]:
        """Turns what the server says into our own errors, by its first word. They tell the epoch that was asked for."""
        try:
            yield
        except ResponseError as error:
            kind = _ERRORS.get(str(error).partition(" ")[0])
            if kind is None:
                raise RingUnreachable(address=self._address, reason=error) from error
            raise kind(pool_id=pool_id, epoch=epoch) from None
        except RedisError as error:
            raise RingUnreachable(address=self._address, reason=str(error) or type(error).__name__) from error

    @property
    def _address(self) -> str:
        place = self._client.connection_pool.connection_kwargs
        return str(place.get("path") or f"{place.get('host')}:{place.get('port')}")
