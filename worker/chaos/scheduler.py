"""Decides which fault strikes when. The same seed gives the same order."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from worker.chaos.faults import FaultKind, Heal
from worker.errors.base import EvenhandError


class Injection(NamedTuple):
    """A fault that has struck, with the times of its beginning and its end (seconds since 1970)."""

    name: str
    began: float
    over: float


class _Lasting(NamedTuple):
    fault: FaultKind
    began: float
    until: float
    heal: Heal


class Scheduler:
    """Injects a fault at intervals of a given average in seconds. In each round every kind strikes
    as often as its `times` says, in a random order."""

    def __init__(
        self,
        faults: Sequence[FaultKind],
        seed: int,
        every_seconds: float,
        report: Callable[[str], None],
    ) -> None:
        self._faults, self._every_seconds, self._report = faults, every_seconds, report
        self._dice = Random(seed)  # noqa: S311  nothing here is secret
        self._deck: deque[FaultKind] = deque()
        self._lasting: list[_Lasting] = []
        self._next = 0.0
        self.struck: list[Injection] = []

    def tick(self) -> None:
        """Ends the faults that have lasted long enough, and injects the next one when it is due."""
        now = time.time()
        for lasting in [each for each in self._lasting if each.until <= now]:
            self._end(lasting)
        if now >= self._next and (fault := self._deal()):
            self._next = now + self._dice.uniform(0, 2 * self._every_seconds)
            self._strike(fault)

    def is_on(self, *places: str) -> bool:
        """Returns whether a fault is on at one of those places."""
        return any(lasting.fault.place in places for lasting in self._lasting)

    def end_all(self) -> None:
        """Ends all faults that are still on."""
        for lasting in [*self._lasting]:
            self._end(lasting)

    def _deal(self) -> FaultKind | None:
        """Takes the next fault whose place has no fault on."""
        if not self._deck:
            cards = [fault for fault in self._faults for _ in range(fault.times)]
            self._deck.extend(self._dice.sample(cards, len(cards)))
        fault = next((fault for fault in self._deck if not self.is_on(fault.place)), None)
        if fault is not None:
            self._deck.remove(fault)
        return fault

    def _strike(self, fault: FaultKind) -> None:
        began, seconds = time.time(), self._dice.uniform(*fault.lasts)
        try:
            heal = fault.strike(Random(self._dice.random()))  # noqa: S311
        except (EvenhandError, OSError) as error:
            # An earlier fault still holds down what this one would strike.
            self._report(f"could not {fault.name}: {error}")
            return
        self._report(f"{fault.name}{f' for {seconds:.1f} s' if heal else ''}")
        if heal is None:
            self._over(fault, began)
        else:
            self._lasting.append(_Lasting(fault, began, began + seconds, heal))

    def _end(self, lasting: _Lasting) -> None:
        self._lasting.remove(lasting)
        lasting.heal()
        self._over(lasting.fault, lasting.began)

    def _over(self, fault: FaultKind, began: float) -> None:
        self.struck.append(Injection(fault.name, began, time.time()))
