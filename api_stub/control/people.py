"""People: who can be given records, and may do what."""

from typing import Any

from pydantic import Field

from api_stub.control.views import Deactivated, User
from api_stub.deps import Acting, Admin, Body, Text, UserEmail, Using, control_router
from api_stub.error_responses import problems
from worker.errors.base import InsufficientScope
from worker.errors.people import BadEmail, BlankName, LastAdmin, UnknownUser, UserExists
from worker.flows.people import people
from worker.store.people import users
from worker.store.views.facts import all_users, user_facts

router = control_router("/api/users", "users")


class NewUser(Body):
    """A person to add."""

    name: Text = Field(examples=["Ann Lee"])
    email: Text = Field(examples=["ann@example.com"], description="By which the user is known.")
    is_admin: bool = Field(False, description="May do everything.")
    can_reassign: bool = Field(False, description="May change the owners of records.")


class ChangedUser(Body):
    """What is to be different. What isn't named stays as it is."""

    name: Text | None = Field(None, examples=["Ann Lee-Ray"])
    is_admin: bool | None = None
    can_reassign: bool | None = None


@router.get("", summary="List users", response_model=list[User])
def list_users(system: Using) -> Any:
    """Everyone, in the order of joining, those who were deactivated too."""
    with system.reading() as session:
        return all_users(session)


@router.get("/self", summary="Show yourself", response_model=User)
def show_self(system: Using, actor: Acting) -> Any:
    """Whose token it is, and what they may do."""
    with system.reading() as session:
        return user_facts(users.by_id(session, [actor.id])[actor.id])


@router.post(
    "",
    summary="Add a user",
    status_code=201,
    response_model=User,
    responses=problems(InsufficientScope, UserExists, BlankName, BadEmail),
)
def add_user(system: Using, _: Admin, new: NewUser) -> Any:
    """The email address tells people apart."""
    return system.transact(lambda session: user_facts(people.add(session, **new.model_dump())))


@router.patch(
    "/{user_id}",
    summary="Change a user",
    response_model=User,
    responses=problems(InsufficientScope, UnknownUser, BlankName, LastAdmin),
)
def change_user(system: Using, _: Admin, email: UserEmail, changed: ChangedUser) -> Any:
    """Their name, and what they may do. It goes for all their tokens at once."""
    return system.transact(
        lambda session: user_facts(people.change(session, email, **changed.model_dump()))
    )


@router.post(
    "/{user_id}/deactivate",
    summary="Deactivate a user",
    response_model=Deactivated,
    responses=problems(InsufficientScope, UnknownUser, LastAdmin),
)
def deactivate_user(system: Using, actor: Admin, email: UserEmail) -> Any:
    """They leave all pools, keep the records that they own, and come in by none of their tokens any
    more."""
    user, left = system.transact(people.deactivate, email, actor.id)
    return user_facts(user) | {"is_active": False, "left": left}
