"""People: who can be given records."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from api_stub.control.answers import Deactivated, User
from api_stub.deps import Body, Text, UserEmail, Using
from api_stub.problems import problems
from worker.errors import BadEmail, BlankName, LastAdmin, UnknownUser, UserExists
from worker.flows import people
from worker.store.views import all_users, user_facts

router = APIRouter(prefix="/api/users", tags=["users"])


class NewUser(Body):
    """A person to add."""

    name: Text = Field(examples=["Ann Lee"])
    email: Text = Field(examples=["ann@example.com"], description="By which the user is known.")
    is_admin: bool = Field(False, description="May manage pools and users.")


@router.get("", summary="List users", response_model=list[User])
def list_users(system: Using) -> Any:
    """Everyone, in the order of joining, those who were deactivated too."""
    with system.reading() as session:
        return all_users(session)


@router.post("", summary="Add a user", status_code=201, response_model=User, responses=problems(UserExists, BlankName, BadEmail))
def add_user(system: Using, new: NewUser) -> Any:
    """The email address tells people apart."""
    return system.transact(lambda session: user_facts(people.add(session, new.name, new.email, is_admin=new.is_admin)))


@router.post("/{user_id}/deactivate", summary="Deactivate a user", response_model=Deactivated, responses=problems(UnknownUser, LastAdmin))
def deactivate_user(system: Using, email: UserEmail) -> Any:
    """They leave all pools, and keep the records that they own."""
    user, left = system.transact(lambda session: people.deactivate(session, system.ring, email, None))
    return user_facts(user) | {"is_active": False, "left": left}
