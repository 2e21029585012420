"""Deliveries: known again by their key, listed newest first, and forgotten after 30 days."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Table, insert, update
from sqlalchemy.exc import IntegrityError

from tests.support.factories import person
from tests.support.invariants import rows
from worker.domain.intake.parts import DeliveryOutcome, OutcomeKind
from worker.flows.system import System
from worker.flows.upkeep import tidy
from worker.store.intake import deliveries
from worker.store.intake.deliveries import DeliverySource, NewDelivery
from worker.store.sql.engine import writing
from worker.store.tables import deliveries as table
from worker.store.tables import forms, integrations
from worker.store.views.intake import list_deliveries

MOMENT = timedelta(minutes=1)

ACCEPTED = DeliveryOutcome(OutcomeKind.ACCEPTED)


@pytest.fixture
def form(system: System) -> DeliverySource:
    return DeliverySource.form(_source(system, forms, fields=[], origins=[]))


@pytest.fixture
def integration(system: System) -> DeliverySource:
    return DeliverySource.integration(
        _source(system, integrations, kind="standard", mapping={}, secret="sealed")
    )


def _source(system: System, which: Table, **own: object) -> int:
    owner_id, moment = person(system, "ann@example.com"), datetime.now(UTC)
    common = {
        "slug": "web",
        "name": "Web",
        "owner_id": owner_id,
        "tags": [],
        "created_at": moment,
        "updated_at": moment,
    }
    with writing(system.engine) as session:
        return session.scalars(insert(which).values(common | own).returning(which.c.id)).one()


def add(system: System, source: DeliverySource, key: str, outcome: DeliveryOutcome) -> int:
    return system.transact(deliveries.add, source, key, outcome)


def test_a_delivery_is_found_by_the_key_of_its_own_source(
    system: System, form: DeliverySource, integration: DeliverySource
) -> None:
    accepted = DeliveryOutcome(OutcomeKind.ACCEPTED, None, (7, 8))
    ignored = DeliveryOutcome(OutcomeKind.IGNORED, "about something else")
    [first] = system.transact(deliveries.add_all, form, [NewDelivery("1", accepted, "{}")])
    other = add(system, integration, "1", ignored)

    with system.reading() as session:
        found, others = (
            deliveries.find(session, form, "1"),
            deliveries.find(session, integration, "1"),
        )
        none = deliveries.find(session, form, "2")

    assert none is None
    assert found is not None
    assert others is not None
    assert (found.id, found.outcome, found.body) == (first, accepted, "{}")
    assert (others.id, others.outcome, others.body) == (other, ignored, None)


def test_a_second_of_the_same_key_is_refused_by_the_database(
    system: System, integration: DeliverySource
) -> None:
    add(system, integration, "1", ACCEPTED)

    with pytest.raises(IntegrityError), writing(system.engine) as session:
        deliveries.add(session, integration, "1", ACCEPTED)


def test_repeats_are_counted_and_an_outcome_may_change(
    system: System, form: DeliverySource
) -> None:
    delivery = add(system, form, "1", DeliveryOutcome(OutcomeKind.INVALID, "needs a name"))
    for _ in range(2):
        system.transact(deliveries.count_repeats, [delivery])

    system.transact(deliveries.change, delivery, DeliveryOutcome(OutcomeKind.ACCEPTED, None, (3,)))

    [shown] = rows(system, "SELECT outcome, reason, repeats FROM deliveries")
    assert shown == {"outcome": "accepted", "reason": None, "repeats": 2}


def test_deliveries_are_listed_newest_first_page_by_page(
    system: System, form: DeliverySource, integration: DeliverySource
) -> None:
    ids = [add(system, form, str(number), ACCEPTED) for number in range(5)]
    add(system, integration, "1", ACCEPTED)

    with system.reading() as session:
        first = list_deliveries(session, form, None, 3)
        second = list_deliveries(session, form, first.next, 3)

    assert [shown.id for shown in first.deliveries] == ids[:1:-1]
    assert [shown.id for shown in second.deliveries] == ids[1::-1]
    assert (first.next, second.next) == (ids[2], None)
    assert set(asdict(second.deliveries[0])) == {
        "id", "at", "outcome", "reason", "repeats", "leads",
    }  # fmt: skip


def test_deliveries_are_forgotten_after_thirty_days(system: System, form: DeliverySource) -> None:
    old, new = (
        add(system, form, "old", ACCEPTED),
        add(system, form, "new", ACCEPTED),
    )
    for delivery, age in ((old, deliveries.KEPT + MOMENT), (new, deliveries.KEPT - MOMENT)):
        with writing(system.engine) as session:
            session.execute(
                update(table).where(table.c.id == delivery).values(at=datetime.now(UTC) - age)
            )

    assert tidy.tidy(system) == []

    assert rows(system, "SELECT key FROM deliveries") == [{"key": "new"}]
