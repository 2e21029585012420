"""Books that the flows have written once, of which each test has a copy: that costs a tenth of
writing them again."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from tests.support.engines import engine_at
from tests.support.faults import Photograph, photograph, roll_back
from tests.support.servers import Databases, client_at
from tests.support.tasks import Tasks
from worker.flows.system import System
from worker.ring import Ring
from worker.store.sql.engine import open_engine
from worker.uploads import Uploads

Writer = Callable[[System, Tasks], None]


@dataclass(frozen=True)
class Book:
    """A way to have a copy of a database under some folder, and the rings that belong to it."""

    lend: Callable[[Path], AbstractContextManager[str]]
    rings: Photograph

    @contextmanager
    def copy(self, client: Redis, send: Tasks, folder: Path) -> Iterator[System]:
        """A system over a copy, and over its rings."""
        with self.lend(folder) as url:
            roll_back(client, self.rings)
            engine = engine_at(url)
            yield System(engine, Ring(client), Uploads(str(folder / "uploads")), send)
            engine.dispose()


def on_sqlite(template: Path, valkey_url: str, folder: Path, write: Writer) -> Book:
    """A book in a copy of a migrated database."""
    path = Path(shutil.copy(template, folder / "evenhand.db"))

    @contextmanager
    def lend(under: Path) -> Iterator[str]:
        yield f"sqlite:///{shutil.copy(path, under / 'evenhand.db')}"

    return Book(lend, _written(f"sqlite:///{path}", valkey_url, folder, write))


@contextmanager
def on_postgresql(
    databases: Databases, valkey_url: str, folder: Path, write: Writer
) -> Iterator[Book]:
    """The same of a server's."""
    with databases.lend() as url:
        rings = _written(url, valkey_url, folder, write)
        copies = databases.copies_of(url)
        yield Book(lambda _: copies.lend(), rings)
        copies.drop()


def _written(url: str, valkey_url: str, folder: Path, write: Writer) -> Photograph:
    send, engine = Tasks(), open_engine(url)
    with client_at(valkey_url) as client:
        client.flushall()
        write(System(engine, Ring(client), Uploads(str(folder / "uploads")), send), send)
        engine.dispose()
        return photograph(client)
