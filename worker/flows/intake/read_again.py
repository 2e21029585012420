"""Reading a delivery again, by the mapping as it is now."""

import orjson
from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.errors.intake import NotReplayable, UnknownDelivery
from worker.flows.intake.deliveries import store_contents
from worker.store.intake import deliveries, integrations
from worker.store.intake.deliveries import Delivery
from worker.store.records import conversions, records


def read_again(session: Session, delivery_id: int) -> None:
    """Reads a delivery again. Raises UnknownDelivery, and NotReplayable for a delivery whose leads
    are still there, or whose body was not kept."""
    delivery = deliveries.lock(session, delivery_id)
    if delivery is None:
        raise UnknownDelivery(delivery_id=delivery_id)
    if (reason := _find_obstacle(session, delivery)) is not None:
        raise NotReplayable(delivery_id=delivery_id, reason=reason)
    assert delivery.integration_id is not None
    assert delivery.body is not None
    integration = integrations.find(session, delivery.integration_id)
    assert integration is not None
    [outcome] = store_contents(session, integration, [orjson.loads(delivery.body)])
    deliveries.change(session, delivery_id, outcome)


def _find_obstacle(session: Session, delivery: Delivery) -> str | None:
    if delivery.integration_id is None:
        return "it came through a form"
    if delivery.body is None:
        return "nothing of it was kept, because it was refused"
    there = [lead_id for lead_id in delivery.outcome.lead_ids if _is_there(session, lead_id)]
    return f"it made lead {there[0]}, which is still there; delete that first" if there else None


def _is_there(session: Session, lead_id: int) -> bool:
    """Whether the lead, or the records that it was converted into, still exist."""
    return (
        records.find_live(session, RecordType.LEAD, lead_id) is not None
        or conversions.find_of_lead(session, lead_id) is not None
    )
