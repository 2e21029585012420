"""A ring to begin with."""

from worker.domain.turns.rosters import Roster
from worker.domain.turns.turns import Turns
from worker.ring import Ring

POOL = 7


def seed(
    ring: Ring,
    members: tuple[int, ...] = (11, 12, 13),
    *,
    next_turn: int = 1,
    returned: str = "",
    epoch: str = "e1",
    seen: str | None = None,
    version: int = 1,
    first_slot: int = 0,
) -> None:
    """Writes a ring whose roster is in force from the next turn on."""
    roster = Roster(version, next_turn, first_slot, members)
    ring.seed(POOL, seen, epoch, roster, next_turn, Turns.parse(returned))


def take(ring: Ring, *claims: str | tuple[str, int]) -> list[str]:
    """The spans that each claim is given; a claim without a count asks for one turn."""
    asked = [(claim, 1) if isinstance(claim, str) else claim for claim in claims]
    return [str(turns) for turns in ring.take_turns(POOL, asked).turns]


def who_is_next(ring: Ring) -> tuple[int, int | None]:
    """The next turn, and whose it is."""
    state = ring.state(POOL)
    assert state is not None
    return state.next_turn, state.members[state.cursor] if state.members else None
