"""Pools: who shares records, in which order, and who is next."""

from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field

from api_stub.control.audit import Offline
from api_stub.deps import (
    Admin,
    Body,
    Id,
    RecordTypeName,
    Text,
    Using,
    make_control_router,
)
from api_stub.error_responses import document_errors
from worker.domain.storable import GREATEST
from worker.errors.base import InsufficientScope
from worker.errors.people import AmbiguousUser, BlankName, UnknownRecordType, UnknownUser
from worker.errors.turns import AlreadyMember, NotAMember, PoolExists, UnknownPool
from worker.flows.audit.verify import verify
from worker.flows.names import find_users_by_name
from worker.flows.system import System
from worker.flows.turns import pools
from worker.flows.unit import Unit
from worker.store.views import ledger
from worker.store.views import pools as views
from worker.store.views.ledger import LedgerPage
from worker.store.views.pools import PoolSummary, PoolView, RosterChangeView
from worker.store.views.reports import ReportView, show_report

MOST_ENTRIES = 1000

router = make_control_router("/api/pools", "pools")

Emails = Annotated[
    list[Text],
    Field(
        description="Email addresses, in the order of turns.",
        examples=[["ann@example.com", "bob@example.com"]],
    ),
]


class NewPool(Body):
    """A pool to create."""

    name: Text = Field(examples=["Inbound"])
    record_type: RecordTypeName = Field("lead", description="What it shares.")
    members: Emails = Field([])


class NewName(Body):
    """The new name of a pool."""

    name: Text = Field(examples=["Inbound EMEA"])


class NewMembers(Body):
    """The users who join."""

    members: Annotated[Emails, Field(min_length=1)]


@router.get("", summary="List pools")
def list_pools(system: Using) -> list[PoolSummary]:
    """All pools that are not deleted, each with who is next after the last entered turn. Showing
    one pool asks its ring instead."""
    with system.reading() as session:
        return views.list_pools(session)


@router.post(
    "",
    summary="Create a pool",
    status_code=201,
    responses=document_errors(
        InsufficientScope,
        PoolExists,
        UnknownUser,
        AmbiguousUser,
        AlreadyMember,
        BlankName,
        UnknownRecordType,
    ),
)
def create_pool(
    system: Using, actor: Admin, new: NewPool, request: Request, response: Response
) -> PoolView:
    """The first member given gets turn 1."""
    pool_id = system.transact(_create, new, actor.id)
    response.headers["Location"] = request.url_for("show_pool", pool_id=pool_id).path
    return _show(system, pool_id)


@router.get("/{pool_id}", summary="Show a pool", responses=document_errors(UnknownPool))
def show_pool(system: Using, pool_id: Id) -> PoolView:
    """Its members in order, who is next, the turns so far, and how many records each has got."""
    return _show(system, pool_id)


@router.patch(
    "/{pool_id}",
    summary="Rename a pool",
    responses=document_errors(InsufficientScope, UnknownPool, PoolExists, BlankName),
)
def rename_pool(system: Using, _: Admin, pool_id: Id, new: NewName) -> PoolView:
    """Members and turns stay as they are."""
    system.transact(pools.rename, pool_id, new.name)
    return _show(system, pool_id)


@router.delete(
    "/{pool_id}",
    summary="Delete a pool",
    status_code=204,
    responses=document_errors(InsufficientScope, UnknownPool),
)
def delete_pool(system: Using, _: Admin, pool_id: Id) -> None:
    """Records keep their owners, and the ledger stays."""
    system.transact(pools.delete, pool_id)


@router.post(
    "/{pool_id}/members",
    summary="Add members",
    responses=document_errors(
        InsufficientScope, UnknownPool, UnknownUser, AmbiguousUser, AlreadyMember
    ),
)
def add_members(system: Using, actor: Admin, pool_id: Id, new: NewMembers) -> PoolView:
    """They go to the end. The next member stays next."""
    system.transact(_add_members, pool_id, new.members, actor.id)
    return _show(system, pool_id)


@router.delete(
    "/{pool_id}/members/{user_id}",
    summary="Remove a member",
    responses=document_errors(InsufficientScope, UnknownPool, UnknownUser, NotAMember),
)
def remove_member(system: Using, actor: Admin, pool_id: Id, user_id: Id) -> PoolView:
    """The rest go on in order, without a hole."""
    system.transact(pools.remove_members, pool_id, [user_id], actor.id)
    return _show(system, pool_id)


@router.get(
    "/{pool_id}/verify",
    summary="Verify a pool",
    responses=document_errors(UnknownPool),
)
def verify_pool(system: Using, pool_id: Id, offline: Offline = False) -> ReportView:
    """Replays the ledger against the rosters and checks every point of the promise."""
    [report] = verify(system, pool_id, offline=offline)
    return show_report(report)


@router.get(
    "/{pool_id}/rosters",
    summary="Show a pool's rosters",
    responses=document_errors(UnknownPool),
)
def list_rosters(system: Using, pool_id: Id) -> list[RosterChangeView]:
    """Each roster, from the first to the one in force: its members, its first turn, and who made
    the change."""
    with system.reading() as session:
        return views.list_rosters(session, pool_id)


@router.get(
    "/{pool_id}/ledger",
    summary="Read a pool's ledger",
    responses=document_errors(UnknownPool),
)
def read_ledger(
    system: Using,
    pool_id: Id,
    after: Annotated[
        int, Query(ge=0, le=GREATEST, description="The turn after which to begin.")
    ] = 0,
    limit: Annotated[
        int, Query(ge=1, le=MOST_ENTRIES, description="How many turns at most.")
    ] = 100,
) -> LedgerPage:
    """Turn by turn: who got which record, and why."""
    with system.reading() as session:
        return ledger.read_page(session, pool_id, after, limit)


def _create(unit: Unit, new: NewPool, actor_id: int) -> int:
    return pools.create(
        unit, new.name, new.record_type, find_users_by_name(unit, new.members), actor_id
    )


def _add_members(unit: Unit, pool_id: int, members: list[str], actor_id: int) -> None:
    pools.find(unit, pool_id)  # an unknown pool is told before unknown members
    pools.add_members(unit, pool_id, find_users_by_name(unit, members), actor_id)


def _show(system: System, pool_id: int) -> PoolView:
    with system.reading() as session:
        return pools.show(session, pool_id)
