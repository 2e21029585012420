"""The leash: a part of the stack ends when its launcher is gone, even by kill -9."""

import os
import signal
import threading

VARIABLE = "EVENHAND_LEASH"
WATCHDOG = 0
"""Standard input."""


def on_leash() -> None:
    """Ends this process, as SIGTERM does, when whoever launched it with the leash has died: the
    pipe at its standard input then closes."""
    if os.environ.pop(VARIABLE, None):
        threading.Thread(target=_wait_for_the_end, name="leash", daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(
        WATCHDOG, 1
    ):  # not through sys.stdin, whose lock a forked child would find taken for ever
        pass
    os.kill(os.getpid(), signal.SIGTERM)
