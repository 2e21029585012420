"""What the API answers with about runs: what they do, what they did, and what they would do."""

from datetime import datetime

from pydantic import BaseModel, Field

from worker.store.views.who import Who


class RowError(BaseModel):
    """Why the row that begins at a line of the file became no record."""

    line: int
    field: str
    reason: str


RowErrors = list[RowError]


class RunSummary(BaseModel):
    """An import, a reassignment or an undo at a glance."""

    id: int
    kind: str = Field(description="import, reassign or undo.")
    state: str = Field(description="accepted, scanning, loading, done, cancelled or failed.")
    record_type: str
    owner: str = Field(
        description="The pool or the user who gets the records; of an undo, who got them from the run that it undoes."
    )
    file: str | None = Field(description="The name of the file that is imported.")
    list: str | None = Field(
        description="The list that is reassigned, as it was called then; of an import, the one of what it makes."
    )
    ids: int | None = Field(description="How many records were named by their ids, if no list was.")
    undoes: int | None = Field(description="The run that this one undoes.")
    undone_by: int | None = Field(description="The run that undoes this one.")
    returns_turns: bool | None = Field(
        description="Whether the turns of what is undone come back. Null for what is no undo."
    )
    progress: float = Field(description="From 0 to 1.")
    rows: int = Field(description="Of the file; or the records that the run is about.")
    records: int = Field(description="Made, given away or given back so far.")
    errors: int
    skipped: int = Field(
        description="Records that it has left as they were, because somebody has touched them meanwhile."
    )
    turns: int = Field(description="Reserved for this run.")
    returned: int = Field(
        description="How many turns it gave back: unused ones, or of an undo those of what it has undone."
    )
    chunks_set_aside: int = Field(
        description="Parts that were tried too often; retry the run to go on with them."
    )
    reason: str | None = Field(description="Why it failed.")
    accepted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class Run(RunSummary):
    """A run with its first row errors; an import's receipt has all."""

    first_errors: RowErrors


class Cancelled(BaseModel):
    """What a cancelled run leaves."""

    id: int
    records: int = Field(description="To which it has done what it was to do. That stays.")
    returned: int = Field(
        description="Turns that come back: unused ones, or of an undo those of what it has undone."
    )


class Skip(BaseModel):
    """A record that a run has left as it was."""

    ordinal: int = Field(description="Its place in the list, from 0.")
    record_id: int
    reason: str = Field(
        description="What has become of it meanwhile: deleted, given (it has another owner) or edited."
    )


class Skips(BaseModel):
    """A page of the records that a run has left as they were."""

    skipped: list[Skip] = Field(description="In the order of the list.")
    next: int | None = Field(
        description="The ordinal to ask after for the next page; null at the end."
    )


class ForecastShare(Who):
    """What somebody would get."""

    records: int
    stay: int = Field(description="Of those, how many they have already.")


Shares = list[ForecastShare]


class Forecast(BaseModel):
    """What a reassignment or an import would do now. It has taken no turn, and changed nothing."""

    kind: str = Field(description="reassign or import.")
    record_type: str
    owner: str = Field(description="The pool or the user who would get the records.")
    list: str | None
    file: str | None
    rows: int | None = Field(description="Of the file.")
    records: int = Field(description="How many would be given.")
    stay: int = Field(description="Of those, how many would stay with their present owner.")
    errors: int = Field(description="How many rows would become no record.")
    first_errors: RowErrors = Field(description="The first hundred.")
    members: Shares = Field(description="Of a pool, each member in order; else the user.")
    next_before: Who | None = Field(description="Who is next in the pool. Null for a user.")
    next_after: Who | None = Field(description="Who would be next afterwards.")
