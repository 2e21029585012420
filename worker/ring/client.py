"""The ring's own connection, apart from the broker's. It gives up quickly, for a transaction may be
waiting.

No client tries anything twice by itself. The ring does, so that three tries are three, wherever the
rings live.
"""
# mypy: allow-untyped-calls
# Much of the library's cluster and Sentinel is untyped.

from typing import Any

from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.connection import parse_url
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

from worker.ring.ring import TIMEOUT_SECONDS
from worker.settings import SeveralNodes

_ONCE = Retry(NoBackoff(), 0)
_TWICE = Retry(NoBackoff(), 1)


def _socket(seconds: float) -> dict[str, Any]:
    return {"socket_timeout": seconds, "health_check_interval": 10}


def _tcp(seconds: float) -> dict[str, Any]:
    return {**_socket(seconds), "socket_connect_timeout": seconds, "socket_keepalive": True}


class Server:
    """One server, or the master that Sentinel names."""

    def __init__(self, client: Redis) -> None:
        self.client = client

    @property
    def address(self) -> str:
        pool = self.client.connection_pool
        if isinstance(pool, SentinelConnectionPool):
            sentinels = (_place(sentinel) for sentinel in pool.sentinel_manager.sentinels)
            return f"{', '.join(sorted(sentinels))} (Sentinel of {pool.service_name})"
        return _place(self.client)

    def ping(self) -> None:
        self.client.ping()

    def look_again(self) -> None:
        """Makes the next try open a new connection: the master may be another by now, and so may
        the server behind a name."""
        self.client.connection_pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        self.client.close()
        pool = self.client.connection_pool
        if isinstance(pool, SentinelConnectionPool):
            pool.sentinel_manager.close()


class Cluster:
    """A Redis Cluster. It is looked up at the first question, not as soon as it is made, as the
    library's client would."""

    def __init__(self, nodes: SeveralNodes, timeout_seconds: float) -> None:
        self._nodes, self._timeout_seconds = nodes, timeout_seconds
        self._known: set[tuple[str, int]] = set(nodes.hosts)
        self._client: RedisCluster | None = None

    @property
    def address(self) -> str:
        return f"{', '.join(f'{host}:{port}' for host, port in self._nodes.hosts)} (Redis Cluster)"

    @property
    def client(self) -> RedisCluster:
        client = self._client
        if client is None:
            # Two threads may both look it up: then one of the two clients is forgotten.
            client = self._client = self._look_up()
        return client

    def ping(self) -> None:
        self.client.ping(target_nodes=RedisCluster.PRIMARIES)

    def look_again(self) -> None:
        """Makes the next try look the cluster up again, at the known nodes and at the nodes of the
        address."""
        client, self._client = self._client, None
        if client is not None:
            self._known = {
                *self._nodes.hosts,
                *((node.host, node.port) for node in client.get_nodes()),
            }
            for node in client.get_nodes():
                if node.redis_connection is not None:
                    node.redis_connection.connection_pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _look_up(self) -> RedisCluster:
        client = _RedisCluster(
            url=self._nodes.url_of_one,
            startup_nodes=[ClusterNode(host, port) for host, port in self._known],
            # A question during the look-up may meet a dead node. Then another node is asked.
            retry=_TWICE,
            decode_responses=True,
            **_tcp(self._timeout_seconds),
        )
        client.set_retry(_ONCE)
        return client


class _RedisCluster(RedisCluster):
    """The library's client, mended: it fails with an AttributeError when a slot moves to a node
    that has just joined and serves no slot yet."""

    def get_node(
        self, host: str | None = None, port: int | None = None, node_name: str | None = None
    ) -> ClusterNode | None:
        found = super().get_node(host, port, node_name)
        if found is None and node_name is not None:
            name, _, number = node_name.rpartition(":")
            return ClusterNode(name, int(number), "primary")
        return found


def connect(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Redis | Cluster:
    """A client for the server, the cluster or the Sentinels at the address. Nothing is connected
    yet."""
    nodes = SeveralNodes.parse(url)
    if nodes is None:
        options = _socket if url.startswith("unix") else _tcp
        return Redis.from_url(url, retry=_ONCE, decode_responses=True, **options(timeout_seconds))
    return (
        Cluster(nodes, timeout_seconds)
        if nodes.topology == "cluster"
        else _master(nodes, _tcp(timeout_seconds))
    )


def find_server(
    client: Redis | Cluster | str, timeout_seconds: float = TIMEOUT_SECONDS
) -> Server | Cluster:
    """Returns the server of a client, or the one at an address. Nothing is connected yet."""
    made = connect(client, timeout_seconds) if isinstance(client, str) else client
    return Server(made) if isinstance(made, Redis) else made


def _master(nodes: SeveralNodes, tcp: dict[str, Any]) -> Redis:
    given = {
        name: value
        for name, value in parse_url(nodes.url_of_one).items()
        if name not in ("host", "port")
    }
    own = {name: given.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    sentinel = Sentinel(list(nodes.hosts), sentinel_kwargs={**tcp, **own, "retry": _ONCE})
    return sentinel.master_for(
        nodes.master, **{**tcp, "retry": _ONCE, "decode_responses": True, **given}
    )


def _place(client: Redis) -> str:
    place = client.connection_pool.connection_kwargs
    return str(place.get("path") or f"{place.get('host')}:{place.get('port')}")
