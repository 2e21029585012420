"""In which order resources come, the same on either database."""

from typing import Any

from sqlalchemy import ColumnElement

from worker.domain.resources import Resource
from worker.store.records.attributes import PLACES


def order_by(
    resource: Resource, order: str, *, unknown_last: bool = False
) -> tuple[ColumnElement[Any], ...]:
    """What to sort by for NAME:asc or NAME:desc; of those that sort alike, the older ones come
    first. What isn't known comes after all that is, so that it is first where the order is
    descending, unless it is to be last always."""
    name, _, direction = order.partition(":")
    by, number = PLACES[resource.path].expression(name), PLACES[resource.path].table.c.id
    descends = direction == "desc"
    if name == "id":
        return (by.desc() if descends else by.asc(),)
    sorted_by = by.desc() if descends else by.asc()
    if getattr(by, "nullable", True):
        sorted_by = (
            sorted_by.nulls_first() if descends and not unknown_last else sorted_by.nulls_last()
        )
    return sorted_by, number.asc()
