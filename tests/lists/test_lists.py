"""Smart lists: whose they are, what a name means, and what is looked up when they are read."""

from typing import Any

import pytest

from tests.support.factories import deactivate, imported, lead, person, pool, sheet
from tests.support.tasks import Tasks
from worker.domain.filters import Condition, Operator, as_json
from worker.domain.people.permissions import Actor
from worker.domain.records.record_type import RecordType
from worker.errors.base import InsufficientScope
from worker.errors.lists import AmbiguousList, ListExists, UnknownCustomField, UnknownList
from worker.errors.runs import UnknownRun
from worker.errors.turns import UnknownOwner
from worker.flows.records import lists
from worker.flows.records.list_names import find_list
from worker.flows.records.lists import ListValues
from worker.flows.system import System
from worker.store.lists.smart_lists import SmartList
from worker.store.records import labels, records
from worker.store.records.labels import LabelKey
from worker.store.views.lists import count_records, show_records


def saved(system: System, actor: Actor | None, name: str = "Oslo", **values: Any) -> int:
    """The id of a new list, which is nobody's if nobody saves it."""
    owner_id = None if actor is None else actor.id
    return system.transact(lists.create, "lead", ListValues(name, **values), actor, owner_id)


def named(system: System, name: str | int, actor: Actor | None = None) -> SmartList:
    with system.reading() as session:
        return find_list(session, str(name), actor)


def count(system: System, found: SmartList) -> int:
    with system.reading() as session:
        return count_records(session, found).count


@pytest.fixture
def ann(system: System) -> Actor:
    return Actor(person(system, "ann@example.com"))


@pytest.fixture
def bob(system: System) -> Actor:
    return Actor(person(system, "bob@example.com"))


@pytest.fixture
def admin(system: System) -> Actor:
    return Actor(person(system, "root@example.com", is_admin=True), is_admin=True)


def test_a_name_means_ones_own_list_before_a_published_one(
    system: System, ann: Actor, bob: Actor, admin: Actor
) -> None:
    published, own = (
        saved(system, admin, published=True),
        saved(system, ann, filter={"city": "Oslo"}, order="id:desc"),
    )

    mine, theirs = named(system, " oslo ", ann), named(system, "Oslo", bob)
    assert (mine.id, mine.name, mine.record_type, mine.order) == (own, "Oslo", "lead", "id:desc")
    assert mine.filter == as_json(Condition("city", Operator.EQ, "Oslo"))
    assert (theirs.id, theirs.name, theirs.record_type, theirs.filter, theirs.order) == (
        published,
        "Oslo",
        "lead",
        {},
        "id:asc",
    )
    assert named(system, "Oslo", admin).id == named(system, "Oslo").id == published
    assert named(system, str(own), ann) == named(system, own, admin) == named(system, own)
    with pytest.raises(UnknownList):
        named(system, own, bob)


def test_a_name_that_several_have_is_told_apart_by_the_id(
    system: System, ann: Actor, bob: Actor, admin: Actor
) -> None:
    first, second = saved(system, ann), saved(system, bob)

    for actor in (admin, None):
        with pytest.raises(AmbiguousList):
            named(system, "Oslo", actor)
        assert {named(system, number, actor).id for number in (first, second)} == {first, second}
    assert named(system, "Oslo", bob).id == second


def test_nobodys_list_that_is_not_published_is_there_once(
    system: System, admin: Actor, ann: Actor
) -> None:
    number = saved(system, None, published=True)
    system.transact(lists.change, number, ListValues(published=False), admin)

    with pytest.raises(ListExists):
        saved(system, None)
    with pytest.raises(UnknownList):
        named(system, "Oslo", ann)
    assert named(system, "Oslo", admin).id == number


def test_who_has_a_list_loses_hold_of_it_while_it_is_published(
    system: System, ann: Actor, admin: Actor
) -> None:
    number = saved(system, ann)
    with pytest.raises(InsufficientScope):
        system.transact(lists.change, number, ListValues(published=True), ann)
    system.transact(lists.change, number, ListValues(published=True), admin)

    for change in (
        lambda session: lists.change(session, number, ListValues("x"), ann),
        lambda session: lists.remove(session, number, ann),
    ):
        with pytest.raises(InsufficientScope):
            system.transact(change)
    system.transact(lists.change, number, ListValues(published=False), None)
    system.transact(lists.remove, number, ann)
    with pytest.raises(UnknownList):
        named(system, number, admin)


def test_every_import_is_a_list_of_what_it_made(system: System, send: Tasks, ann: Actor) -> None:
    pool(system)
    lead(system)
    run_id = imported(system, send, sheet(50, bad=(3, 7)))
    second = imported(system, send, sheet(5, record_type="contact"), "a@example.com", "contact")

    found = named(system, f"import:{run_id}", ann)

    assert (found.id, found.name, found.record_type, found.order) == (
        None,
        f"import:{run_id}",
        "lead",
        "id:asc",
    )
    assert count(system, found) == 48
    with system.reading() as session:
        rows = show_records(session, found, 1, 100).records
    assert [row["last_name"] for row in rows] == [
        f"L{number}" for number in range(50) if number not in (3, 7)
    ]
    contacts = named(system, f"import:{second}")
    assert (contacts.record_type, count(system, contacts)) == ("contact", 5)


@pytest.mark.parametrize(
    "name",
    [
        "import:",
        "import:0",
        "import:99",
        "import:x",
        "import:-1",
        "import:" + "9" * 30,
        "import:\u0661",
    ],
)
def test_an_import_that_is_not_there_is_no_list(system: System, name: str) -> None:
    with pytest.raises(UnknownRun):
        named(system, name)


def test_what_a_filter_names_is_looked_up_each_time(system: System, ann: Actor) -> None:
    lead(system, "ann@example.com")
    lead(system, "gone@example.com")
    number = saved(system, ann, filter={"owner": {"any": ["gone@example.com"]}})
    deactivate(system, "gone@example.com")

    # The records of a person who left are just what an admin wants to give to others.
    assert count(system, named(system, number)) == 1


def test_a_field_that_no_record_bears_is_an_error_when_saved_and_when_read(
    system: System, ann: Actor
) -> None:
    record_id = lead(system)
    with pytest.raises(UnknownCustomField):
        saved(system, ann, filter={"custom_fields.Region": "EU"})

    def bear(session: Any) -> None:
        records.change(session, RecordType.LEAD, record_id, {"custom_fields": {"Region": "EU"}})
        labels.register(session, RecordType.LEAD, {labels.CUSTOM_FIELD: ["Region"]})

    system.transact(bear)
    number = saved(system, ann, filter={"custom_fields.Region": "EU"})
    assert count(system, named(system, number)) == 1

    def forget(session: Any) -> None:
        label = labels.find(session, LabelKey(labels.CUSTOM_FIELD, RecordType.LEAD, "Region"))
        assert label is not None
        labels.remove(session, label)

    system.transact(forget)
    with pytest.raises(UnknownCustomField):
        count(system, named(system, number))


def test_a_filter_that_is_changed_is_checked_as_a_new_one(system: System, ann: Actor) -> None:
    number = saved(system, ann)

    with pytest.raises(UnknownOwner):
        system.transact(
            lists.change, number, ListValues(filter={"owner": "nobody@example.com"}), ann
        )
    assert named(system, number).filter == {}
