"""Captured leads as they come: one at a time, and five thousand at once, on the default set-up."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from statistics import quantiles

from sqlalchemy import select

from benchmarks.figure import Figure
from benchmarks.load_client import LoadClient, add_hook, run_api, send_at_full_speed, send_at_rate
from benchmarks.testbed import Bench, Testbed, testbed, wait_until
from worker.settings import settings
from worker.store.tables import captures, leads, ledger

SHARE = 0.7
LEADS, THREADS = 5_000, 8
LATEST_SECONDS = 10.0

SWIFT = (
    "worker",
    "worker",
    "--queues",
    "capture,notify,upkeep",
    "--processes",
    "1",
    "--name",
    "swift",
)
BEAT = ("worker", "beat")


def measure(bench: Bench) -> Figure:
    with open_capture_testbed(bench, "burst") as (here, api):
        pool_id, pool = here.add_pool()
        slug = add_hook(here, pool)
        send_at_full_speed(lambda: api.deliver(slug), LEADS, THREADS)
        lines = read_times(here, pool_id, LEADS)
    accepted, assigned = [line[0] for line in lines], [line[1] for line in lines]
    accepting, assigning = (
        count_seconds(min(accepted), max(accepted)),
        count_seconds(min(accepted), max(assigned)),
    )
    after = count_seconds(max(accepted), max(assigned))
    measured = (
        f"{LEADS / assigning:.0f} leads a second assigned, the last {after:.1f} s after it came"
    )
    ratio = accepting / assigning if after <= LATEST_SECONDS else 0.0
    return Figure("burst", measured, f"{LEADS / accepting:.0f} a second accepted", (ratio,), SHARE)


@contextmanager
def open_capture_testbed(bench: Bench, name: str) -> Iterator[tuple[Testbed, LoadClient]]:
    """A testbed with an API, a worker for captured leads and a beat."""
    with ExitStack() as stack:
        here = stack.enter_context(testbed(bench, f"sqlite:///{settings().home / f'{name}.db'}"))
        for program in (SWIFT, BEAT):
            stack.enter_context(here.run_program(program))
        api = stack.enter_context(run_api(here))
        slug = add_hook(here, here.add_pool()[1])
        # This goes on until the worker has begun.
        send_at_rate(lambda: api.deliver(slug), per_second=10, seconds=5, threads=4)
        yield here, api


def read_times(here: Testbed, pool_id: int, many: int) -> list[tuple[datetime, datetime]]:
    """When each captured lead of a pool was accepted, and when it was assigned; once all are."""
    wait_until(lambda: not _count_waiting(here), "the leads to have their owners")
    found = (
        select(leads.c.created_at, ledger.c.at)
        .join(leads, leads.c.id == ledger.c.record_id)
        .where(ledger.c.pool_id == pool_id)
    )
    with here.system.reading() as session:
        lines = [(accepted, assigned) for accepted, assigned in session.execute(found)]
    if len(lines) != many:
        raise RuntimeError(f"{len(lines)} of {many} leads are assigned")
    return lines


def _count_waiting(here: Testbed) -> bool:
    with here.system.reading() as session:
        return session.execute(select(captures.c.lead_id).limit(1)).first() is not None


def count_seconds(first: datetime, last: datetime) -> float:
    return (last - first).total_seconds()


def find_percentile(values: list[float], number: int) -> float:
    return quantiles(values, n=100)[number - 1]
