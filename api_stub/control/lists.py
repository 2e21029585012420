"""Smart lists: saved filters with an order, and the records that they hold."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, Field

from api_stub.deps import Acting, Body, Id, RecordType, Text, Using, control_router
from api_stub.error_responses import problems
from api_stub.sell.models import LAST_PAGE, MOST_PER_PAGE
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
from worker.store.sql import engine
from worker.store.views.who import Who

router = control_router("/api/lists", "lists")

Filter = Annotated[
    dict[str, Any],
    Field(
        examples=[{"and": [{"city": "Oslo"}, {"updated_at": {"last_days": 30}}]}],
        description="Which records: `and`, `or`, `not`, and conditions such as "
        '`{"attribute": {"name": "city"}, "parameter": {"eq": "Oslo"}}`, in short `{"city": "Oslo"}`. Everything, if it is empty.',
    ),
]
Order = Annotated[
    Text,
    Field(
        examples=["last_name:asc"], description="A field, with :asc or :desc after it or without."
    ),
]
Published = Annotated[bool, Field(description="Whether everybody sees it. An admin may say so.")]
Key = Annotated[
    str,
    Path(
        pattern="^(import:)?[1-9][0-9]{0,17}$",
        description="The list's id, or import:N for what run N made.",
    ),
]


class NewList(Body):
    """A list to save. It is yours alone unless it is published."""

    name: Text = Field(examples=["Oslo"])
    record_type: RecordType = Field(description="lead, contact or deal.")
    filter: Filter = Field({})
    order: Order = lists.USUAL_ORDER
    published: Published = False


class ChangedList(Body):
    """What is to be different. What isn't named stays as it is."""

    name: Text = Field("", examples=["Oslo"])
    filter: Filter = Field({})
    order: Order = ""
    published: Published = False


class SmartList(BaseModel):
    """A saved filter with an order."""

    id: int | None = Field(description="Null for what a run made.")
    name: str
    record_type: str
    filter: dict[str, Any] = Field(
        description="In the vendor's form, whatever the form in which it was given."
    )
    order: str
    owner: Who | None = Field(
        description="Whose it is; null for one that was made on the command line, or by a run."
    )
    published: bool
    created_at: datetime
    updated_at: datetime


class Records(BaseModel):
    """A page of records."""

    records: list[dict[str, Any]] = Field(
        description="In the order of the list, each with all its attributes, as /v2 shows it."
    )
    next: int | None = Field(description="The next page; null at the end.")


class Count(BaseModel):
    """How many there are."""

    count: int


NAMES = UnknownOwner, UnknownPool, UnknownRun, UnknownCustomField, WrongRunType
"""What is wrong where a filter names something that isn't there."""

_REFUSALS = problems(
    InsufficientScope,
    ListExists,
    BlankName,
    BadListName,
    UnknownRecordType,
    IncorrectPayload,
    *NAMES,
)
_CHANGES = problems(
    UnknownList, InsufficientScope, ListExists, BlankName, BadListName, IncorrectPayload, *NAMES
)
_READING = problems(UnknownList, *NAMES)


@router.get("", summary="List smart lists", response_model=list[SmartList])
def list_lists(system: Using, actor: Acting) -> Any:
    """Yours and those that are published; an admin sees all. Those of runs aren't listed: they are
    import:N."""
    with system.reading() as session:
        return lists.listed(session, actor)


@router.post(
    "", summary="Save a smart list", status_code=201, response_model=SmartList, responses=_REFUSALS
)
def create_list(system: Using, actor: Acting, new: NewList) -> Any:
    """What it holds is looked up whenever it is read."""

    def create(session: Any) -> Any:
        return lists.shown(session, lists.create(session, new.model_dump(), actor, actor.id), actor)

    return system.transact(create)


@router.get(
    "/{list_id}",
    summary="Show a smart list",
    response_model=SmartList,
    responses=problems(UnknownList, UnknownRun),
)
def show_list(system: Using, actor: Acting, list_id: Key) -> Any:
    """Its filter and its order, not its records."""
    with system.reading() as session:
        return lists.shown(session, list_id, actor)


@router.patch(
    "/{list_id}", summary="Change a smart list", response_model=SmartList, responses=_CHANGES
)
def change_list(system: Using, actor: Acting, list_id: Id, changed: ChangedList) -> Any:
    """Your own; one that is published only by an admin, who may publish it, too, and take that
    back."""

    def change(session: Any) -> Any:
        lists.change(session, list_id, changed.model_dump(exclude_unset=True), actor)
        return lists.shown(session, list_id, actor)

    return system.transact(change)


@router.delete(
    "/{list_id}",
    summary="Delete a smart list",
    status_code=204,
    responses=problems(UnknownList, InsufficientScope),
)
def delete_list(system: Using, actor: Acting, list_id: Id) -> None:
    """Its records stay."""
    system.transact(lists.remove, list_id, actor)


@router.get(
    "/{list_id}/records",
    summary="List the records of a smart list",
    response_model=Records,
    responses=_READING,
)
def list_records(
    system: Using,
    actor: Acting,
    list_id: Key,
    page: Annotated[int, Query(ge=1, le=LAST_PAGE)] = 1,
    per_page: Annotated[int, Query(ge=1, le=MOST_PER_PAGE)] = 25,
) -> Any:
    """A page of what it holds now. What its filter names must be there still: else that is an
    error, and no empty list."""
    with system.reading() as session:
        engine.limit_statement_time(session)
        return lists.records(session, lists.named(session, list_id, actor), page, per_page)


@router.get(
    "/{list_id}/count",
    summary="Count the records of a smart list",
    response_model=Count,
    responses=_READING,
)
def count_records(system: Using, actor: Acting, list_id: Key) -> Any:
    """How many it holds now."""
    with system.reading() as session:
        engine.limit_statement_time(session)
        return {"count": lists.count(session, lists.named(session, list_id, actor))}
