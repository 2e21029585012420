"""The Celery app: its queues, how tasks are acknowledged, and the beat schedule."""

from contextlib import suppress
from functools import cache
from typing import Any

from asgi_correlation_id import correlation_id
from celery import Celery, signals
from celery.app.amqp import AMQP
from kombu import pools
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from worker.request_id import HEADER, MESSAGE, mark_log_records
from worker.settings import settings

UPKEEP_SECONDS, RINGS_SECONDS, TIDY_SECONDS = 2.0, 20.0, 3600.0

VISIBILITY_SECONDS = 900
"""How long before Redis gives an unfinished task to another worker: over twice the longest chunk.
Upkeep sends the task again much sooner."""

RECONNECT_SECONDS = 1.0

LOG_PREFIX = "[%(asctime)s: %(levelname)s/%(processName)s]"


class PatientConnection(Connection):
    """A connection that looks for a lost broker every second. Celery's own waits longer each time,
    and may find a broker half a minute after it is back."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        every_second = {"interval_start": RECONNECT_SECONDS, "interval_max": RECONNECT_SECONDS}
        return super().ensure_connection(*args, **{**kwargs, **every_second})

    def maybe_close_channel(self, channel: Any) -> None:
        """Closes a channel. If the broker was lost once more meanwhile, the channel has no
        transport left and fails to close, which would end the worker."""
        with suppress(AttributeError):
            super().maybe_close_channel(channel)


class Broker(AMQP):  # type: ignore[misc]
    """How Celery reaches the broker."""

    Connection = PatientConnection


mark_log_records()

app = Celery("evenhand", set_as_current=False, amqp=Broker)
app.Beat = app.subclass_with_self("worker.beat:Beat")
app.conf.update(
    broker_url=settings().broker_url,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # An import never holds up a captured lead: each kind of work has its queue.
    task_queues=[
        Queue(name, Exchange(name), routing_key=name)
        for name in ("capture", "bulk", "notify", "upkeep")
    ],
    task_default_queue="bulk",
    task_routes={
        "captures.*": {"queue": "capture"},
        "imports.*": {"queue": "bulk"},
        "reassignments.*": {"queue": "bulk"},
        "undos.*": {"queue": "bulk"},
        "upkeep.*": {"queue": "upkeep"},
        "enrichments.*": {"queue": "notify"},
    },
    # A task is acknowledged when it is done, and each is safe to run twice.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_soft_time_limit=240,
    task_time_limit=300,
    worker_soft_shutdown_timeout=20,
    worker_enable_soft_shutdown_on_idle=True,
    # Progress lives in SQL.
    task_ignore_result=True,
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    # Flower sees each task's name and arguments.
    task_send_sent_event=True,
    worker_send_task_events=True,
    timezone="UTC",
    worker_log_format=f"{LOG_PREFIX} {MESSAGE}",
    worker_task_log_format=f"{LOG_PREFIX} %(task_name)s[%(task_id)s]: {MESSAGE}",
    beat_schedule={
        name: {"task": name, "schedule": seconds, "options": {"expires": seconds}}
        for name, seconds in (
            ("upkeep.sweep", UPKEEP_SECONDS),
            ("upkeep.mend_rings", RINGS_SECONDS),
            ("upkeep.tidy", TIDY_SECONDS),
        )
    },
)
if settings().broker_url.startswith("redis"):
    # A half-open connection would hang a worker for minutes without these.
    app.conf.broker_transport_options = {
        "global_keyprefix": "evenhand:",
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    app.conf.visibility_timeout = VISIBILITY_SECONDS


@signals.before_task_publish.connect
def _send_request_id(headers: dict[str, Any], **_: Any) -> None:
    """Puts the id of the request into the task's headers: also when the task is tried again, and
    into the tasks that it sends itself."""
    if request_id := correlation_id.get():
        headers[HEADER] = request_id


@signals.task_prerun.connect
def _take_request_id(task: Any, **_: Any) -> None:
    correlation_id.set(task.request.get(HEADER))


@signals.task_postrun.connect
def _forget_request_id(**_: Any) -> None:
    correlation_id.set(None)


@cache
def producers() -> Any:
    """Returns the pool of connections for sending tasks. They notice within seconds that the broker
    is away, because a request may be waiting."""
    connection = app.connection_for_write()
    swift = {
        "max_retries": 1,
        "interval_start": 0,
        "socket_timeout": 2,
        "socket_connect_timeout": 2,
    }
    connection.transport_options = {**connection.transport_options, **swift}
    return pools.producers[connection]
