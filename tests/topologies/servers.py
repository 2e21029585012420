"""Servers of the tests' own, each behind its proxy: a pair, a pair with a Sentinel, and a
cluster."""

import math
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from tests.support.servers import START_SECONDS, short_folder, wait_until
from tests.topologies.proxy import Proxy, proxy
from worker.settings import LOOPBACK
from worker.stack.server import find_program

MASTER = "rings"
ASKED_AGAIN_SECONDS = 5.0
SLOTS = 16384
QUICK = [
    "ping-period",
    "200",
    "info-period",
    "100",
    "publish-period",
    "100",
    "ask-period",
    "100",
    "min-link-reconnect-period",
    "200",
    "tilt-period",
    "1000",
]
"""Milliseconds. By itself a Sentinel does these things every second, or every ten or thirty."""


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class Node:
    """One server, at its own port and at that of its proxy, under which it is known to the
    others."""

    folder: Path
    proxy: Proxy
    options: Sequence[str] = ()
    password: str | None = None
    running: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def port(self) -> int:
        return self.proxy.target

    @property
    def client(self) -> Redis:
        """A client of this very server, past the proxy, with one connection."""
        options: dict[str, Any] = {
            "decode_responses": True,
            "socket_timeout": 5,
            "single_connection_client": True,
        }
        return Redis(LOOPBACK, self.port, password=self.password, **options)

    def ask(self, *command: Any) -> Any:
        with self.client as client:
            return client.execute_command(*command)

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        settings = (
            f"--port {self.port} --bind {LOOPBACK} --dir {self.folder} --logfile {self.folder}/log "
            "--appendonly yes --repl-timeout 60"
        )
        self._run(
            [*settings.split(), "--save", "", "--repl-diskless-sync-delay", "0", *self.options]
        )

    def _run(self, arguments: Sequence[str]) -> None:
        command = [str(find_program()), *arguments]
        self.running = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self.answers, f"the server whose log is {self.folder}/log")

    def answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except RedisError:
            return False

    def kill(self) -> None:
        """Ends it as a power cut does."""
        self.signal(signal.SIGKILL)
        assert self.running is not None
        self.running.wait(START_SECONDS)

    def signal(self, what: signal.Signals) -> None:
        assert self.running is not None
        self.running.send_signal(what)

    def stop(self) -> None:
        if self.running is not None and self.running.poll() is None:
            self.signal(signal.SIGCONT)
            self.kill()

    def ring(self, pool_id: int) -> dict[str, str]:
        """What this very server holds of a pool's ring, be it a master or a replica."""
        with self.client as client:
            if "--cluster-enabled" in self.options:
                client.execute_command("READONLY")
            return dict(client.hgetall(f"{{pool:{pool_id}}}:ring"))


@contextmanager
def node(folder: Path, name: str, options: str = "") -> Iterator[Node]:
    """A server that runs within the block. In its options PROXY and BUS stand for ports."""
    with proxy(free_port()) as front:
        made = Node(
            folder / name,
            front,
            options.replace("PROXY", str(front.port)).replace("BUS", str(free_port())).split(),
        )
        try:
            made.start()
            yield made
        finally:
            made.stop()


def is_replica_of(replica: Node, master: Node) -> bool:
    """Whether a server follows another by now, and has all that it had."""
    role, host, port, state, _ = [*replica.ask("ROLE"), None, None, None, None][:5]
    return (role, host, port, state) == ("slave", LOOPBACK, master.proxy.port, "connected")


# --- a pair ---


@dataclass
class Pair:
    """Two servers, of which one is the master and the other its replica."""

    nodes: tuple[Node, Node]

    @property
    def master(self) -> Node:
        return next(node for node in self.nodes if node.ask("ROLE")[0] == "master")

    @property
    def replica(self) -> Node:
        return next(node for node in self.nodes if node.ask("ROLE")[0] == "slave")


@contextmanager
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        folder, known_as = (
            stack.enter_context(short_folder()),
            f"--replica-announce-ip {LOOPBACK} --replica-announce-port PROXY",
        )
        first, second = (stack.enter_context(node(folder, name, known_as)) for name in "ab")
        second.ask("REPLICAOF", LOOPBACK, first.proxy.port)
        wait_until(lambda: is_replica_of(second, first), "the replica")
        yield Pair((first, second))


# --- a pair with a Sentinel ---


@dataclass
class Watched:
    """A pair whose master a Sentinel watches, and replaces."""

    pair: Pair
    sentinel: Node
    url: str

    @property
    def master(self) -> Node:
        """The one that Sentinel names."""
        port = int(self.sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)[1])
        return next(node for node in self.pair.nodes if node.proxy.port == port)

    @property
    def other(self) -> Node:
        return next(node for node in self.pair.nodes if node is not self.master)

    def await_replica(self) -> None:
        wait_until(self._is_whole, "the other server to be a replica that Sentinel would promote")

    def _is_whole(self) -> bool:
        wanted = (str(self.other.proxy.port), "slave", "ok")
        known = self.sentinel.ask("SENTINEL", "REPLICAS", MASTER)
        ready = any(
            (replica["port"], replica["flags"], replica["master-link-status"]) == wanted
            for replica in known
        )
        return ready and is_replica_of(self.other, self.master)

    def hand_over(self) -> None:
        """Has Sentinel promote the other server. On a busy machine it may refuse that, or give it
        up after its second: then it is asked again."""
        demoted, asked = self.master, -math.inf

        def promoted() -> bool:
            nonlocal asked
            if self._succeeds(demoted):
                return True
            if time.monotonic() - asked > ASKED_AGAIN_SECONDS and self._agrees_to_promote():
                asked = time.monotonic()
            return False

        wait_until(promoted, "another master")

    def _agrees_to_promote(self) -> bool:
        """Sentinel refuses while what it heard last of the replica is older than three of its info
        periods."""
        try:
            self.sentinel.ask("SENTINEL", "FAILOVER", MASTER)
        except ResponseError as refusal:
            if "NOGOODSLAVE" in str(refusal):
                return False
            raise
        return True

    def await_failover(self, dead: Node) -> None:
        wait_until(lambda: self._succeeds(dead), "another master")

    def _succeeds(self, former: Node) -> bool:
        return self.master is not former and self.master.ask("ROLE")[0] == "master"

    def bring_back(self, dead: Node) -> None:
        dead.proxy.let_go()
        dead.start()
        self.await_replica()


class Sentinel(Node):
    """A server that watches others. All that it is told is in its file."""

    def start(self) -> None:
        self._run([str(self.folder / "sentinel.conf"), "--sentinel"])
        self.ask("SENTINEL", "DEBUG", *QUICK)


@contextmanager
def sentinel(master: int, *more: str, password: str | None = None) -> Iterator[Sentinel]:
    """A Sentinel that watches the server at a port, within the block."""
    with short_folder() as folder, proxy(free_port()) as front:
        made = Sentinel(folder, front, password=password)
        monitored = f"sentinel monitor {MASTER} {LOOPBACK} {master} 1"
        quick = (
            f"sentinel down-after-milliseconds {MASTER} 500\nsentinel failover-timeout {MASTER} "
            "1000"
        )
        told = (
            f"port {made.port}",
            f"bind {LOOPBACK}",
            f"logfile {folder}/log",
            monitored,
            quick,
            *more,
        )
        (folder / "sentinel.conf").write_text("\n".join(told))
        try:
            made.start()
            yield made
        finally:
            made.stop()


@contextmanager
def watched() -> Iterator[Watched]:
    """A pair and its Sentinel. The address names another Sentinel first, which is dead."""
    with pair() as nodes, sentinel(nodes.master.proxy.port) as watching:
        made = Watched(
            nodes,
            watching,
            f"redis+sentinel://{LOOPBACK}:{free_port()},{LOOPBACK}:{watching.port}/{MASTER}",
        )
        made.await_replica()
        yield made


# --- a cluster ---


@dataclass
class Nodes:
    """The masters of a cluster, and one more node that serves no slot."""

    masters: list[Node]
    spare: Node

    @property
    def all(self) -> list[Node]:
        return [*self.masters, self.spare]

    @property
    def url(self) -> str:
        addresses = [f"{LOOPBACK}:{node.proxy.port}" for node in self.masters[:2]]
        return f"redis+cluster://{','.join(addresses)}"

    def slot(self, pool_id: int) -> int:
        return int(self.masters[-1].ask("CLUSTER", "KEYSLOT", f"{{pool:{pool_id}}}"))

    def home(self, pool_id: int) -> Node:
        """The node on which a pool's ring lies."""
        return self.of_slot(self.slot(pool_id))

    def of_slot(self, slot: int) -> Node:
        """The node that serves a slot, as the first node that runs sees it."""
        witness = next(node for node in self.all if node.answers())
        for first, last, *serving in witness.ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.all if node.proxy.port == serving[0][1])
        raise LookupError(slot)


def identity(node: Node) -> str:
    return str(node.ask("CLUSTER", "MYID"))


CLUSTER = (
    "--cluster-enabled yes --cluster-node-timeout 2000 --cluster-port BUS --cluster-announce-ip "
    f"{LOOPBACK} --cluster-announce-port PROXY "
    "--cluster-require-full-coverage no --cluster-replica-validity-factor 0"
)


@contextmanager
def cluster() -> Iterator[Nodes]:
    with ExitStack() as stack:
        folder = stack.enter_context(short_folder())
        *masters, spare = (stack.enter_context(node(folder, name, CLUSTER)) for name in "abcd")
        made = Nodes(masters, spare)
        for number, master in enumerate(masters):
            first, end = (SLOTS * at // len(masters) for at in (number, number + 1))
            master.ask("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        for number, member in enumerate(made.all, 1):
            member.ask("CLUSTER", "SET-CONFIG-EPOCH", number)
        for member in made.all[1:]:
            made.all[0].ask(
                "CLUSTER",
                "MEET",
                LOOPBACK,
                member.port,
                member.options[member.options.index("--cluster-port") + 1],
            )
        wait_until(lambda: all(_knows_all(member, made) for member in made.all), "the cluster")
        yield made


def _knows_all(member: Node, cluster: Nodes) -> bool:
    lines = str(member.ask("CLUSTER", "INFO")).splitlines()
    return {"cluster_state:ok", f"cluster_known_nodes:{len(cluster.all)}"} <= set(lines)
