"""Waits for something to come true."""

import time
from collections.abc import Callable
from threading import Event

PAUSE_SECONDS = 0.05


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Returns whether the condition came true within the given number of seconds."""
    deadline, pause = time.monotonic() + seconds, Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(PAUSE_SECONDS)
    return True
