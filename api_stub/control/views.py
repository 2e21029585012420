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


class Share(BaseModel):
    """A member and how many records the pool has given them."""

    id: int
    name: str
    email: str
    records: int


class PoolSummary(BaseModel):
    """A pool at a glance."""

    id: int = Field(
        description="Also the id of the pool's phantom user, which serves as an owner's id."
    )
    name: str
    record_type: str = Field(description="What it shares: lead, contact or deal.")
    size: int = Field(description="How many members it has.")
    next: str | None = Field(
        description="The name of the member who is next; null without members."
    )
    turns: int = Field(description="How many turns were handed out so far.")
    roster_version: int


class Pool(PoolSummary):
    """A pool with its members."""

    members: list[Share] = Field(description="In the order of joining.")
    left: list[Share] = Field(description="Who was given records and is no member any more.")


class Retried(BaseModel):
    """What is tried again."""

    retried: int = Field(description="How many leads, or tasks of a run.")


class Who(BaseModel):
    """A user, or a pool's phantom user, which has no email address."""

    id: int
    name: str
    email: str | None


class RosterInForce(BaseModel):
    """The members in order, from a turn on."""

    version: int
    first_turn: int
    since: datetime
    members: list[Who]


class RosterChange(RosterInForce):
    """A roster, and who has made it."""

    actor: Who | None = Field(description="Null for whoever did it on the command line.")


class Entry(BaseModel):
    """A turn in the ledger, and whom it gave what."""

    turn: int
    record_type: str
    record_id: int | None = Field(
        description="Null for a turn that is void, since its member had left."
    )
    user: Who = Field(description="The rightful member.")
    previous_owner: Who | None
    cause: str
    claim: str = Field(description="The name under which the request took its turns.")
    undone_by: int | None = Field(
        description="The run that has taken it back. Its turn is spent, unless that run is to return it."
    )
    actor: Who | None
    at: datetime


class Entries(BaseModel):
    """A page of a ledger."""

    entries: list[Entry] = Field(description="In the order of turns.")
    next: int | None = Field(
        description="The turn to ask after for the next page; null at the end."
    )


class Waits(BaseModel):
    """Since when a captured lead waits for its owner."""

    since: datetime
    reason: str | None = Field(description="For what, if for more than a worker.")


class UndoneTurn(BaseModel):
    """A turn that a record had, and that was undone."""

    turn: int
    pool: str
    user: Who = Field(description="Whom the turn gave the record.")
    previous_owner: Who | None = Field(
        description="Who had it before; null if it came in by this turn."
    )
    claim: str
    cause: str
    at: datetime
    taken_back_at: datetime
    by: str = Field(
        description="The kind and the number of the run that has undone it.", examples=["undo:8"]
    )


class Why(BaseModel):
    """Why a record has its owner. All but the first fields are null when no turn was taken: a
    captured lead waits for one, or a person chose the owner."""

    record_type: str
    record_id: int
    name: str
    owner: Who
    created_at: datetime
    undone: list[UndoneTurn] = Field(
        description="The turns that it had and that were undone, newest first."
    )
    given_back_by: int | None = Field(
        description="The run whose undo has left it as it is: with its owner of before, or deleted."
    )
    waits: Waits | None = None
    turn: int | None = None
    pool: str | None = None
    roster: RosterInForce | None = Field(None, description="The roster in force at the turn.")
    before: Who | None = Field(None, description="Whose turn the one before was.")
    next: Who | None = Field(None, description="Who was next after it.")
    claim: str | None = Field(None, description="The name under which the request took its turns.")
    ordinal: int | None = Field(None, description="The record's place within the claim, from 0.")
    cause: str | None = None
    actor: Who | None = None
    previous_owner: Who | None = None
    at: datetime | None = None


class Violation(BaseModel):
    """A point of the promise that doesn't hold, and the turn at which it doesn't."""

    point: str
    turn: int | None = Field(description="Null for what is about no turn.")
    what: str


class Report(BaseModel):
    """What was checked of one pool, and what was found."""

    pool: str
    deleted: bool = Field(
        description="Whether the pool is deleted. Then its ledger is checked, which stays."
    )
    holds: bool = Field(description="Whether every point of the promise does.")
    turns: int = Field(description="The last turn that was handed out.")
    entered: int
    voided: int = Field(description="Of the entered ones, those of members who had left.")
    undone: int = Field(
        description="Of the entered ones, those that an undo has taken back, and whose turns stay spent."
    )
    open: int = Field(description="Turns in open blocks that aren't entered yet.")
    returned: int = Field(description="Turns that wait in the ring to be handed out again.")
    gaps: int = Field(
        description="Turns that are nowhere, where no ring was compared: the next seeding returns them."
    )
    owed: int = Field(description="Turns that were taken for captured leads in line.")
    records: int = Field(description="Records that agree with their entry.")
    waiting: int = Field(description="Captured leads that wait for their owner.")
    blocks: int
    rosters: int
    ring: str = Field(description="agrees, disagrees, not seeded, or not asked.")
    violated: dict[str, int] = Field(description="How many violations there are, by point.")
    violations: list[Violation] = Field(description="The first hundred of each point.")
