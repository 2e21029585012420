"""What the API answers with: the facts that `worker.store.views.facts` and the flows give, with
their types."""

from datetime import datetime

from pydantic import BaseModel, Field


class Captured(BaseModel):
    """A lead that was accepted."""

    id: int
    pool: str


class WaitingLead(BaseModel):
    """A captured lead that waits for its owner."""

    id: int
    name: str
    pool: str
    accepted_at: datetime
    attempts: int = Field(description="How often it was tried.")
    set_aside: bool = Field(
        description="Whether it was tried too often, and waits for somebody to retry it."
    )
    reason: str | None = Field(description="For what it waits, if for more than a worker.")


class Delivery(BaseModel):
    """What came in at a form or an integration, and what became of it."""

    id: int
    at: datetime
    outcome: str = Field(description="accepted, ignored, invalid or refused.")
    reason: str | None = Field(description="Why so, or what else there is to say.")
    repeats: int = Field(description="How often it came again.")
    leads: list[int] = Field(description="The ids of the leads that it made.")


class Deliveries(BaseModel):
    """A page of deliveries."""

    deliveries: list[Delivery] = Field(description="Newest first.")
    next: int | None = Field(
        description="The delivery to ask before for the next page; null at the end."
    )
