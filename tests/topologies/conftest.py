"""A system whose rings lie at the address that a module's `url` fixture gives. PostgreSQL lets
several transactions go on at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.tasks import Tasks
from worker.flows.system import System
from worker.ring import Ring
from worker.ring.client import connect
from worker.uploads import Uploads


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    return postgresql_url


@pytest.fixture
def system(engine: Engine, url: str, send: Tasks, tmp_path: Path) -> Iterator[System]:
    ring = Ring(connect(url))
    yield System(engine, ring, Uploads(str(tmp_path / "uploads")), send)
    ring.close()
