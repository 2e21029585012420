"""The ring's own connection, apart from the broker's: quick to give up, because a transaction may be waiting."""

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 1.0
RETRIES = 2


def connect(url: str) -> "Redis":
    """A client for the server of the rings. It may repeat a command whose answer was lost: scripts are harmless to repeat, by their
    claims, versions and epochs."""
    tcp = {} if url.startswith("unix") else {"socket_connect_timeout": TIMEOUT_SECONDS, "socket_keepalive": True}
    return Redis.from_url(
        url,
        **tcp,
        decode_responses=True,
        socket_timeout=TIMEOUT_SECONDS,
        health_check_interval=10,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), RETRIES),
    )
