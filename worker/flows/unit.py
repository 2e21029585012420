"""A unit of work: one transaction, and the ring that its turns come from."""

from sqlalchemy import Engine

from worker.ring import Ring
from worker.store.sql.transaction import Transaction


class Unit(Transaction):
    """What every story works with. `System.transact` opens and commits it, and runs the work again
    after a seeding."""

    def __init__(self, engine: Engine, ring: Ring) -> None:
        super().__init__(engine)
        self.ring = ring
