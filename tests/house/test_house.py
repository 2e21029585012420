"""The rules of the house that no linter knows. Each test lists all offenders."""

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

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

FLOORS = ("worker/domain", "worker/store", "worker/flows")
MOST_ROOMS = 12
MOST_ANYS_PER_THOUSAND_LINES = 10

VAGUE = ("manager", "helper", "util", "handler", "job", "queue")
BANNED = {*VAGUE, *(f"{word}s" for word in VAGUE), "process", "processes", "data"}
NOT_OURS = {
    "data_received": "asyncio's name",
    "queue": "Celery's: tasks by name",
    "install_sync_handler": "Celery's name",
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

Function = ast.FunctionDef | ast.AsyncFunctionDef


def assert_none(offenders: Iterable[object]) -> None:
    """Fails with the list of all offenders, one a line."""
    listed = [str(offender) for offender in offenders]
    assert not listed, "\n".join(listed)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, Function))


def lines_of(definition: Function) -> int:
    return (definition.end_lineno or definition.lineno) - definition.lineno + 1


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name."""
    return set(re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().split("_"))


def test_the_rules_see_the_whole_house() -> None:
    assert len(PRODUCT) > 200
    assert len(TESTS) > 100


# --- sizes ---


def test_each_file_is_short_enough_to_be_read_at_once() -> None:
    lines = {name_of(path): len(path.read_text().splitlines()) for path in PRODUCT}

    assert_none(each for each in lines.items() if each[1] > LONGEST_FILE_LINES)


def test_each_function_is_short_enough_to_be_understood_at_once() -> None:
    lines = {
        f"{name_of(path)}: {definition.name}": lines_of(definition)
        for path in PRODUCT
        for definition in functions(path)
        if definition.name not in LONGER_FUNCTIONS
    }

    assert_none(each for each in lines.items() if each[1] > LONGEST_FUNCTION_LINES)


def test_each_floor_has_few_rooms() -> None:
    rooms = {floor: rooms_of(ROOT / floor) for floor in FLOORS}

    assert_none(each for each in rooms.items() if len(each[1]) > MOST_ROOMS)


def rooms_of(floor: Path) -> list[str]:
    """The packages and modules that lie directly in a folder."""
    packages = [path.parent.name for path in floor.glob("*/__init__.py")]
    return sorted([*packages, *(path.stem for path in floor.glob("[!_]*.py"))])


def test_few_types_are_unknown() -> None:
    lines = sum(len(path.read_text().splitlines()) for path in PRODUCT)
    anys = {name_of(path): anys_in(path) for path in PRODUCT}

    most = dict(sorted(anys.items(), key=lambda each: -each[1])[:20])
    assert sum(anys.values()) * 1000 / lines <= MOST_ANYS_PER_THOUSAND_LINES, most


def anys_in(path: Path) -> int:
    """How often a file says Any, where it imports it left out."""
    return sum(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(tree_of(path)))


# --- names ---


def test_names_say_what_a_thing_is() -> None:
    vague = [
        f"{name_of(path)}: {name}"
        for path in [*PRODUCT, *TESTS]
        for name in [*defined(path), path.stem]
        if words(name) & BANNED and name not in NOT_OURS and not name.startswith("test_")
    ]

    assert_none(vague)


def defined(path: Path) -> list[str]:
    """The names of functions and classes."""
    return [
        node.name for node in ast.walk(tree_of(path)) if isinstance(node, Function | ast.ClassDef)
    ]


def test_a_name_of_a_type_means_one_thing() -> None:
    modules = defaultdict(list)
    for path in PRODUCT:
        for name in types_of(tree_of(path).body):
            modules[name].append(name_of(path))

    assert_none(each for each in modules.items() if len(each[1]) > 1)


def types_of(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """The names of classes and of type aliases, in classes too."""
    for statement in statements:
        match statement:
            case ast.ClassDef(name=name, body=body):
                yield name
                yield from types_of(body)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_alias(name, value):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                yield name


def is_alias(name: str, value: ast.expr) -> bool:
    """Whether an assignment names a type, as in `Rows = list[Row]`."""
    of_a_type = re.fullmatch(r"[A-Z][a-z][A-Za-z]*", name) is not None
    return of_a_type and isinstance(value, ast.Subscript | ast.BinOp | ast.Name | ast.Attribute)


# --- what a module says and does ---


def test_every_module_says_what_it_is() -> None:
    paths = [*PRODUCT, *TESTS]

    assert_none(name_of(path) for path in paths if not ast.get_docstring(tree_of(path)))


def test_no_test_sleeps_or_is_skipped() -> None:
    avoided = {"sleep", "skip", "skipif", "xfail", "importorskip"}

    assert_none(name_of(path) for path in TESTS if called_in(path) & avoided)


def called_in(path: Path) -> set[str]:
    calls = [node.func for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    return {
        call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls
    }


# --- files that must agree ---


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
