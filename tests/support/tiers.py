"""The two tiers of the tests. The fast tier is `make test`; the deep tier runs exactly the rest.

A story runs on SQLite in the fast tier and on PostgreSQL in the deep one. A story that is marked
`both`, whose point is the database, runs on either in the fast tier. Tests of whole stacks, of
several processes and of servers that fail are deep; those that are marked `fast` stand for their
kind in the fast tier. A test that is marked `deep` is deep wherever it is."""

from collections.abc import Iterable
from enum import StrEnum

import pytest

DEEP_FOLDERS = frozenset({"acceptance", "browser", "crash", "race", "topologies"})

ABOUT_THE_DATABASE = frozenset(
    {
        "intake/test_capture.py",  # leases, and the order of commits
        "lists/test_lists.py",  # collation and time zones
        "runs/test_freezing.py",  # locks
        "runs/test_imports.py",  # COPY
        "runs/test_leases.py",  # SKIP LOCKED
        "sell/test_labels.py",  # rewritten arrays, and writers side by side
        "store/test_engine.py",
        "store/test_migrations.py",
        "store/test_statements.py",
        "turns/test_assign.py",  # the fence
        "turns/test_seed.py",  # the pool's lock
        "turns/test_turn_order.py",
        "upkeep/test_sweeps.py",  # moments that are compared in SQL
    }
)
"""The files whose stories are all marked `both`, with the reason why."""


ON_EITHER = ("database_url", "running", "inbound")
"""The fixtures whose parameter is the kind of a database."""


class Tier(StrEnum):
    """What one call of pytest runs."""

    FAST = "fast"
    DEEP = "deep"
    ALL = "all"


def tier_of(item: pytest.Item) -> Tier:
    """The one tier in which a case runs."""
    marked = {marker.name for marker in item.iter_markers()}
    if "/".join(item.path.parts[-2:]) in ABOUT_THE_DATABASE:
        marked.add("both")
    is_long = "deep" in marked or (item.path.parent.name in DEEP_FOLDERS and "fast" not in marked)
    is_repeated = database_of(item) == "postgresql" and "both" not in marked
    return Tier.DEEP if is_long or is_repeated else Tier.FAST


def database_of(item: pytest.Item) -> str | None:
    """The kind of database that a case runs on, if it runs on either."""
    callspec = getattr(item, "callspec", None)
    params: dict[str, str] = callspec.params if callspec else {}
    return next((params[name] for name in ON_EITHER if name in params), None)


def select(items: Iterable[pytest.Item], tier: Tier) -> list[pytest.Item]:
    """The cases of that tier, in the same order."""
    return [item for item in items if tier in (Tier.ALL, tier_of(item))]


def count(node_ids: Iterable[str]) -> str:
    """How many functions and cases these are: "1,133 tests in 3,204 cases"."""
    cases = set(node_ids)
    functions = {node_id.partition("[")[0] for node_id in cases}
    tests, told = (
        f"{many:,} {noun}{'' if many == 1 else 's'}"
        for many, noun in ((len(functions), "test"), (len(cases), "case"))
    )
    return f"{tests} in {told}"
