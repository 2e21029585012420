"""Somebody installs the wheel into an environment of its own, and sees the promise hold."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO_SECONDS = 150

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def evenhand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in an environment that holds the wheel, and sees the libraries of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    build: list[str | Path] = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        folder,
    ]
    subprocess.run(build, cwd=ROOT, check=True)
    [wheel] = folder.glob("evenhand-*.whl")
    home = folder / "venv"
    venv.create(home, with_pip=True)
    pip: list[str | Path] = [
        home / "bin" / "python",
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "install", "--no-index", "--no-deps", wheel], check=True)
    [packages] = home.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return home / "bin" / "evenhand"


def run(command: Path, folder: Path, *arguments: str) -> str:
    """What the installed command prints, run in an empty folder without the source in its path."""
    unset = ("PYTHONPATH", "EVENHAND_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    done = subprocess.run(
        [command, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_installed_demo_keeps_the_promise(evenhand: Path, tmp_path: Path) -> None:
    printed = run(evenhand, tmp_path, "demo")

    assert "995 leads among 5 members" in printed
    assert printed.splitlines()[-3].split()[-1] == "holds"
    assert "Done in" in printed.splitlines()[-1]


def test_the_installed_command_knows_its_version(evenhand: Path, tmp_path: Path) -> None:
    assert run(evenhand, tmp_path, "--version").startswith("evenhand ")
