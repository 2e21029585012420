"""A TCP proxy in front of a server. It can lose the bytes that pass through it."""

import socket
import threading
from contextlib import suppress
from enum import Enum, auto

from worker.settings import LOOPBACK

PIECE_BYTES = 65536

Upstream = str | tuple[str, int]
"""The path of a unix socket, or host and port."""


class Mode(Enum):
    """How the proxy treats the bytes that pass through it."""

    PASS = auto()
    DROP_REPLIES = auto()
    """Commands arrive. The connection ends in place of the answer."""
    SWALLOW_REPLIES = auto()
    """Commands arrive. The answer never comes, and the connection stays open."""
    BLACK_HOLE = auto()
    """Nothing passes in either direction until the mode changes. Then everything arrives."""
    CUT = auto()
    """Open connections are closed, and new ones are closed at once."""


class Proxy:
    """Listens on a port of its own, on this machine only, and forwards to the server."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream, self._mode = upstream, Mode.PASS
        self._flows = threading.Event()
        self._flows.set()
        self._open: set[_Pair] = set()
        self._changing = threading.Lock()
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def switch(self, mode: Mode) -> None:
        """Changes the mode, for open and for new connections."""
        with self._changing:
            self._mode = mode
            if mode is Mode.BLACK_HOLE:
                self._flows.clear()
            else:
                self._flows.set()
            for pair in self._open:
                # After a lost answer, the client would take the next answer for it.
                if mode is Mode.CUT or pair.lost_an_answer:
                    pair.end()

    def close(self) -> None:
        self.switch(Mode.CUT)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(
                    target=self._serve, args=(client,), name="proxied", daemon=True
                ).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._flows.wait()
            with _connect(self._upstream) as server:
                self._carry(_Pair(client, server))

    def _carry(self, pair: "_Pair") -> None:
        with self._changing:
            if self._mode is Mode.CUT:
                return
            self._open.add(pair)
        answers = threading.Thread(
            target=self._carry_answers, args=(pair,), name="answers", daemon=True
        )
        answers.start()
        self._carry_commands(pair)
        answers.join()
        with self._changing:
            self._open.discard(pair)

    def _carry_commands(self, pair: "_Pair") -> None:
        with suppress(OSError):
            while piece := pair.client.recv(PIECE_BYTES):
                self._flows.wait()
                pair.server.sendall(piece)
        pair.end()

    def _carry_answers(self, pair: "_Pair") -> None:
        with suppress(OSError):
            while piece := pair.server.recv(PIECE_BYTES):
                self._flows.wait()
                with self._changing:
                    mode = self._mode
                    pair.lost_an_answer |= mode is Mode.SWALLOW_REPLIES
                if mode is Mode.DROP_REPLIES:
                    break
                if not pair.lost_an_answer:
                    pair.client.sendall(piece)
        pair.end()


class _Pair:
    """A client's connection and the one that was made for it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.lost_an_answer = False

    def end(self) -> None:
        for each in (self.client, self.server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def _connect(upstream: Upstream) -> socket.socket:
    if isinstance(upstream, tuple):
        connection = socket.create_connection(upstream)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(upstream)
    except OSError:
        connection.close()
        raise
    return connection
