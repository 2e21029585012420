"""The parent watchdog: a service of the stack ends when its launcher is gone, even by kill -9."""

import os
import signal
import threading

VARIABLE = "EVENHAND_PARENT_WATCHDOG"
"""The environment variable that a launcher sets for its services."""

STANDARD_INPUT = 0


def watch_parent() -> None:
    """Ends this process as SIGTERM does when its launcher dies: the pipe at its standard input
    closes then. Does nothing in a process that no launcher of the stack has started."""
    if os.environ.pop(VARIABLE, None):
        threading.Thread(target=_wait_for_the_end, name="parent watchdog", daemon=True).start()


def _wait_for_the_end() -> None:
    # Not through sys.stdin: a forked child would find its lock taken for ever.
    while os.read(STANDARD_INPUT, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
