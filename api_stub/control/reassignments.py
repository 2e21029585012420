"""Reassignments: the records of a list go to the next members of a pool, or to a person."""

from functools import partial
from typing import Annotated

from fastapi import Request, Response
from pydantic import BeforeValidator, Field, WithJsonSchema

from api_stub.control.runs import DRY_RUN, show_accepted, show_dry_run
from api_stub.deps import Body, Reassigner, RecordTypeName, Text, Using, make_control_router
from api_stub.error_responses import document_errors
from api_stub.idempotency import GivenKey, add_body
from worker.domain.filters import RecordList
from worker.domain.people.permissions import Actor
from worker.domain.runs.record_ids import RecordIds
from worker.domain.storable import GREATEST
from worker.errors.base import InsufficientScope
from worker.errors.lists import AmbiguousList, UnknownCustomField, UnknownList, WrongRunType
from worker.errors.people import AmbiguousUser, UnknownRecordType
from worker.errors.records import Fault, IncorrectPayload, KeyReused, UnknownRecord
from worker.errors.runs import RepeatedRecord, UnknownRun
from worker.errors.turns import EmptyPool, UnknownOwner, UnknownPool, WrongPoolType
from worker.flows.idempotency import run_once
from worker.flows.names import find_owner_by_name
from worker.flows.records.list_names import find_list
from worker.flows.runs import dry_runs, reassign
from worker.flows.unit import Unit
from worker.store.views.runs import RunView

router = make_control_router("/api/reassignments", "reassignments")

ListReference = Annotated[
    Text,
    BeforeValidator(lambda given: str(given) if type(given) is int else given),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
]
"""An id may come as a number."""

ListedIds = Annotated[
    list[Annotated[int, Field(strict=True, ge=1, le=GREATEST)]], Field(min_length=1, fail_fast=True)
]
"""Validation stops at the first id that is none: there may be a hundred thousand."""

_REFUSALS = document_errors(
    InsufficientScope,
    IncorrectPayload,
    UnknownList,
    AmbiguousList,
    UnknownRun,
    UnknownOwner,
    AmbiguousUser,
    WrongPoolType,
    EmptyPool,
    UnknownRecordType,
    UnknownRecord,
    RepeatedRecord,
    UnknownPool,
    UnknownCustomField,
    WrongRunType,
    KeyReused,
)


class NewReassignment(Body):
    """Which records are to go to whom: those of a list, or those with some ids."""

    list: ListReference | None = Field(
        None,
        examples=["import:5"],
        description="The list's name or id, or import:N for what run N made.",
    )
    ids: ListedIds | None = Field(
        None,
        description="In the order in which the records are to be given, each once."
        " Instead of a list.",
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
    response_model=RunView,
    responses=DRY_RUN | _REFUSALS,
)
def reassign_records(
    system: Using,
    actor: Reassigner,
    wanted: NewReassignment,
    key: GivenKey,
    request: Request,
    response: Response,
) -> RunView | Response:
    """Each record goes to the next member, in the order of the list, as one block of turns; or all
    go to the user. Answers with the run that workers carry on; follow it at the address in
    `Location`. The answer to a dry run has status 200, and tells what would happen."""
    _check(wanted)
    if wanted.dry_run:
        with system.reading() as unit:
            unit.limit_statement_time()
            records, owner_id = _find_records(unit, wanted, actor), _find_owner(unit, wanted)
            return show_dry_run(dry_runs.preview_reassignment(unit, records, owner_id))
    accept = partial(_accept, wanted=wanted, actor=actor)
    answer = system.transact(run_once, add_body(key, wanted.model_dump()), accept)
    return show_accepted(system, request, response, answer["run"])


def _accept(unit: Unit, wanted: NewReassignment, actor: Actor) -> dict[str, int]:
    records, owner_id = _find_records(unit, wanted, actor), _find_owner(unit, wanted)
    return {"run": reassign.accept(unit, records, owner_id, actor.id)}


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


def _find_records(unit: Unit, wanted: NewReassignment, actor: Actor) -> RecordList | RecordIds:
    """Raises UnknownList, AmbiguousList, UnknownRun."""
    if wanted.ids is not None:
        return RecordIds(wanted.type or "lead", wanted.ids)
    return find_list(unit, wanted.list or "", actor)


def _find_owner(unit: Unit, wanted: NewReassignment) -> int:
    """Raises UnknownOwner, AmbiguousUser."""
    return find_owner_by_name(unit, wanted.owner).id
