"""A transaction: an SQLAlchemy session that remembers which pools it has locked."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from worker.domain.turns.pool import Pool


class Transaction(Session):
    """One transaction. `locked_pools` are the pools that it has locked shared, by id. They can't
    change until it ends."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.engine = engine
        self.locked_pools: dict[int, Pool] = {}
