"""The processes of the stack, kept running until it is stopped."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from worker.errors import ServerDidNotStart
from worker.stack.leash import VARIABLE

STOP_SECONDS = 30.0
"""How long a part may take to finish what it is at."""

SHORT_LIFE_SECONDS = 5.0
MOST_SHORT_LIVES = 5


@dataclass
class Child:
    """One evenhand command as a process of its own, with its log."""

    name: str
    arguments: list[str]
    log: Path
    started: float = 0.0
    short_lives: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        self.started = time.monotonic()
        with self.log.open("ab") as log:
            # In a session of its own: Ctrl-C goes to the launcher, which stops its children in order.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker", *self.arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, VARIABLE: "1"},
                start_new_session=True,
            )

    def keep(self) -> bool:
        """Starts the process again if it has ended. Returns whether it had. Raises ServerDidNotStart when it keeps on ending."""
        if self.process is not None and self.process.poll() is None:
            return False
        self.short_lives = self.short_lives + 1 if time.monotonic() - self.started < SHORT_LIFE_SECONDS else 0
        if self.short_lives > MOST_SHORT_LIVES:
            raise ServerDidNotStart(what=self.name, seconds=round(SHORT_LIFE_SECONDS), log=self.log)
        self.start()
        return True

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        """Waits for the end; makes one when it takes too long."""
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


def stop_all(children: list[Child]) -> None:
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.wait(max(deadline - time.monotonic(), 0.1))
