"""A system whose workers die where a test says, or take so long that others come in between."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Concatenate

from worker.flows.system import Arguments, Result, System
from worker.flows.unit import Unit
from worker.ring import Ring, Taken
from worker.ring.ring import RosterChange


class Killed(BaseException):
    """What SIGKILL is seen from within: nobody catches it, and nothing is tidied up."""


class MortalRing(Ring):
    """The real ring, where whoever asks next may die: before Redis has done what they ask for, or
    after."""

    dies: str | None = None
    has_taken = False

    def take_turns(self, pool_id: int, claims: Sequence[tuple[str, int]]) -> Taken:
        taken: Taken = self._fatal(lambda: super(MortalRing, self).take_turns(pool_id, claims))
        self.has_taken = True
        return taken

    def change_roster(
        self, pool_id: int, epoch: str, version: int, members: Sequence[int]
    ) -> RosterChange:
        change: RosterChange = self._fatal(
            lambda: super(MortalRing, self).change_roster(pool_id, epoch, version, members)
        )
        return change

    def seed(self, *given: Any) -> None:
        self._fatal(lambda: super(MortalRing, self).seed(*given))

    def _fatal(self, ask: Callable[[], object]) -> Any:
        when, self.dies = self.dies, None
        if when == "before":
            raise Killed
        answer = ask()
        if when == "after":
            raise Killed
        return answer


@dataclass(frozen=True)
class SlowSystem(System):
    """A system in which others may come in between two transactions of a worker."""

    ring: MortalRing
    meanwhile: list[Callable[[], object]] = field(default_factory=list)
    """What happens between the next transaction and the one after that."""
    on_taken: list[Callable[[], None]] = field(default_factory=list)
    """What is to hold when turns that were taken have been committed."""

    def transact(
        self,
        work: Callable[Concatenate[Unit, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        self.ring.has_taken = False
        result = super().transact(work, *args, **kwargs)
        if self.ring.has_taken:
            for check in self.on_taken:
                check()
        while self.meanwhile:
            self.meanwhile.pop(0)()
        return result
