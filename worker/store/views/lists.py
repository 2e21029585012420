"""How smart lists and their records are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Session

from worker.domain.filters import Filter, FilterBody, RecordList, parse
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import DESCRIPTIONS
from worker.domain.resources import ResourceBody
from worker.store.lists import smart_lists
from worker.store.lists.smart_lists import SmartList
from worker.store.views import catalog
from worker.store.views.people import DOCUMENTED
from worker.store.views.who import Who, find_people


@dataclass(frozen=True, slots=True)
class SmartListView:
    """A saved filter with an order."""

    __pydantic_config__: ClassVar = DOCUMENTED

    id: int | None
    """Null for the list of a run's records."""
    name: str
    record_type: RecordType
    filter: FilterBody
    """In the vendor's form, no matter in which form the request had it."""
    order: str
    owner: Who | None
    """Whose it is; null for one that was made on the command line, or by a run."""
    published: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A page of records."""

    __pydantic_config__: ClassVar = DOCUMENTED

    records: list[ResourceBody]
    """In the order of the list, each with all its attributes, as /v2 shows it."""
    next: int | None
    """The next page; null at the end."""


@dataclass(frozen=True, slots=True)
class RecordCount:
    """How many records there are."""

    count: int


def show_list(session: Session, found: SmartList) -> SmartListView:
    """A list, without its records."""
    return show_lists(session, [found])[0]


def show_lists(session: Session, found: Sequence[SmartList]) -> list[SmartListView]:
    """Lists, without their records."""
    owners = find_people(session, (each.owner_id for each in found))
    return [
        SmartListView(
            each.id,
            each.name,
            each.record_type,
            each.filter,
            each.order,
            owners.get(each.owner_id),
            each.published,
            each.created_at,
            each.updated_at,
        )
        for each in found
    ]


def show_records(session: Session, found: RecordList, page: int, per_page: int) -> RecordPage:
    """A page of the records that a list holds now. Raises what `filters.condition` does."""
    matching = smart_lists.select_matching(session, found.record_type, _parse(found), found.order)
    ids = smart_lists.find_ids(session, matching, (page - 1) * per_page, per_page + 1)
    shown = catalog.find_all(session, DESCRIPTIONS[found.record_type], ids[:per_page])
    return RecordPage(shown, page + 1 if len(ids) > per_page else None)


def count_records(session: Session, found: RecordList) -> RecordCount:
    """How many records a list holds now. Raises what `filters.condition` does."""
    return RecordCount(smart_lists.count(session, found.record_type, _parse(found)))


def _parse(found: RecordList) -> Filter:
    return parse(found.record_type, found.filter)
