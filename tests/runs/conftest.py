"""Runs of a few rows, each of several chunks."""

import pytest


@pytest.fixture(autouse=True)
def _small_chunks(small_chunks: int) -> None:
    """A run of 28 rows has two chunks of ten and one of eight."""
