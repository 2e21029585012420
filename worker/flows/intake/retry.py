"""Retries captured leads and enrichments that were set aside."""

from sqlalchemy.orm import Session

from worker.queue import enqueue
from worker.store.intake import captures, enrichment


def retry_leads(session: Session) -> int:
    """Puts all captured leads that were set aside back in line, and asks again for the fields of
    leads whose enrichment was set aside. Returns how many leads there are."""
    again = captures.try_again(session)
    for last in {row.pool_id: row.lead_id for row in sorted(again)}.values():
        enqueue(session, "captures.assign", lead=last)
    more = enrichment.try_again(session)
    for integration_id in {row.integration_id for row in more}:
        enqueue(session, "enrichments.fetch", integration=integration_id)
    return len({row.lead_id for row in again} | {row.lead_id for row in more})
