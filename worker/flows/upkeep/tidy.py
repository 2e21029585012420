"""Tidying: removes files that are no longer needed from the upload storage, and old answers and
deliveries from the database."""

import logging
from datetime import timedelta

from worker.domain.runs.runs import RunState
from worker.domain.upkeep import Repair
from worker.flows.runs.imports import RECEIPT, is_part, is_upload_folder
from worker.flows.system import System
from worker.store.intake import deliveries
from worker.store.people import idempotency
from worker.store.runs import kinds
from worker.store.runs.kinds import Import
from worker.store.sql.clock import now

logger = logging.getLogger(__name__)

LATE = timedelta(minutes=15)
"""This long after a run has ended, not even a worker that seemed dead still writes a part of its
receipt."""

KEPT_FOR_RETRY = timedelta(days=7)
"""How long the upload of a run that failed is kept."""

FORGOTTEN = timedelta(days=1)
"""An upload without a run is left over after so long: somebody died between storing the two."""

AT_ONCE = 1_000


def tidy(system: System) -> list[Repair]:
    """Removes the files of imports that ended, except their receipts, and uploads that never became
    an import. It also forgets old answers and deliveries, which is no repair."""
    system.transact(idempotency.forget)
    system.transact(deliveries.forget)
    found = [*_tidy_ended(system), *_remove_forgotten(system)]
    for each in found:
        logger.info("%s: %s", each.problem, each.action)
    return found


def _tidy_ended(system: System) -> list[Repair]:
    with system.reading() as session:
        ended = [
            run
            for run in kinds.list_untidy_imports(session, now() - LATE)
            if run.state != RunState.FAILED
            or (run.ended_at is not None and now() - run.ended_at > KEPT_FOR_RETRY)
        ]
    return [found for run in ended if (found := _tidy(system, run))]


def _tidy(system: System, run: Import) -> Repair | None:
    leftovers = [
        name for name in system.uploads.list_files(run.folder) if not _is_needed(name, run)
    ]
    system.uploads.remove(leftovers)
    system.transact(kinds.note_tidied, run.id)
    return (
        Repair(f"{len(leftovers)} files of run {run.id}, which has ended", "removed them")
        if leftovers
        else None
    )


def _is_needed(name: str, run: Import) -> bool:
    """The receipt is needed. So are its parts while the run may still be cancelled, for then they
    are joined."""
    return name == f"{run.folder}/{RECEIPT}" or (run.state == RunState.FAILED and is_part(name))


def _remove_forgotten(system: System) -> list[Repair]:
    # There may be folders that are not ours.
    ours = filter(is_upload_folder, system.uploads.list_folders())
    old = [folder for folder in ours if system.uploads.is_older(folder, now() - FORGOTTEN)]
    with system.reading() as session:
        known = (
            kinds.find_known_folders(session, old[at : at + AT_ONCE])
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
