"""Every Celery task: its options, and one call into a flow. All are safe to run twice."""

from celery import Task

from worker.app import app
from worker.domain.runs.runs import RUN_TASKS, RunKind
from worker.errors.base import Unavailable
from worker.flows.intake import capture, enrichment
from worker.flows.runs import imports, load, reassign, undo
from worker.flows.system import system
from worker.flows.upkeep import rings, sweeps, tidy
from worker.secret_box import secret_box

IMPORT = RUN_TASKS[RunKind.IMPORT]
REASSIGN = RUN_TASKS[RunKind.REASSIGN]
UNDO = RUN_TASKS[RunKind.UNDO]

AWAY: dict[str, object] = {
    "autoretry_for": (Unavailable,),
    "max_retries": None,
    "retry_backoff": True,
    "retry_backoff_max": 3,
}
"""For tasks that wait for a server that is away: each is tried again every few seconds. A retry has
the id of the first attempt, so it goes on at once with its own lease."""


SOON_AGAIN: dict[str, object] = {"throws": (Unavailable,)}
"""For tasks that upkeep sends again within seconds. A server that is away is worth one line in the
log. Tasks that retried by themselves would pile up while it is away."""


@app.task(name="captures.assign", bind=True, **SOON_AGAIN)
def assign_lead(task: Task, lead: int) -> None:
    capture.assign_lead(system(), lead, task.request.id)


@app.task(name="enrichments.fetch", bind=True, **SOON_AGAIN)
def fetch_enrichments(task: Task, integration: int) -> None:
    enrichment.fetch(system(), secret_box(), integration, task.request.id)


@app.task(name=IMPORT.scan, bind=True, soft_time_limit=3_500, time_limit=3_600, **AWAY)
def scan_import(task: Task, run: int) -> None:
    imports.scan_upload(system(), run, task.request.id)


@app.task(name=IMPORT.chunk, bind=True, **AWAY)
def load_chunk(task: Task, run: int, chunk: int) -> None:
    load.load_chunk(system(), run, chunk, task.request.id)


@app.task(name=IMPORT.close, **AWAY)
def close_import(run: int) -> None:
    imports.close(system(), run)


@app.task(name=REASSIGN.scan, bind=True, **AWAY)
def freeze_list(task: Task, run: int) -> None:
    reassign.freeze(system(), run, task.request.id)


@app.task(name=REASSIGN.chunk, bind=True, **AWAY)
def move_chunk(task: Task, run: int, chunk: int) -> None:
    reassign.move(system(), run, chunk, task.request.id)


@app.task(name=REASSIGN.close, **AWAY)
def close_reassignment(run: int) -> None:
    reassign.close(system(), run)


@app.task(name=UNDO.scan, bind=True, **AWAY)
def scan_undo(task: Task, run: int) -> None:
    undo.scan(system(), run, task.request.id)


@app.task(name=UNDO.chunk, bind=True, **AWAY)
def take_back_chunk(task: Task, run: int, chunk: int) -> None:
    undo.take_back(system(), run, chunk, task.request.id)


@app.task(name=UNDO.close, **AWAY)
def close_undo(run: int) -> None:
    undo.close(system(), run)


@app.task(name="upkeep.sweep", **SOON_AGAIN)
def sweep() -> None:
    sweeps.sweep(system())


@app.task(name="upkeep.mend_rings", **SOON_AGAIN)
def mend_rings() -> None:
    rings.repair(system())


@app.task(name="upkeep.tidy", **SOON_AGAIN)
def tidy_uploads() -> None:
    tidy.tidy(system())
