"""Which fault strikes when."""

from random import Random

import pytest

from tests.support.servers import wait_until
from worker.chaos.faults import FaultKind, Heal
from worker.chaos.scheduler import Scheduler
from worker.errors.servers import BrokerUnreachable

KINDS = 5


class Injection:
    """Faults that note their names when they strike and when they end."""

    def __init__(self, lasts: float = 0.0) -> None:
        self.told: list[str] = []
        self.faults = [self._fault(f"fault {number}", lasts) for number in range(KINDS)]

    def _fault(self, name: str, lasts: float) -> FaultKind:
        def strike(_: Random) -> Heal | None:
            self.told.append(name)
            return (lambda: self.told.append(f"end of {name}")) if lasts else None

        return FaultKind(name, "the same place", strike, (lasts, lasts))


def scheduler(faults: list[FaultKind], seed: int = 1) -> Scheduler:
    """One that strikes whenever it may."""
    return Scheduler(faults, seed, 0.0, lambda _: None)


def blown(seed: int, times: int) -> list[str]:
    struck = Injection()
    made = scheduler(struck.faults, seed)
    for _ in range(times):
        made.tick()
    return struck.told


def test_the_same_seed_strikes_in_the_same_order_and_another_in_another() -> None:
    assert blown(7, 4 * KINDS) == blown(7, 4 * KINDS)
    assert blown(7, 4 * KINDS) != blown(8, 4 * KINDS)


def test_each_kind_strikes_once_in_each_round() -> None:
    told = blown(7, 3 * KINDS)

    rounds = [told[first : first + KINDS] for first in range(0, len(told), KINDS)]
    assert len(rounds) == 3
    assert all(len(set(names)) == KINDS for names in rounds)


def test_no_place_is_struck_while_a_fault_lasts_there() -> None:
    struck = Injection(lasts=60.0)
    made = scheduler(struck.faults)

    for _ in range(3):
        made.tick()

    assert len(struck.told) == 1
    assert made.is_on("the same place")


def test_a_fault_ends_in_its_time_and_counts_from_then() -> None:
    struck = Injection(lasts=0.05)
    made = scheduler(struck.faults[:1])

    made.tick()
    assert made.struck == []

    def blow_again() -> bool:
        made.tick()
        return bool(made.struck)

    wait_until(blow_again, "the end of the fault")
    assert struck.told[1] == "end of fault 0"


def test_calm_ends_what_lasts() -> None:
    struck = Injection(lasts=60.0)
    made = scheduler(struck.faults)
    made.tick()

    made.end_all()

    assert [fault.name for fault in made.struck] == struck.told[:1]
    assert struck.told[1].startswith("end of ")
    assert not made.is_on("the same place")


def test_a_fault_that_finds_nothing_to_strike_does_not_count() -> None:
    def strike(_: Random) -> None:
        raise BrokerUnreachable(address="here", reason="it is down already")

    made = scheduler([FaultKind("in vain", "anywhere", strike)])

    made.tick()

    assert made.struck == []


@pytest.mark.parametrize("seed", range(3))
def test_a_kind_that_comes_twice_in_a_round_does_so(seed: int) -> None:
    struck = Injection()
    often = struck.faults[0]._replace(times=2)
    made = scheduler([often, *struck.faults[1:]], seed)

    for _ in range(KINDS + 1):
        made.tick()

    assert struck.told.count("fault 0") == 2
