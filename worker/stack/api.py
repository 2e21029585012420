"""The API's processes: one that serves alone, or several that share one port."""

import signal
import socket
from contextlib import suppress
from threading import Event
from typing import Any

import uvicorn

from worker.settings import settings
from worker.stack.connections import TimedConnection
from worker.stack.services import Service, stop_all

APP = "api_stub.app:app"

IDLE_SECONDS = 30
"""How long a connection without a request is kept."""

FINISH_SECONDS = 20
"""How long open requests may take to finish after the API is told to stop."""

PATIENCE_SECONDS = 25.0
"""How long to wait until several processes have stopped: longer than their requests may take, and
less than the stack waits for the API."""

PAUSE_SECONDS = 0.1

OPTIONS: dict[str, Any] = {
    "http": TimedConnection,
    "log_config": None,
    "timeout_keep_alive": IDLE_SECONDS,
    "timeout_graceful_shutdown": FINISH_SECONDS,
}


def _options() -> dict[str, Any]:
    """Returns uvicorn's options. Only the proxies that the settings name may say from which address
    a request comes."""
    proxies = settings().trusted_proxies
    return {**OPTIONS, "proxy_headers": bool(proxies), "forwarded_allow_ips": proxies}


def serve(host: str, port: int) -> None:
    """Serves until SIGTERM or Ctrl-C."""
    uvicorn.run(APP, host=host, port=port, **_options())


def serve_on(listener: int) -> None:
    """Serves on a bound socket, as one of several processes."""
    uvicorn.Server(uvicorn.Config(APP, **_options())).run([socket.socket(fileno=listener)])


def serve_together(host: str, port: int, processes: int) -> None:
    """Keeps several processes that serve on one port, until SIGTERM or Ctrl-C.

    Each ends when this process dies. The processes that uvicorn itself can start would outlive a
    killed launcher, and keep its port.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # It raises KeyboardInterrupt at once.
        signal.signal(number, signal.default_int_handler)
    with (
        uvicorn.Config(APP, host=host, port=port, log_config=None).bind_socket() as listener,
        suppress(KeyboardInterrupt),
    ):
        shared = listener.fileno()
        _keep(
            [
                Service(
                    f"API process {number}", ["api", "--listener", str(shared)], files=(shared,)
                )
                for number in range(1, processes + 1)
            ]
        )


def _keep(children: list[Service]) -> None:
    """Starts services, restarts any that end by themselves, and stops them on Ctrl-C."""
    try:
        _keep_running(children)
    finally:
        stop_all(children, PATIENCE_SECONDS)


def _keep_running(children: list[Service]) -> None:
    pause = Event()
    for child in children:
        child.start()
    while not pause.wait(PAUSE_SECONDS):
        for child in children:
            child.keep()
