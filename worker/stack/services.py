"""The processes of the stack, kept running until it is stopped."""

import math
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from worker.errors.servers import ServerDidNotStart
from worker.stack.parent_watchdog import VARIABLE

STOP_SECONDS = 30.0
"""How long a service may take to finish its work when the stack stops."""

SHORT_LIFE_SECONDS = 5.0
MOST_SHORT_LIVES = 5


@dataclass
class Service:
    """One evenhand command as a process of its own, with its log."""

    name: str
    arguments: list[str]
    log: Path | None = None
    """Where its output goes. Without it, the output goes where the launcher's goes."""
    environment: dict[str, str] = field(default_factory=dict)
    """Environment variables in addition to the launcher's."""
    files: tuple[int, ...] = ()
    """Open files of the launcher that it shares, such as a socket."""
    started: float = 0.0
    short_lives: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Starts the command. It ends when this process dies."""
        self.started = time.monotonic()
        with self.log.open("ab") if self.log else nullcontext() as log:
            # In a session of its own: Ctrl-C reaches only the launcher, which stops its services in
            # order.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker", *self.arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment, VARIABLE: "1"},
                pass_fds=self.files,
                start_new_session=True,
            )

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def keep(self) -> bool:
        """Starts the command again if it has ended, and returns whether it had. Raises
        ServerDidNotStart if it ends again and again within seconds."""
        if self.runs():
            return False
        self.wait(0)
        self.short_lives = (
            self.short_lives + 1 if time.monotonic() - self.started < SHORT_LIFE_SECONDS else 0
        )
        if self.short_lives > MOST_SHORT_LIVES:
            raise ServerDidNotStart(
                what=self.name, seconds=round(SHORT_LIFE_SECONDS), log=self.log or "above"
            )
        self.start()
        return True

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def send_to_all(self, number: signal.Signals) -> None:
        """Sends a signal to the command and to all processes that it has started. Does nothing if
        the command has ended."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """Kills the command and all processes that it has started. This doesn't count as a short
        life, because the command didn't end by itself."""
        self.send_to_all(signal.SIGKILL)
        self.started = -math.inf

    def wait(self, seconds: float) -> None:
        """Waits for the end, and kills the command after that many seconds."""
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


def stop_all(children: list[Service], seconds: float = STOP_SECONDS) -> None:
    """Asks all services to stop at once, and kills any that still run after so many seconds."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + seconds
    for child in children:
        child.wait(max(deadline - time.monotonic(), 0.1))
