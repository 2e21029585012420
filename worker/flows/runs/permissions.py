"""Who may cancel, retry and undo a run."""

from sqlalchemy.orm import Session

from worker.domain.people.permissions import Action, Actor, is_allowed
from worker.domain.runs.runs import RunKind
from worker.errors.base import InsufficientScope
from worker.errors.runs import UnknownRun
from worker.store.runs import kinds, runs
from worker.store.runs.runs import Run


def check_cancel(session: Session, run_id: int, actor: Actor) -> None:
    """A run may be cancelled by the person who began it, and by admins. Raises UnknownRun,
    InsufficientScope."""
    _find_own(session, run_id, actor)


def check_retry_or_undo(session: Session, run_id: int, actor: Actor) -> None:
    """A run may be retried and undone by the person who began it, and by admins. Where it changes
    the owners of records, the permission to reassign is needed, too. Raises UnknownRun,
    InsufficientScope."""
    run = _find_own(session, run_id, actor)
    if _changes_owners(session, run) and not is_allowed(actor, Action.REASSIGN):
        raise InsufficientScope(action=Action.REASSIGN)


def _find_own(session: Session, run_id: int, actor: Actor) -> Run:
    run = runs.find(session, run_id)
    if run is None:
        raise UnknownRun(run_id=run_id)
    if not is_allowed(actor, Action.ANOTHERS, run.actor_id):
        raise InsufficientScope(action=Action.ANOTHERS)
    return run


def _changes_owners(session: Session, run: Run) -> bool:
    """Whether a run gives records that are there already to others, or back. Imports and their
    undos don't."""
    if run.kind == RunKind.UNDO:
        run = runs.get(session, kinds.get_undo(session, run.id).undone_run_id)
    return run.kind != RunKind.IMPORT
