"""People: the users who can own records, and their permissions."""

from pydantic import Field

from api_stub.deps import Acting, Admin, Body, Id, Text, Using, make_control_router
from api_stub.error_responses import document_errors
from worker.errors.base import InsufficientScope
from worker.errors.people import BadEmail, BlankName, LastAdmin, UnknownUser, UserExists
from worker.flows.people import people
from worker.store.views.people import (
    DeactivatedUserView,
    UserView,
    find_user,
    show_deactivated,
    show_user,
    show_users,
)

router = make_control_router("/api/users", "users")


class NewUser(Body):
    """A person to add."""

    name: Text = Field(examples=["Ann Lee"])
    email: Text = Field(examples=["ann@example.com"], description="By which the user is known.")
    is_admin: bool = Field(False, description="May do everything.")
    can_reassign: bool = Field(False, description="May change the owners of records.")


class ChangedUser(Body):
    """The values that change. Values that aren't named stay as they are."""

    name: Text | None = Field(None, examples=["Ann Lee-Ray"])
    is_admin: bool | None = None
    can_reassign: bool | None = None


@router.get("", summary="List users")
def list_users(system: Using) -> list[UserView]:
    """All users in the order of joining. Deactivated users are listed, too."""
    with system.reading() as session:
        return show_users(session)


@router.get("/self", summary="Show yourself")
def show_self(system: Using, actor: Acting) -> UserView:
    """The user of the token, and their permissions."""
    with system.reading() as session:
        return find_user(session, actor.id)


@router.post(
    "",
    summary="Add a user",
    status_code=201,
    responses=document_errors(InsufficientScope, UserExists, BlankName, BadEmail),
)
def add_user(system: Using, _: Admin, new: NewUser) -> UserView:
    """The email address tells people apart."""
    permissions = {"is_admin": new.is_admin, "can_reassign": new.can_reassign}
    return show_user(system.transact(people.add, new.name, new.email, **permissions))


@router.patch(
    "/{user_id}",
    summary="Change a user",
    responses=document_errors(InsufficientScope, UnknownUser, BlankName, LastAdmin),
)
def change_user(system: Using, _: Admin, user_id: Id, changed: ChangedUser) -> UserView:
    """The user's name and permissions. It goes for all their tokens at once."""
    return show_user(
        system.transact(
            people.change,
            user_id,
            name=changed.name,
            is_admin=changed.is_admin,
            can_reassign=changed.can_reassign,
        )
    )


@router.post(
    "/{user_id}/deactivate",
    summary="Deactivate a user",
    responses=document_errors(InsufficientScope, UnknownUser, LastAdmin),
)
def deactivate_user(system: Using, actor: Admin, user_id: Id) -> DeactivatedUserView:
    """They leave all pools, keep the records that they own, and come in by none of their tokens any
    more."""
    return show_deactivated(*system.transact(people.deactivate, user_id, actor.id))
