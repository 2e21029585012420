"""Access tokens. Users and their programs sign in with them."""

from typing import Annotated

from fastapi import Depends, Response
from pydantic import Field

from api_stub.deps import Acting, Body, Id, Text, Using, make_control_router
from api_stub.error_responses import document_errors
from worker.domain.people.permissions import Action, Actor, is_allowed
from worker.errors.base import InsufficientScope
from worker.errors.people import BlankName, UnknownToken, UnknownUser
from worker.flows.people import access
from worker.flows.people.access import IssuedToken
from worker.store.views.people import TokenView

router = make_control_router("/api", "tokens")


class NewToken(Body):
    """A token to issue."""

    name: Text = Field(examples=["nightly import"], description="What it is for.")


def check_own_id(actor: Acting, user_id: Id) -> int:
    """The actor's own id, or anybody's for an admin. Raises InsufficientScope."""
    if user_id != actor.id and not is_allowed(actor, Action.MANAGE):
        raise InsufficientScope(action=Action.MANAGE)
    return user_id


OwnId = Annotated[int, Depends(check_own_id)]


@router.get(
    "/users/{user_id}/tokens",
    summary="List a user's tokens",
    responses=document_errors(InsufficientScope, UnknownUser),
)
def list_tokens(system: Using, user_id: OwnId) -> list[TokenView]:
    """Your own, or as an admin anybody's: those that were revoked, too."""
    with system.reading() as session:
        return access.list_tokens(session, user_id)


@router.post(
    "/users/{user_id}/tokens",
    summary="Issue a token",
    status_code=201,
    responses=document_errors(InsufficientScope, UnknownUser, BlankName),
)
def issue_token(system: Using, user_id: OwnId, new: NewToken, response: Response) -> IssuedToken:
    """The answer is the only place where the token is ever seen. It has its user's permissions
    until it is revoked."""
    response.headers["Cache-Control"] = "no-store"
    return system.transact(access.issue, user_id, new.name)


@router.delete(
    "/tokens/{token_id}",
    summary="Revoke a token",
    status_code=204,
    responses=document_errors(UnknownToken),
)
def revoke_token(system: Using, actor: Acting, token_id: Id) -> None:
    """Your own, or as an admin anybody's. It is refused from now on, and stays revoked."""
    system.transact(access.revoke, token_id, _limit_to(actor))


def _limit_to(actor: Actor) -> int | None:
    """Whose tokens the actor may revoke; None for anybody's."""
    return None if is_allowed(actor, Action.MANAGE) else actor.id
