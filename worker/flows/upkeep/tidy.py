"""Tidying: files that nobody needs any more leave the upload storage, and answers and deliveries
that have grown old the database."""

import logging
from datetime import timedelta

from worker.domain.runs.runs import RunState
from worker.flows.runs.imports import RECEIPT, is_part, is_upload_folder
from worker.flows.system import System
from worker.flows.upkeep.sweeps import Repair
from worker.store.intake import deliveries
from worker.store.people import idempotency
from worker.store.runs import kinds
from worker.store.runs.kinds import Import
from worker.store.sql.clock import now

logger = logging.getLogger(__name__)

LATE = timedelta(minutes=15)
"""So long after a run has ended, no worker that was thought dead writes a part of its receipt any
more."""

KEPT_FOR_RETRY = timedelta(days=7)
"""How long the upload of a run that failed is kept."""

FORGOTTEN = timedelta(days=1)
"""After so long an upload without a run was left by somebody who died between the two."""

AT_ONCE = 1_000


def tidy(system: System) -> list[Repair]:
    """Removes what is left of imports that ended, but for their receipts; and uploads that never
    became an import. That answers and deliveries grow old is as it should be, and worth no word."""
    system.transact(idempotency.forget)
    system.transact(deliveries.forget)
    found = [*_ended(system), *_forgotten(system)]
    for what, did in found:
        logger.info("%s: %s", what, did)
    return found


def _ended(system: System) -> list[Repair]:
    with system.reading() as session:
        ended = [
            run
            for run in kinds.untidy_imports(session, now() - LATE)
            if run.state != RunState.FAILED
            or (run.ended_at is not None and now() - run.ended_at > KEPT_FOR_RETRY)
        ]
    return [found for run in ended if (found := _tidy(system, run))]


def _tidy(system: System, run: Import) -> Repair | None:
    leftovers = [name for name in system.uploads.names(run.folder) if not _is_needed(name, run)]
    system.uploads.remove(leftovers)
    system.transact(kinds.note_tidied, run.id)
    return (
        Repair(f"{len(leftovers)} files of run {run.id}, which has ended", "removed them")
        if leftovers
        else None
    )


def _is_needed(name: str, run: Import) -> bool:
    """The receipt is; and its parts as long as the run may be cancelled, when they are put
    together."""
    return name == f"{run.folder}/{RECEIPT}" or (run.state == RunState.FAILED and is_part(name))


def _forgotten(system: System) -> list[Repair]:
    ours = filter(
        is_upload_folder, system.uploads.folders()
    )  # others may lie there, which are none of our business
    old = [folder for folder in ours if system.uploads.older_than(folder, now() - FORGOTTEN)]
    with system.reading() as session:
        known = (
            kinds.known_folders(session, old[at : at + AT_ONCE])
            for at in range(0, len(old), AT_ONCE)
        )
        forgotten = set(old).difference(*known)
    for folder in forgotten:
        system.uploads.remove_folder(folder)
    return (
        [Repair(f"{len(forgotten)} uploads that never became an import", "removed them")]
        if forgotten
        else []
    )
