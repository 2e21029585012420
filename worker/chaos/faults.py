"""Every fault that chaos injects into the stack: its name, its place, and its end."""

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
from worker.chaos.redis_node import RedisNode
from worker.chaos.testbed import Testbed
from worker.domain.runs.runs import RUN_TASKS, RunKind
from worker.flows.leases import LEASE_SECONDS
from worker.queue import Task
from worker.stack.services import Service
from worker.store.sql import engine

Heal = Callable[[], None]

QUEUES = ("capture", "bulk", "notify", "upkeep")
SENT_AGAIN = 20


class FaultKind(NamedTuple):
    """One kind of fault. At one place, only one fault is on at a time."""

    name: str
    place: str
    strike: Callable[[Random], Heal | None]
    """Injects the fault, and returns the function that ends it. None for a fault that is over at
    once."""
    lasts: tuple[float, float] = (0.0, 0.0)
    """The shortest and the longest time, in seconds."""
    times: int = 1
    """How often it strikes in each round."""


def list_faults(testbed: Testbed) -> list[FaultKind]:
    """Lists every kind of fault that is possible with this stack."""
    return [
        *_list_part_faults(testbed),
        *_list_server_faults(testbed),
        *_list_wire_faults(testbed),
        *_list_database_faults(testbed),
        *_list_task_faults(testbed),
    ]


# --- processes ---


def _list_part_faults(testbed: Testbed) -> Iterator[FaultKind]:
    yield FaultKind(
        "kill a worker",
        "workers",
        lambda dice: testbed.kill(_choose(testbed.list_awake(), dice)),
        times=3,
    )
    if _list_children(os.getpid()).exists():
        yield FaultKind(
            "kill a pool process",
            "workers",
            lambda dice: _kill_child_of(_choose(testbed.list_awake(), dice), dice),
            times=2,
        )
    long = (LEASE_SECONDS + 2, LEASE_SECONDS + 5)
    yield FaultKind(
        "pause a worker beyond its lease",
        "sleep",
        lambda dice: _pause(testbed, dice),
        long,
        times=2,
    )
    yield FaultKind("kill the beat", "beat", lambda _: testbed.kill(testbed.beat))
    yield FaultKind("kill the API", "api", lambda _: testbed.kill(testbed.api))


def _choose(found: Sequence[Any], dice: Random) -> Any:
    if not found:
        raise ProcessLookupError("there is none just now")
    return dice.choice(found)


def _kill_child_of(worker: Service, dice: Random) -> None:
    if worker.process is not None:
        os.kill(
            int(_choose(_list_children(worker.process.pid).read_text().split(), dice)),
            signal.SIGKILL,
        )


def _list_children(pid: int) -> Path:
    """Returns where Linux lists the processes that a process has started."""
    return Path(f"/proc/{pid}/task/{pid}/children")


def _pause(testbed: Testbed, dice: Random) -> Heal:
    testbed.pause(_choose(testbed.list_awake(), dice))
    return testbed.wake


# --- Redis ---


def _list_server_faults(testbed: Testbed) -> Iterator[FaultKind]:
    for node in testbed.nodes:
        whose = f"the {node.name}'s Redis"
        yield FaultKind(f"flush {whose}", node.name, partial(_flush, node))
        yield FaultKind(f"kill {whose}", node.name, partial(_kill, node), (0.2, 3))
        yield FaultKind(f"restore {whose} to an earlier snapshot", node.name, node.go_back, times=2)


def _flush(node: RedisNode, _: Random) -> None:
    node.flush()


def _kill(node: RedisNode, _: Random) -> Heal:
    node.kill()
    return node.start


# --- the wires to Redis and to the database ---


def _list_wire_faults(testbed: Testbed) -> Iterator[FaultKind]:
    kinds = (
        ("cut the wire to", Mode.CUT, (0.5, 4.0)),
        ("black-hole the wire to", Mode.BLACK_HOLE, (1.0, 6.0)),
        ("drop the replies of", Mode.DROP_REPLIES, (0.5, 3.0)),
        ("swallow the replies of", Mode.SWALLOW_REPLIES, (0.5, 3.0)),
    )
    for what, proxy in testbed.proxies.items():
        for words, mode, lasts in kinds:
            yield FaultKind(
                f"{words} the {what}", f"wire to the {what}", partial(_switch, proxy, mode), lasts
            )


def _switch(proxy: Proxy, mode: Mode, _: Random) -> Heal:
    proxy.switch(mode)
    return partial(proxy.switch, Mode.PASS)


# --- the database ---


def _list_database_faults(testbed: Testbed) -> Iterator[FaultKind]:
    if testbed.database is None:
        yield FaultKind(
            "hold SQLite's write lock", "database", lambda _: _hold_write_lock(testbed), (1, 4)
        )
        return
    yield FaultKind(
        "end all connections of PostgreSQL",
        "database",
        lambda _: database.end_connections(testbed.system),
    )
    if database.may_crash(testbed.system):
        yield FaultKind("crash PostgreSQL", "database", lambda _: database.crash(testbed.system))


def _hold_write_lock(testbed: Testbed) -> Heal:
    held = ExitStack()
    held.enter_context(engine.writing(testbed.system.engine))
    return held.close


# --- tasks ---


def _list_task_faults(testbed: Testbed) -> Iterator[FaultKind]:
    yield FaultKind(
        "deliver messages twice", "broker", lambda _: _copy_messages(testbed.broker), times=2
    )
    yield FaultKind("run old tasks again", "broker", lambda _: _send_again(testbed))


def _copy_messages(broker: RedisNode) -> None:
    """Copies the messages that wait or are being worked on, with their ids."""
    prefix = app.conf.broker_transport_options["global_keyprefix"]
    for name in QUEUES:
        waiting = broker.client.lrange(f"{prefix}{name}", 0, -1)
        broker.client.rpush(f"{prefix}{name}", *waiting) if waiting else None
    for unacknowledged in broker.client.hvals(f"{prefix}unacked"):
        message, _, name = json.loads(unacknowledged)
        broker.client.lpush(f"{prefix}{name}", json.dumps(message))


def _send_again(testbed: Testbed) -> None:
    """Tasks that were done long ago, or are being done, come once more under new ids."""
    with testbed.system.reading() as session:
        leads, runs = (
            oracle_queries.list_newest_leads(session, SENT_AGAIN),
            oracle_queries.list_newest_runs(session, SENT_AGAIN),
        )
    queue.send(Task("captures.assign", {"lead": lead}) for lead in leads)
    for run, kind in runs:
        tasks = RUN_TASKS[RunKind(kind)]
        queue.send(
            Task(name, {"run": run, **more})
            for name, more in ((tasks.scan, {}), (tasks.chunk, {"chunk": 0}), (tasks.close, {}))
        )
