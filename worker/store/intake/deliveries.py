"""Deliveries: what came in through a form or an integration, and what became of it. They are kept
for 30 days."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import deliveries
from worker.store.views.facts import Facts, time_text

KEPT = timedelta(days=30)

OUTCOMES = ACCEPTED, IGNORED, INVALID, REFUSED = "accepted", "ignored", "invalid", "refused"
"""It made leads; it is about something else; it makes no lead as it is; its sender could not show
who they are, or it can't be read."""


class DeliverySource(NamedTuple):
    """Through what a delivery came: the column that names it, and its id."""

    column: str
    id: int

    @classmethod
    def form(cls, form_id: int) -> "DeliverySource":
        return cls("form_id", form_id)

    @classmethod
    def integration(cls, integration_id: int) -> "DeliverySource":
        return cls("integration_id", integration_id)

    def led(self) -> ColumnElement[bool]:
        """That a delivery came through it."""
        return deliveries.c[self.column] == self.id


class Became(NamedTuple):
    """What became of a delivery: an outcome, the reason for it if there is something to say, and
    the leads."""

    outcome: str
    reason: str | None = None
    lead_ids: Sequence[int] = ()

    def columns(self) -> dict[str, Any]:
        return {"outcome": self.outcome, "reason": self.reason, "lead_ids": list(self.lead_ids)}


def add(
    session: Session,
    source: DeliverySource,
    key: str,
    became: Became,
    body: str | None = None,
    content_type: str | None = None,
) -> int:
    """The id of a new delivery. The unique key refuses a second of the same key: System.transact
    does all again, and finds the first."""
    new = insert(deliveries).values(
        {
            source.column: source.id,
            "key": key,
            "at": now(),
            **became.columns(),
            "body": body,
            "content_type": content_type,
        }
    )
    return session.scalars(new.returning(deliveries.c.id)).one()


def add_all(
    session: Session, source: DeliverySource, new: Sequence[tuple[str, Became, str]]
) -> list[int]:
    """The ids of new deliveries, in order, each of a key, what became of it, and its body as JSON."""
    common = {source.column: source.id, "at": now(), "content_type": "application/json"}
    rows = [{**common, "key": key, **became.columns(), "body": body} for key, became, body in new]
    if not rows:
        return []
    return list(
        session.scalars(
            insert(deliveries).returning(deliveries.c.id, sort_by_parameter_order=True), rows
        )
    )


def known(session: Session, source: DeliverySource, keys: Iterable[str]) -> dict[str, Row[Any]]:
    """Those of the keys under which a delivery came before, with it."""
    found = select(deliveries).where(source.led(), deliveries.c.key.in_(list(keys)))
    return {row.key: row for row in session.execute(found)}


def find(session: Session, source: DeliverySource, key: str) -> Row[Any] | None:
    """The delivery that came before under the same key, if any did."""
    return session.execute(
        select(deliveries).where(source.led(), deliveries.c.key == key)
    ).one_or_none()


def hold(session: Session, delivery_id: int) -> Row[Any] | None:
    """The delivery with that id, which stays as it is until the transaction ends."""
    return session.execute(
        select(deliveries).where(deliveries.c.id == delivery_id).with_for_update()
    ).one_or_none()


def change(session: Session, delivery_id: int, became: Became) -> None:
    """Something else became of it after all."""
    session.execute(
        update(deliveries).where(deliveries.c.id == delivery_id).values(became.columns())
    )


def count_repeat(session: Session, *delivery_ids: int) -> None:
    """They came once more."""
    again = update(deliveries).where(deliveries.c.id.in_(delivery_ids))
    session.execute(again.values(repeats=deliveries.c.repeats + 1))


def forget(session: Session) -> None:
    """Removes what is older than 30 days."""
    session.execute(delete(deliveries).where(deliveries.c.at < now() - KEPT))


def remove(session: Session, source: DeliverySource) -> None:
    """All that came through a door which is about to be gone."""
    session.execute(delete(deliveries).where(source.led()))


# --- what is shown ---


def page(session: Session, source: DeliverySource, before: int | None, limit: int) -> Facts:
    """The newest deliveries, newest first, or those before that one; and the one to ask before for
    the next page."""
    found = select(deliveries).where(
        source.led(),
        deliveries.c.id < before if before is not None else deliveries.c.id.is_not(None),
    )
    rows = list(session.execute(found.order_by(deliveries.c.id.desc()).limit(limit + 1)))
    shown = rows[:limit]
    return {
        "deliveries": [facts(row) for row in shown],
        "next": shown[-1].id if len(rows) > limit else None,
    }


def facts(delivery: Row[Any]) -> Facts:
    """A delivery without its body."""
    plain = ("id", "outcome", "reason", "repeats")
    shown = {name: getattr(delivery, name) for name in plain}
    return shown | {"at": time_text(delivery.at), "leads": delivery.lead_ids}
