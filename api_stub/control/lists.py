"""Smart lists: saved filters with an order, and the records that they hold."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from api_stub.deps import Acting, Body, Id, RecordTypeName, Text, Using, make_control_router
from api_stub.error_responses import document_errors
from api_stub.sell.models import LAST_PAGE, MOST_PER_PAGE
from worker.domain.filters import FilterBody
from worker.domain.people.permissions import Actor
from worker.errors.base import InsufficientScope
from worker.errors.lists import (
    BadListName,
    ListExists,
    UnknownCustomField,
    UnknownList,
    WrongRunType,
)
from worker.errors.people import BlankName, UnknownRecordType
from worker.errors.records import IncorrectPayload
from worker.errors.runs import UnknownRun
from worker.errors.turns import UnknownOwner, UnknownPool
from worker.flows.records import lists
from worker.flows.records.list_names import find_by_id, find_list, find_visible
from worker.flows.records.lists import ListValues
from worker.flows.unit import Unit
from worker.store.views import lists as views
from worker.store.views.lists import RecordCount, RecordPage, SmartListView

router = make_control_router("/api/lists", "lists")

FilterField = Annotated[
    FilterBody,
    Field(
        examples=[{"and": [{"city": "Oslo"}, {"updated_at": {"last_days": 30}}]}],
        description="Which records: `and`, `or`, `not`, and conditions such as "
        '`{"attribute": {"name": "city"}, "parameter": {"eq": "Oslo"}}`, in short'
        ' `{"city": "Oslo"}`. Everything, if it is empty.',
    ),
]
OrderField = Annotated[
    Text,
    Field(
        examples=["last_name:asc"], description="A field, with :asc or :desc after it or without."
    ),
]
Published = Annotated[bool, Field(description="Whether everybody sees it. An admin may say so.")]
ListId = Annotated[
    str,
    Path(
        pattern="^(import:)?[1-9][0-9]{0,17}$",
        description="The list's id, or import:N for what run N made.",
    ),
]


class NewList(Body):
    """A list to save. It is yours alone unless it is published."""

    name: Text = Field(examples=["Oslo"])
    record_type: RecordTypeName = Field(description="lead, contact or deal.")
    filter: FilterField = Field({})
    order: OrderField = lists.USUAL_ORDER
    published: Published = False


class ChangedList(Body):
    """The values that change. Values that aren't named stay as they are."""

    name: Text = Field("", examples=["Oslo"])
    filter: FilterField = Field({})
    order: OrderField = ""
    published: Published = False


NAMES = UnknownOwner, UnknownPool, UnknownRun, UnknownCustomField, WrongRunType
"""The errors of a filter that names something that doesn't exist."""

_REFUSALS = document_errors(
    InsufficientScope,
    ListExists,
    BlankName,
    BadListName,
    UnknownRecordType,
    IncorrectPayload,
    *NAMES,
)
_CHANGES = document_errors(
    UnknownList, InsufficientScope, ListExists, BlankName, BadListName, IncorrectPayload, *NAMES
)
_READING = document_errors(UnknownList, *NAMES)


@router.get("", summary="List smart lists")
def list_lists(system: Using, actor: Acting) -> list[SmartListView]:
    """Your own lists and the published ones. An admin sees all. The lists of runs, import:N, aren't
    listed."""
    with system.reading() as session:
        return views.show_lists(session, find_visible(session, actor))


@router.post("", summary="Save a smart list", status_code=201, responses=_REFUSALS)
def create_list(system: Using, actor: Acting, new: NewList) -> SmartListView:
    """Its records are looked up each time it is read."""
    values = ListValues(new.name, new.filter, new.order, new.published)
    return system.transact(_create, new.record_type, values, actor)


def _create(unit: Unit, record_type: str, values: ListValues, actor: Actor) -> SmartListView:
    list_id = lists.create(unit, record_type, values, actor, actor.id)
    return views.show_list(unit, find_by_id(unit, list_id, actor))


@router.get(
    "/{list_id}",
    summary="Show a smart list",
    responses=document_errors(UnknownList, UnknownRun),
)
def show_list(system: Using, actor: Acting, list_id: ListId) -> SmartListView:
    """Its filter and its order, not its records."""
    with system.reading() as session:
        return views.show_list(session, find_list(session, list_id, actor))


@router.patch("/{list_id}", summary="Change a smart list", responses=_CHANGES)
def change_list(system: Using, actor: Acting, list_id: Id, changed: ChangedList) -> SmartListView:
    """Your own; one that is published only by an admin, who may publish it, too, and take that
    back."""
    values = ListValues(**changed.model_dump(exclude_unset=True))
    return system.transact(_change, list_id, values, actor)


def _change(unit: Unit, list_id: int, values: ListValues, actor: Actor) -> SmartListView:
    lists.change(unit, list_id, values, actor)
    return views.show_list(unit, find_by_id(unit, list_id, actor))


@router.delete(
    "/{list_id}",
    summary="Delete a smart list",
    status_code=204,
    responses=document_errors(UnknownList, InsufficientScope),
)
def delete_list(system: Using, actor: Acting, list_id: Id) -> None:
    """Its records stay."""
    system.transact(lists.remove, list_id, actor)


@router.get("/{list_id}/records", summary="List the records of a smart list", responses=_READING)
def list_records(
    system: Using,
    actor: Acting,
    list_id: ListId,
    page: Annotated[int, Query(ge=1, le=LAST_PAGE)] = 1,
    per_page: Annotated[int, Query(ge=1, le=MOST_PER_PAGE)] = 25,
) -> RecordPage:
    """A page of the records that it holds now. If its filter names something that no longer exists,
    the answer is an error, not an empty list."""
    with system.reading() as session:
        session.limit_statement_time()
        return views.show_records(session, find_list(session, list_id, actor), page, per_page)


@router.get("/{list_id}/count", summary="Count the records of a smart list", responses=_READING)
def count_records(system: Using, actor: Acting, list_id: ListId) -> RecordCount:
    """How many it holds now."""
    with system.reading() as session:
        session.limit_statement_time()
        return views.count_records(session, find_list(session, list_id, actor))
