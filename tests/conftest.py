"""What all tests stand on: two databases, a Valkey, and a system over them. Servers live as long as
the test session."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from redis import Redis
from sqlalchemy import Engine

from tests.support import servers
from tests.support.engines import engine_at
from tests.support.tasks import Tasks
from tests.support.tiers import Tier, count, select
from worker.domain.runs import chunks
from worker.flows.system import System
from worker.ring import Ring
from worker.store.sql.engine import open_engine
from worker.store.sql.migrate import migrate
from worker.uploads import Uploads

hypothesis_settings.register_profile(
    "evenhand", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("evenhand")


LONG = ("chaos", "crash"), ("acceptance", "topologies", "protocol")
"""The folders of tests that wait more than they work, in two halves."""

COLLECTED = pytest.StashKey[list[pytest.Item]]()
"""All cases that were found, before those of one tier were chosen."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--tier", type=Tier, default=Tier.ALL, choices=list(Tier), help="which tests to run"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[COLLECTED] = list(items)
    chosen = select(items, config.getoption("tier"))
    left = set(items).difference(chosen)
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = _in_a_good_order(config, chosen)


def _in_a_good_order(config: pytest.Config, items: list[pytest.Item]) -> list[pytest.Item]:
    """Each process begins with an equal part of the list. Two begin with what waits, so that the
    others have the machine for what works, and nothing long is left for the end."""
    first, second = ([item for item in items if item.path.parent.name in names] for names in LONG)
    rest = [item for item in items if not any(item.path.parent.name in names for names in LONG)]
    processes = getattr(config, "workerinput", {"workercount": 1})["workercount"]
    between = max(len(items) // processes - len(first), 0)
    return [*first, *rest[:between], *second, *rest[between:]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Ends with how many tests ran, and in how many cases."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    ran = {report.nodeid for report in reports if getattr(report, "when", "") == "call"}
    if ran:
        terminalreporter.write_line(count(ran))


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    with servers.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: servers.Postgres) -> Iterator[str]:
    """The address of a migrated database from which those of the tests are copied."""
    url = postgres.create_database()
    _migrate(url)
    yield url
    postgres.drop_database(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "evenhand.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_databases(
    postgres: servers.Postgres, postgres_template: str
) -> Iterator[servers.Databases]:
    databases = servers.Databases(postgres, postgres_template)
    yield databases
    databases.drop()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own."""
    path = shutil.copy(sqlite_template, tmp_path / "evenhand.db")
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres_databases: servers.Databases) -> Iterator[str]:
    """A migrated PostgreSQL database of the test's own."""
    with postgres_databases.lend() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of the test's own, once of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = engine_at(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with servers.valkey() as url:
        yield url


@pytest.fixture
def valkey(valkey_url: str) -> Iterator[Redis]:
    """A client of a Valkey that holds nothing yet."""
    client = servers.client_at(valkey_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def ring(valkey: Redis) -> Ring:
    return Ring(valkey)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows the smallest chunk has: so few that a run of some has several chunks."""
    monkeypatch.setattr(chunks, "SMALLEST_ROWS", 10)
    return chunks.SMALLEST_ROWS


@pytest.fixture
def send() -> Tasks:
    return Tasks()


@pytest.fixture
def system(engine: Engine, ring: Ring, send: Tasks, tmp_path: Path) -> System:
    """A system of the test's own, whose tasks wait in `send`."""
    return System(engine, ring, Uploads(str(tmp_path / "uploads")), send)


def _migrate(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
