"""Commands as processes of their own, forked from one that has imported the program's libraries: to
import them takes a command longer than anything it does."""

import importlib
import os
import pkgutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

from worker import flows

TIMEOUT_SECONDS = 150.0

_forks = get_context("forkserver")
_forks.set_forkserver_preload(
    [
        "typer",
        "rich.logging",
        "rich.markdown",
        *(each.name for each in pkgutil.walk_packages(flows.__path__, "worker.flows.")),
    ]
)


def run(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, text: bytes = b""
) -> subprocess.CompletedProcess[str]:
    """Runs an evenhand command to its end, in that folder, with that environment alone, and that
    text on its standard input."""
    with tempfile.TemporaryDirectory() as files:
        given, out, errors = (Path(files) / name for name in ("in", "out", "errors"))
        given.write_bytes(text)
        command = _forks.Process(
            target=_evenhand, args=(list(arguments), dict(environment), folder, given, out, errors)
        )
        command.start()
        command.join(TIMEOUT_SECONDS)
        if command.exitcode is None:
            command.kill()
            raise subprocess.TimeoutExpired(
                ["evenhand", *arguments], TIMEOUT_SECONDS, out.read_bytes(), errors.read_bytes()
            )
        return subprocess.CompletedProcess(
            ["evenhand", *arguments], command.exitcode, out.read_text(), errors.read_text()
        )


def _evenhand(
    arguments: list[str],
    environment: dict[str, str],
    folder: Path,
    given: Path,
    out: Path,
    errors: Path,
) -> None:
    """What the new process does: what `python -W error -m worker` does once it runs."""
    os.dup2(os.open(given, os.O_RDONLY), 0)
    # The process from which this one was forked reads from nowhere.
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115
    for descriptor, path in ((1, out), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["evenhand", *arguments]
    warnings.simplefilter("error")
    importlib.import_module("worker.cli").main()
