"""The table of commands says what their modules say, and help imports none of them."""

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_group

import worker.cli
from worker.cli.commands import COMMANDS, load

SLOW = {
    "alembic",
    "celery",
    "cryptography.hazmat",
    "email_validator",
    "fastapi",
    "jinja2",
    "limits",
}
"""What a command that only reads from the database never needs."""

SLOWER = {"sqlalchemy", "redis", "pydantic", "pydantic_settings", "fsspec", "tenacity", "orjson"}
"""What help never needs either."""

IMPORTED = """
import sys
sys.argv[1:] = {arguments!r}
from worker.cli import main
try:
    main()
finally:
    sys.stderr.write("\\n" + " ".join(sys.modules))
"""


def run(tmp_path: Path, *arguments: str) -> tuple[str, set[str]]:
    """What a command prints, and the modules that it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED.format(arguments=list(arguments))],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), "EVENHAND_HOME": str(tmp_path)},
    )
    return done.stdout, set(done.stderr.splitlines()[-1].split())


def test_each_command_is_the_one_that_the_table_describes() -> None:
    described = {name: load(name) for name in COMMANDS}

    for name, entry in COMMANDS.items():
        assert described[name].hidden is not bool(entry.help)
        assert described[name].help.replace("\n", " ").startswith(entry.help)


def test_every_command_is_in_the_table() -> None:
    modules = [path.stem for path in Path(worker.cli.__path__[0]).glob("*.py")]
    apps = [
        module.app
        for module in (import_module(f"worker.cli.{name}") for name in modules)
        if hasattr(module, "app") and module.__name__ != "worker.cli.commands"
    ]

    assert {name for app in apps for name in get_group(app).commands} == set(COMMANDS)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_import_no_command(tmp_path: Path, arguments: list[str]) -> None:
    _, imported = run(tmp_path, *arguments)

    assert not imported & (SLOW | SLOWER)
    assert not imported & {f"worker.cli.{entry.module}" for entry in COMMANDS.values()}


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    printed, _ = run(tmp_path, "--version")

    assert printed == f"evenhand {version('evenhand')}\n"


def test_a_command_imports_only_what_it_needs(tmp_path: Path) -> None:
    run(tmp_path, "migrate")

    _, imported = run(tmp_path, "pool", "list")

    assert not imported & (SLOW | {"fsspec", "redis"})
