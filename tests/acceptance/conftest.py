"""One running stack on each database, which one story after the other has for itself."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.stack import Running, home, up
from tests.support.faults import forget
from tests.support.servers import Databases, client_at
from tests.support.sqlite import copy_back

WORKERS = 2


@dataclass(frozen=True)
class Stack:
    """A stack that is up, and the way to empty its database."""

    running: Running
    empty: Callable[[], None]

    def make_ready(self) -> Running:
        """The stack as if it were new."""
        self.empty()
        with closing(client_at(self.running.home.settings.redis_url)) as client:
            forget(client)
        return self.running


@pytest.fixture(scope="package")
def sqlite_stack(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("a home")
    path = Path(shutil.copy(sqlite_template, folder / "evenhand.db"))
    with up(home(folder, f"sqlite:///{path}"), WORKERS) as running:
        yield Stack(running, lambda: copy_back(sqlite_template, path))


@pytest.fixture(scope="package")
def postgresql_stack(
    postgres_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("a home")
    with postgres_databases.lend() as url, up(home(folder, url), WORKERS) as running:
        yield Stack(running, lambda: postgres_databases.make_new(url))


@pytest.fixture(params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest) -> Running:
    """A running stack that holds nothing, once on each database."""
    stack: Stack = request.getfixturevalue(f"{request.param}_stack")
    return stack.make_ready()
