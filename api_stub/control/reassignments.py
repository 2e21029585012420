"""Reassignments: the records of a list go to the next members of a pool, or to a person."""

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BeforeValidator, Field, WithJsonSchema

from api_stub.control.run_views import Run
from api_stub.control.runs import FORECAST, accepted, told
from api_stub.deps import Body, Reassigner, RecordTypeName, Text, Using, control_router
from api_stub.error_responses import problems
from api_stub.idempotency import GivenKey, with_body
from worker.domain.people.permissions import Actor
from worker.domain.storable import GREATEST
from worker.errors.base import InsufficientScope
from worker.errors.lists import AmbiguousList, UnknownCustomField, UnknownList, WrongRunType
from worker.errors.people import AmbiguousUser, UnknownRecordType
from worker.errors.records import Fault, IncorrectPayload, KeyReused, UnknownRecord
from worker.errors.runs import RepeatedRecord, UnknownRun
from worker.errors.turns import EmptyPool, UnknownOwner, UnknownPool, WrongPoolType
from worker.flows.idempotency import run_once
from worker.flows.records.list_names import find_list
from worker.flows.runs import dry_runs, reassign
from worker.store.lists.smart_lists import RecordList
from worker.store.sql import engine
from worker.store.views.facts import Facts

router = control_router("/api/reassignments", "reassignments")

ListName = Annotated[
    Text,
    BeforeValidator(lambda given: str(given) if type(given) is int else given),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
]
"""An id may come as a number."""

RecordIds = Annotated[
    list[Annotated[int, Field(strict=True, ge=1, le=GREATEST)]], Field(min_length=1, fail_fast=True)
]
"""The first that is none is told, and not all of a hundred thousand."""

_REFUSALS = problems(
    InsufficientScope, IncorrectPayload, UnknownList, AmbiguousList, UnknownRun, UnknownOwner, AmbiguousUser, WrongPoolType, EmptyPool,
    UnknownRecordType, UnknownRecord, RepeatedRecord, UnknownPool, UnknownCustomField, WrongRunType, KeyReused,
)  # fmt: skip


class NewReassignment(Body):
    """Which records are to go to whom: those of a list, or those with some ids."""

    list: ListName | None = Field(
        None,
        examples=["import:5"],
        description="The list's name or id, or import:N for what run N made.",
    )
    ids: RecordIds | None = Field(
        None,
        description="In the order in which the records are to be given, each once. Instead of a list.",
    )
    type: RecordTypeName | None = Field(
        None, description="What the ids are of: lead unless said otherwise."
    )
    owner: Text = Field(
        examples=["Inbound"],
        description="Who gets the records: a pool, or a user by email or name.",
    )
    dry_run: bool = Field(False, description="Tell what would happen, and change nothing.")


@router.post(
    "",
    summary="Reassign records",
    status_code=202,
    response_model=Run,
    responses=FORECAST | _REFUSALS,
)
def reassign_records(
    system: Using,
    actor: Reassigner,
    wanted: NewReassignment,
    key: GivenKey,
    request: Request,
    response: Response,
) -> Any:
    """Each record goes to the next member, in the order of the list, as one block of turns; or all
    go to the user. Answers with the run that workers carry on; follow it at the address in
    `Location`. A dry run is answered with 200, and what would happen."""
    _check(wanted)
    if wanted.dry_run:
        with system.reading() as session:
            engine.limit_statement_time(session)
            return told(
                dry_runs.of_reassignment(session, _records(session, wanted, actor), wanted.owner)
            )

    def work(session: Any) -> Facts:
        return {
            "run": reassign.accept(
                session, _records(session, wanted, actor), wanted.owner, actor.id
            )
        }

    answer = system.transact(run_once, with_body(key, wanted.model_dump()), work)
    return accepted(system, request, response, answer["run"])


def _check(wanted: NewReassignment) -> None:
    """Raises IncorrectPayload."""
    if (wanted.list is None) is (wanted.ids is None):
        message = (
            "Name a list, or the ids of records."
            if wanted.list is None
            else "Name a list or ids, not both."
        )
        raise IncorrectPayload.of(
            "reassignment",
            [Fault("/list", "incorrect_value" if wanted.list else "missing", message)],
        )
    if wanted.list is not None and wanted.type is not None:
        raise IncorrectPayload.of(
            "reassignment",
            [Fault("/type", "incorrect_value", "A list has a type of its own. Leave this out.")],
        )


def _records(session: Any, wanted: NewReassignment, actor: Actor) -> RecordList | reassign.Ids:
    """Raises UnknownList, AmbiguousList, UnknownRun."""
    if wanted.ids is not None:
        return reassign.Ids(wanted.type or "lead", wanted.ids)
    return find_list(session, wanted.list or "", actor)
