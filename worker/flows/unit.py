"""A unit of work: one transaction, and the ring that its turns come from."""

from sqlalchemy import Engine

from worker.ring import Ring
from worker.store.sql import engine
from worker.store.sql.transaction import Transaction


class Unit(Transaction):
    """The transaction and ring that every story works with. `System.transact` opens and commits it,
    and runs the work again after a seeding."""

    def __init__(self, database: Engine, ring: Ring) -> None:
        super().__init__(database)
        self.ring = ring

    def limit_statement_time(self) -> None:
        """Limits each statement of this transaction, for requests whose sender waits. A statement
        that takes too long raises TookTooLong."""
        engine.limit_statement_time(self)
