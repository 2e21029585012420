"""Numbers by the thousand as a table that a statement joins. Each column takes one parameter,
however many rows there are."""

import json
from collections.abc import Sequence

from sqlalchemy import ARRAY, BigInteger, FromClause, Text, cast, column, func, literal, select
from sqlalchemy.orm import Session


def table(session: Session, /, **columns: Sequence[int | None]) -> FromClause:
    """A table with those columns, all of the same length."""
    if session.connection().dialect.name == "postgresql":
        arrays = [
            cast(literal(_array(numbers), Text), ARRAY(BigInteger)) for numbers in columns.values()
        ]
        named = [column(name, BigInteger) for name in columns]
        return func.unnest(*arrays).table_valued(*named).render_derived()
    rows = literal(json.dumps(list(zip(*columns.values(), strict=True))), Text)
    each = func.json_each(rows).table_valued("value")
    parts = [
        func.json_extract(each.c.value, f"$[{place}]").label(name)
        for place, name in enumerate(columns)
    ]
    # Otherwise SQLite reads the text again for every row that it joins.
    return select(*parts).cte().prefix_with("MATERIALIZED")


def _array(numbers: Sequence[int | None]) -> str:
    """As PostgreSQL writes an array. The driver takes five times as long for a list."""
    return "{" + ",".join("NULL" if number is None else str(number) for number in numbers) + "}"
