"""Every Celery task: its options, and one call into a flow. Arguments are ids; each task is safe to run twice."""

from typing import Any

from worker.app import app
from worker.errors import Unavailable
from worker.flows import imports, load, upkeep
from worker.flows.system import system

AWAY: dict[str, Any] = {"autoretry_for": (Unavailable,), "max_retries": None, "retry_backoff": True, "retry_backoff_max": 30}
"""A server that is away comes back: until then the task is tried again, ever more seldom."""


@app.task(name="imports.scan", soft_time_limit=3_500, time_limit=3_600, **AWAY)
def scan_import(run: int) -> None:
    imports.scan_upload(system(), run)


@app.task(name="imports.load_chunk", **AWAY)
def load_chunk(run: int, chunk: int) -> None:
    load.load_chunk(system(), run, chunk)


@app.task(name="imports.close", **AWAY)
def close_import(run: int) -> None:
    imports.close(system(), run)


@app.task(name="upkeep.sweep")
def sweep() -> None:
    upkeep.sweep(system())
