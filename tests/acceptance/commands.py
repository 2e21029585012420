"""Commands as processes of their own, forked from one that has imported the program's libraries: to import them takes a command longer than
anything it does."""

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
    ["typer", "rich.logging", "rich.markdown", *(f"worker.flows.{each.name}" for each in pkgutil.iter_modules(flows.__path__))]
)


def run(arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs an evenhand command to its end, in that folder and with that environment alone."""
    with tempfile.TemporaryDirectory() as outputs:
        out, errors = Path(outputs) / "out", Path(outputs) / "errors"
        command = _forks.Process(target=_evenhand, args=(list(arguments), dict(environment), folder, out, errors))
        command.start()
        command.join(TIMEOUT_SECONDS)
        if command.exitcode is None:
            command.kill()
            raise subprocess.TimeoutExpired(["evenhand", *arguments], TIMEOUT_SECONDS, out.read_bytes(), errors.read_bytes())
        return subprocess.CompletedProcess(["evenhand", *arguments], command.exitcode, out.read_text(), errors.read_text())


def _evenhand(arguments: list[str], environment: dict[str, str], folder: Path, out: Path, errors: Path) -> None:
    """What the new process does: what `python -W error -m worker` does once it runs."""
    for descriptor, path in ((1, out), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["evenhand", *arguments]
    warnings.simplefilter("error")
    importlib.import_module("worker.cli").main()
