"""Each case runs in one tier: what the fast tier leaves out is the deep one."""

from collections import Counter

import pytest

from tests.conftest import COLLECTED
from tests.support.tiers import Tier, count, select


def test_each_case_runs_once_in_one_tier(request: pytest.FixtureRequest) -> None:
    every = request.config.stash[COLLECTED]

    chosen = [item for tier in (Tier.FAST, Tier.DEEP) for item in select(every, tier)]

    assert Counter(item.nodeid for item in chosen) == Counter({item.nodeid: 1 for item in every})


def test_the_count_tells_functions_from_cases() -> None:
    assert count(["a.py::b[x]", "a.py::b[y]", "a.py::c"]) == "2 tests in 3 cases"
