"""Each case runs in one tier: what the fast tier leaves out is the deep one."""

from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import COLLECTED
from tests.support.tiers import ABOUT_THE_DATABASE, Tier, count, select

TESTS = Path(__file__).parents[1]


def test_each_case_runs_once_in_one_tier(request: pytest.FixtureRequest) -> None:
    every = request.config.stash[COLLECTED]

    chosen = [item for tier in (Tier.FAST, Tier.DEEP) for item in select(every, tier)]

    assert Counter(item.nodeid for item in chosen) == Counter({item.nodeid: 1 for item in every})


def test_the_files_about_the_database_are_there() -> None:
    assert [name for name in ABOUT_THE_DATABASE if not (TESTS / name).is_file()] == []


def test_the_count_tells_functions_from_cases() -> None:
    assert count(["a.py::b[x]", "a.py::b[y]", "a.py::c"]) == "2 tests in 3 cases"
