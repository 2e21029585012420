"""Everything that chaos does to the stack: each kind by its name, what it strikes, and how it ends."""

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from worker import queue
from worker.app import app
from worker.chaos import database, oracle_queries
from worker.chaos.proxy import Mode, Proxy
from worker.chaos.redis_node import Depot
from worker.chaos.testbed import Site
from worker.domain.runs.runs import STORIES
from worker.flows.leases import LEASE_SECONDS
from worker.queue import Task
from worker.stack.services import Child
from worker.store.sql import engine

Heal = Callable[[], None]

QUEUES = ("capture", "bulk", "notify", "upkeep")
SENT_AGAIN = 20


class Fault(NamedTuple):
    """One kind of fault. Two that strike the same place never do so at the same time."""

    name: str
    place: str
    strike: Callable[[Random], Heal | None]
    """Returns what ends it; None where it is over at once."""
    lasts: tuple[float, float] = (0.0, 0.0)
    """From how many seconds to how many."""
    times: int = 1
    """In each round."""


def all_faults(site: Site) -> list[Fault]:
    """Every kind that is possible here."""
    return [*_of_parts(site), *_of_servers(site), *_of_wires(site), *_of_database(site), *_of_tasks(site)]


# --- processes ---


def _of_parts(site: Site) -> Iterator[Fault]:
    yield Fault("kill a worker", "workers", lambda dice: site.kill(_one(site.awake(), dice)), times=3)
    if _children(os.getpid()).exists():
        yield Fault("kill a pool process", "workers", lambda dice: _kill_one_of_its_own(_one(site.awake(), dice), dice), times=2)
    long = (LEASE_SECONDS + 2, LEASE_SECONDS + 5)
    yield Fault("pause a worker beyond its lease", "sleep", lambda dice: _pause(site, dice), long, times=2)
    yield Fault("kill the beat", "beat", lambda _: site.kill(site.beat))
    yield Fault("kill the API", "api", lambda _: site.kill(site.api))


def _one(found: Sequence[Any], dice: Random) -> Any:
    if not found:
        raise ProcessLookupError("there is none just now")
    return dice.choice(found)


def _kill_one_of_its_own(worker: Child, dice: Random) -> None:
    if worker.process is not None:
        os.kill(int(_one(_children(worker.process.pid).read_text().split(), dice)), signal.SIGKILL)


def _children(pid: int) -> Path:
    """Where Linux lists the processes that a process has started."""
    return Path(f"/proc/{pid}/task/{pid}/children")


def _pause(site: Site, dice: Random) -> Heal:
    site.put_to_sleep(_one(site.awake(), dice))
    return site.wake


# --- Redis ---


def _of_servers(site: Site) -> Iterator[Fault]:
    for depot in site.depots:
        whose = f"the {depot.name}'s Redis"
        yield Fault(f"flush {whose}", depot.name, partial(_flush, depot))
        yield Fault(f"kill {whose}", depot.name, partial(_kill, depot), (0.2, 3))
        yield Fault(f"restore {whose} to an earlier snapshot", depot.name, depot.go_back, times=2)


def _flush(depot: Depot, _: Random) -> None:
    depot.flush()


def _kill(depot: Depot, _: Random) -> Heal:
    depot.kill()
    return depot.start


# --- the wires to Redis and to the database ---


def _of_wires(site: Site) -> Iterator[Fault]:
    kinds = (
        ("cut the wire to", Mode.CUT, (0.5, 4.0)),
        ("black-hole the wire to", Mode.BLACK_HOLE, (1.0, 6.0)),
        ("drop the replies of", Mode.DROP_REPLIES, (0.5, 3.0)),
        ("swallow the replies of", Mode.SWALLOW_REPLIES, (0.5, 3.0)),
    )
    for what, proxy in site.proxies.items():
        for words, mode, lasts in kinds:
            yield Fault(f"{words} the {what}", f"wire to the {what}", partial(_switch, proxy, mode), lasts)


def _switch(proxy: Proxy, mode: Mode, _: Random) -> Heal:
    proxy.switch(mode)
    return partial(proxy.switch, Mode.PASS)


# --- the database ---


def _of_database(site: Site) -> Iterator[Fault]:
    if site.database is None:
        yield Fault("hold SQLite's write lock", "database", lambda _: _hold(site), (1, 4))
        return
    yield Fault("end all connections of PostgreSQL", "database", lambda _: database.end_connections(site.system))
    if database.may_crash(site.system):
        yield Fault("crash PostgreSQL", "database", lambda _: database.crash(site.system))


def _hold(site: Site) -> Heal:
    held = ExitStack()
    held.enter_context(engine.writing(site.system.engine))
    return held.close


# --- tasks ---


def _of_tasks(site: Site) -> Iterator[Fault]:
    yield Fault("deliver messages twice", "broker", lambda _: _copy_messages(site.broker), times=2)
    yield Fault("run old tasks again", "broker", lambda _: _send_again(site))


def _copy_messages(broker: Depot) -> None:
    """What waits, and what is being worked on, comes once more under the same id."""
    prefix = app.conf.broker_transport_options["global_keyprefix"]
    for name in QUEUES:
        waiting = broker.client.lrange(f"{prefix}{name}", 0, -1)
        broker.client.rpush(f"{prefix}{name}", *waiting) if waiting else None
    for unacknowledged in broker.client.hvals(f"{prefix}unacked"):
        message, _, name = json.loads(unacknowledged)
        broker.client.lpush(f"{prefix}{name}", json.dumps(message))


def _send_again(site: Site) -> None:
    """Tasks that were done long ago, or are being done, come once more under new ids."""
    with site.system.reading() as session:
        leads, runs = oracle_queries.newest_leads(session, SENT_AGAIN), oracle_queries.newest_runs(session, SENT_AGAIN)
    queue.send(Task("captures.assign", {"lead": lead}) for lead in leads)
    for run, kind in runs:
        story = STORIES[kind]
        queue.send(Task(name, {"run": run, **more}) for name, more in ((story.scan, {}), (story.chunk, {"chunk": 0}), (story.close, {})))
