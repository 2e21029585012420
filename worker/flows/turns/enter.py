"""Enters turns in the ledger, and gives records that exist already to their new owners.

Three places give a record its owner without entering a turn. An undo gives records back. A
conversion enters one turn, which its other records name too. An import writes its records together
with their owners, and enters their turns here.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.domain.turns.allotment import Allotment
from worker.store.records import records
from worker.store.turns import ledger


def enter(
    session: Session, allotment: Allotment, moment: datetime, present: RecordType | None = None
) -> None:
    """Enters an allotment's turns in the ledger, and gives its records to their new owners.

    `present` is the type of the records if they are there already; the caller has locked them. An
    import writes its records together with their owners, and leaves it out. The ledger's primary
    key refuses a turn that is entered already.
    """
    if allotment.pool_id is not None:
        ledger.enter(session, allotment, moment)
    if present is not None:
        records.set_owners(session, present, allotment.owners(), moment)
