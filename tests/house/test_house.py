"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from worker.store.sql.engine import open_engine
from worker.store.tables import metadata

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(
    path for folder in ("worker", "api_stub") for path in (ROOT / folder).rglob("*.py")
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST_FILE_LINES = 300
LONGEST_FUNCTION_LINES = 40
LONGER_FUNCTIONS = dict.fromkeys(("_ledger", "_records", "_runs"), "lists the columns of tables")
"""Functions that may be longer, by name, with the reason why."""

VAGUE = ("manager", "helper", "util", "handler", "job", "queue")
BANNED = {*VAGUE, *(f"{word}s" for word in VAGUE), "process", "processes", "data"}
NOT_OURS = {
    "data_received": "asyncio's name",
    "queue": "Celery's: tasks by name",
    "get_route_handler": "FastAPI's name",
    "process_bind_param": "SQLAlchemy's name",
    "process_result_value": "SQLAlchemy's name",
}
REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js",
    "index" + "-url",
    "arti" + "factory",
    "de" + "vpi",
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_file_is_short_enough_to_be_read_at_once(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE_LINES


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_function_is_short_enough_to_be_understood_at_once(path: Path) -> None:
    longer = {
        definition.name
        for definition in functions(path)
        if lines_of(definition) > LONGEST_FUNCTION_LINES
    }

    assert longer <= set(LONGER_FUNCTIONS)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def lines_of(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (definition.end_lineno or definition.lineno) - definition.lineno + 1


@pytest.mark.parametrize("path", [*PRODUCT, *TESTS], ids=name_of)
def test_names_say_what_a_thing_is(path: Path) -> None:
    tree = ast.walk(ast.parse(path.read_text()))
    named = [
        node.name
        for node in tree
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]

    vague = {
        name
        for name in [*named, path.stem]
        if words(name) & BANNED and name not in NOT_OURS and not name.startswith("test_")
    }

    assert not vague


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name."""
    return set(re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().split("_"))


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_no_test_sleeps_or_is_skipped(path: Path) -> None:
    calls = [
        node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
    ]
    called = {
        call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls
    }

    assert not called & {"sleep", "skip", "skipif", "xfail", "importorskip"}


@pytest.mark.parametrize("path", [*PRODUCT, *TESTS], ids=name_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    text = path.read_text()

    assert not text or ast.get_docstring(ast.parse(text))


def test_the_migrations_make_the_tables_that_the_code_knows(postgresql_url: str) -> None:
    engine = open_engine(postgresql_url)
    with engine.connect() as connection:
        different = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert different == []


def test_no_file_names_a_package_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    texts = {
        name: (ROOT / name).read_bytes().lower()
        for name in listed.split("\0")
        if (ROOT / name).is_file()
    }

    assert len(texts) > 50
    assert not [
        (name, host) for name, text in texts.items() for host in REGISTRIES if host.encode() in text
    ]
