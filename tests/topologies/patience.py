"""Leads given as workers do it: again and again until the ring can be reached."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from tests.support.factories import give, lead, person
from tests.support.invariants import rows
from tests.support.servers import wait_until
from tests.topologies.servers import Node
from worker.errors.servers import RingUnreachable
from worker.errors.turns import StillRefused
from worker.flows.system import System

OWNER = "admin@example.com"

GIVES_UP_SECONDS = 6.0
"""Three tries of a second, the pauses between them, and what a busy machine adds."""


def give_patiently(system: System, record_id: int, name: str = "Inbound") -> str:
    """The first letter of who got the record, in the end."""

    def attempt() -> str | None:
        try:
            return give(system, record_id, name=name)[0][0]
        except (RingUnreachable, StillRefused):
            return None

    return str(wait_until(attempt, f"an owner of lead {record_id}"))


def give_leads_patiently(system: System, count: int, name: str = "Inbound") -> str:
    return "".join(give_patiently(system, lead(system), name) for _ in range(count))


@contextmanager
def leads_coming_in(system: System, workers: int = 4, name: str = "Inbound") -> Iterator[list[str]]:
    """Within the block several workers give leads all the time. Afterwards each lead that came has
    its owner."""
    owners: list[str] = []
    enough = Event()

    def work() -> None:
        while not enough.is_set():
            owners.append(give_patiently(system, lead(system, OWNER), name))

    person(system, OWNER)
    with ThreadPoolExecutor(workers) as threads:
        done = [threads.submit(work) for _ in range(workers)]
        try:
            come(owners, 4 * workers)
            yield owners
            come(owners, 4 * workers)
        finally:
            enough.set()
        for worker in done:
            worker.result()


def come(owners: list[str], more: int) -> None:
    """Until so many more leads have come in and got their owners."""
    before = len(owners)
    wait_until(lambda: len(owners) >= before + more, "leads to get their owners")


def last_turn(system: System) -> int:
    return int(rows(system, "SELECT max(turn) AS last FROM ledger")[0]["last"])


def turns_are_shared_evenly(owners: list[str], members: str) -> bool:
    counts = [owners.count(member) for member in members]
    return sum(counts) == len(owners) and max(counts) - min(counts) <= 1


@contextmanager
def hanging(*nodes: Node) -> Iterator[None]:
    """Within the block the servers accept connections and never answer."""
    for node in nodes:
        node.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for node in nodes:
            node.signal(signal.SIGCONT)


def seconds_until_unreachable(question: Callable[[], object]) -> float:
    began = time.monotonic()
    with pytest.raises(RingUnreachable):
        question()
    return time.monotonic() - began
