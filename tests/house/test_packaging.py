"""The wheel holds the product, and nothing of what is only used to build it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
NOT_SHIPPED = {"benchmarks", "testing", "tests", "tools"}


@pytest.fixture(scope="module")
def shipped() -> set[str]:
    """The paths of the files in the wheel."""
    return {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}


def test_the_wheel_holds_the_two_packages_and_nothing_else(shipped: set[str]) -> None:
    assert {path.partition("/")[0] for path in shipped} == {"api_stub", "worker"}


def test_the_wheel_holds_every_module_and_what_they_read(shipped: set[str]) -> None:
    present = {
        str(path.relative_to(ROOT))
        for package in ("api_stub", "worker")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert shipped == present
    assert {"api_stub/py.typed", "worker/py.typed", "worker/ring/lua/take_turns.lua"} <= shipped


def test_nothing_shipped_imports_what_is_not(shipped: set[str]) -> None:
    modules = [path for path in shipped if path.endswith(".py")]

    assert len(modules) > 200
    assert not [path for path in modules if set(imported(ROOT / path)) & NOT_SHIPPED]


def imported(path: Path) -> Iterator[str]:
    """The top-level packages that a module imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
