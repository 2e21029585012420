"""Deliveries: the calls that came through a form or an integration, and their outcomes. They are
kept for 30 days."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.orm import Session

from worker.domain.intake.parts import DeliveryOutcome, OutcomeKind
from worker.store.sql.clock import now
from worker.store.tables import deliveries

KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DeliverySource:
    """The form or the integration of a delivery: the column that names it, and its id."""

    column: str
    id: int

    @classmethod
    def form(cls, form_id: int) -> "DeliverySource":
        return cls("form_id", form_id)

    @classmethod
    def integration(cls, integration_id: int) -> "DeliverySource":
        return cls("integration_id", integration_id)

    def matches(self) -> ColumnElement[bool]:
        """The SQL condition that a delivery came through it."""
        return deliveries.c[self.column] == self.id


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery, as it is stored."""

    id: int
    integration_id: int | None
    key: str
    at: datetime
    outcome: DeliveryOutcome
    repeats: int
    body: str | None
    """The content, as JSON; None if nothing was kept."""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to store, with its body as JSON."""

    key: str
    outcome: DeliveryOutcome
    body: str


def read_outcome(row: Row[tuple[object, ...]]) -> DeliveryOutcome:
    """The outcome of the delivery in a row."""
    return DeliveryOutcome(OutcomeKind(row.outcome), row.reason, tuple(row.lead_ids))


def _read_delivery(row: Row[tuple[object, ...]]) -> Delivery:
    return Delivery(
        row.id, row.integration_id, row.key, row.at, read_outcome(row), row.repeats, row.body
    )


def _make_columns(outcome: DeliveryOutcome) -> dict[str, object]:
    return {
        "outcome": outcome.kind,
        "reason": outcome.reason,
        "lead_ids": list(outcome.lead_ids),
    }


def add(session: Session, source: DeliverySource, key: str, outcome: DeliveryOutcome) -> int:
    """The id of a new delivery without a body. The unique key refuses a second one with the same
    key: System.transact then runs the work again, which finds the first."""
    new = insert(deliveries).values(
        {source.column: source.id, "key": key, "at": now(), **_make_columns(outcome)}
    )
    return session.scalars(new.returning(deliveries.c.id)).one()


def add_all(session: Session, source: DeliverySource, new: Sequence[NewDelivery]) -> list[int]:
    """The ids of new deliveries, in order."""
    common = {source.column: source.id, "at": now(), "content_type": "application/json"}
    rows = [
        {**common, "key": each.key, **_make_columns(each.outcome), "body": each.body}
        for each in new
    ]
    if not rows:
        return []
    return list(
        session.scalars(
            insert(deliveries).returning(deliveries.c.id, sort_by_parameter_order=True), rows
        )
    )


def find_all(session: Session, source: DeliverySource, keys: Iterable[str]) -> list[Delivery]:
    """The deliveries with those keys."""
    found = select(deliveries).where(source.matches(), deliveries.c.key.in_(list(keys)))
    return [_read_delivery(row) for row in session.execute(found)]


def find(session: Session, source: DeliverySource, key: str) -> Delivery | None:
    """The delivery with that key, if there is one."""
    return next(iter(find_all(session, source, [key])), None)


def lock(session: Session, delivery_id: int) -> Delivery | None:
    """The delivery with that id. No other transaction changes it until this one ends."""
    found = select(deliveries).where(deliveries.c.id == delivery_id).with_for_update()
    row = session.execute(found).one_or_none()
    return None if row is None else _read_delivery(row)


def change(session: Session, delivery_id: int, outcome: DeliveryOutcome) -> None:
    """Sets the outcome of a delivery."""
    session.execute(
        update(deliveries).where(deliveries.c.id == delivery_id).values(_make_columns(outcome))
    )


def count_repeats(session: Session, delivery_ids: Collection[int]) -> None:
    """Notes that those deliveries came once more."""
    again = update(deliveries).where(deliveries.c.id.in_(delivery_ids))
    session.execute(again.values(repeats=deliveries.c.repeats + 1))


def forget(session: Session) -> None:
    """Removes deliveries that are older than 30 days."""
    session.execute(delete(deliveries).where(deliveries.c.at < now() - KEPT))


def remove_all(session: Session, source: DeliverySource) -> None:
    """Removes all deliveries of a form or an integration that is about to be deleted."""
    session.execute(delete(deliveries).where(source.matches()))
