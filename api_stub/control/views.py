"""What the API answers with: the facts that `worker.store.views.facts` and the flows give, with
their types."""

from datetime import datetime

from pydantic import BaseModel, Field


class User(BaseModel):
    """A person who can be given records."""

    id: int
    name: str
    email: str
    is_admin: bool = Field(description="May do everything.")
    can_reassign: bool = Field(description="May change the owners of records.")
    is_active: bool
    created_at: datetime


class Token(BaseModel):
    """An access token, without what it is: only who was given it knows that."""

    id: int
    name: str = Field(description="What it is for.")
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None


class NewlyIssued(BaseModel):
    """A new token, shown this once."""

    id: int
    token: str = Field(
        description="What goes into the header `Authorization`, behind `Bearer `.",
        min_length=64,
        max_length=64,
    )


class Deactivated(User):
    """A person who was just deactivated."""

    left: list[str] = Field(description="The names of the pools they left.")
