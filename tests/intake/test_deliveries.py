"""Deliveries: known again by their key, listed newest first, and forgotten after 30 days."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Table, insert, update
from sqlalchemy.exc import IntegrityError

from tests.support.factories import person
from tests.support.invariants import rows
from worker.flows.system import System
from worker.flows.upkeep import tidy
from worker.store.intake import deliveries
from worker.store.intake.deliveries import ACCEPTED, IGNORED, INVALID, Became, DeliverySource
from worker.store.sql.engine import writing
from worker.store.tables import deliveries as table
from worker.store.tables import forms, integrations

MOMENT = timedelta(minutes=1)


@pytest.fixture
def form(system: System) -> DeliverySource:
    return DeliverySource.form(_door(system, forms, fields=[], origins=[]))


@pytest.fixture
def integration(system: System) -> DeliverySource:
    return DeliverySource.integration(
        _door(system, integrations, kind="standard", mapping={}, secret="sealed")
    )


def _door(system: System, which: Table, **own: object) -> int:
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


def add(system: System, source: DeliverySource, key: str, became: Became, **more: str) -> int:
    return system.transact(deliveries.add, source, key, became, **more)


def test_a_delivery_is_found_by_the_key_of_its_own_door(
    system: System, form: DeliverySource, integration: DeliverySource
) -> None:
    first = add(
        system,
        form,
        "1",
        Became(ACCEPTED, None, [7, 8]),
        body="{}",
        content_type="application/json",
    )
    other = add(system, integration, "1", Became(IGNORED, "about something else"))

    with system.reading() as session:
        found, others = (
            deliveries.find(session, form, "1"),
            deliveries.find(session, integration, "1"),
        )
        none = deliveries.find(session, form, "2")

    assert none is None
    assert found is not None
    assert others is not None
    assert (found.id, found.lead_ids, found.body, others.id, others.reason) == (
        first,
        [7, 8],
        "{}",
        other,
        "about something else",
    )


def test_a_second_of_the_same_key_is_refused_by_the_database(
    system: System, integration: DeliverySource
) -> None:
    add(system, integration, "1", Became(ACCEPTED))

    with pytest.raises(IntegrityError), writing(system.engine) as session:
        deliveries.add(session, integration, "1", Became(ACCEPTED))


def test_repeats_are_counted_and_an_outcome_may_change(
    system: System, form: DeliverySource
) -> None:
    delivery = add(system, form, "1", Became(INVALID, "needs a name"))
    for _ in range(2):
        system.transact(deliveries.count_repeat, delivery)

    system.transact(deliveries.change, delivery, Became(ACCEPTED, None, [3]))

    [shown] = rows(system, "SELECT outcome, reason, repeats FROM deliveries")
    assert shown == {"outcome": "accepted", "reason": None, "repeats": 2}


def test_deliveries_are_listed_newest_first_page_by_page(
    system: System, form: DeliverySource, integration: DeliverySource
) -> None:
    ids = [add(system, form, str(number), Became(ACCEPTED, None, [number])) for number in range(5)]
    add(system, integration, "1", Became(ACCEPTED))

    with system.reading() as session:
        first = deliveries.page(session, form, None, 3)
        second = deliveries.page(session, form, first["next"], 3)

    assert [shown["id"] for shown in first["deliveries"]] == ids[:1:-1]
    assert [shown["id"] for shown in second["deliveries"]] == ids[1::-1]
    assert (first["next"], second["next"]) == (ids[2], None)
    assert set(second["deliveries"][0]) == {"id", "at", "outcome", "reason", "repeats", "leads"}


def test_deliveries_are_forgotten_after_thirty_days(system: System, form: DeliverySource) -> None:
    old, new = (
        add(system, form, "old", Became(ACCEPTED)),
        add(system, form, "new", Became(ACCEPTED)),
    )
    for delivery, age in ((old, deliveries.KEPT + MOMENT), (new, deliveries.KEPT - MOMENT)):
        with writing(system.engine) as session:
            session.execute(
                update(table).where(table.c.id == delivery).values(at=datetime.now(UTC) - age)
            )

    assert tidy.tidy(system) == []

    assert rows(system, "SELECT key FROM deliveries") == [{"key": "new"}]
