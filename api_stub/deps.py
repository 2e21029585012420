"""What endpoints are given: the system, and ids as the names by which the flows know things."""

from typing import Annotated

from fastapi import Depends, Path
from pydantic import BaseModel, ConfigDict, StringConstraints, WithJsonSchema

from worker.domain.fields import RECORD_TYPES
from worker.errors import UnknownPool, UnknownUser
from worker.flows.system import System, system
from worker.store import pools, users

GREATEST_ID = 2**63 - 1

Using = Annotated[System, Depends(system)]
Id = Annotated[int, Path(ge=1, le=GREATEST_ID)]
Text = Annotated[str, StringConstraints(max_length=1000, pattern="^[^\\x00]*$")]
"""Any text that a database stores."""

RecordType = Annotated[Text, WithJsonSchema({"type": "string", "enum": list(RECORD_TYPES)})]


class Body(BaseModel):
    """A request's JSON. A field that is not known is refused: it is one misspelt."""

    model_config = ConfigDict(extra="forbid")


def pool_name(system: Using, pool_id: Id) -> str:
    """The name of the pool with that id. Raises UnknownPool."""
    with system.reading() as session:
        pool = pools.with_id(session, pool_id)
    if pool is None:
        raise UnknownPool(name=pool_id)
    return str(pool.name)


def user_email(system: Using, user_id: Id) -> str:
    """The email address of the active user with that id. Raises UnknownUser."""
    with system.reading() as session:
        user = users.with_id(session, user_id)
    if user is None or user.is_pool or not user.is_active:
        raise UnknownUser(name=user_id)
    return str(user.email)


PoolName = Annotated[str, Depends(pool_name)]
UserEmail = Annotated[str, Depends(user_email)]
