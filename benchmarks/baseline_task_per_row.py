"""What most systems do, as the baseline: one Celery task for each row, which takes a turn, inserts
the lead and commits."""

from typing import Any

from celery import Celery

from worker.app import app as product
from worker.domain.records.record_type import RecordType
from worker.domain.turns.causes import Cause
from worker.flows.system import system
from worker.flows.turns import assign
from worker.flows.unit import Unit
from worker.settings import settings
from worker.store.records import records

app = Celery("naive", broker=settings().broker_url, set_as_current=False)
app.conf.update(
    task_default_queue="naive",
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    broker_transport_options=product.conf.broker_transport_options,
)


@app.task(name="naive.import_row")  # type: ignore[untyped-decorator]
def import_row(pool_id: int, values: dict[str, Any]) -> None:
    system().transact(_import_row, pool_id, values)


def _import_row(unit: Unit, pool_id: int, values: dict[str, Any]) -> None:
    record_id = records.add(unit, RecordType.LEAD, pool_id, values)
    request = assign.TurnRequest(f"lead:{record_id}:import", record_id, None)
    assign.assign(unit, pool_id, RecordType.LEAD, [request], Cause.IMPORT)
