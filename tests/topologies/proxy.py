"""A TCP proxy in front of a server, which can keep from a replica what its master sends, and lead
to another server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from worker.settings import LOOPBACK

CHUNK_BYTES = 65536
ASKS_TO_REPLICATE = b"PSYNC"


class Proxy:
    """Listens on a port of its own and forwards to the server at `target`, which may change for
    connections that are yet to come."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listener.getsockname()[1])
        self._replicates = threading.Event()
        self._replicates.set()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def hold_back(self) -> None:
        """From now on replicas hear nothing more of their master. Clients go on."""
        self._replicates.clear()

    def let_go(self) -> None:
        self._replicates.set()

    def close(self) -> None:
        self._replicates.set()
        for connection in (self._listener, *self._open):
            _shut(connection)

    def _accept(self) -> None:
        with self._listener, suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((LOOPBACK, self.target))
        except OSError:
            client.close()
            return
        self._open |= {client, server}
        is_replica = threading.Event()
        back = threading.Thread(
            target=self._answers, args=(server, client, is_replica), daemon=True
        )
        back.start()
        self._questions(client, server, is_replica)
        back.join()
        self._open -= {client, server}
        client.close()
        server.close()

    def _questions(
        self, client: socket.socket, server: socket.socket, is_replica: threading.Event
    ) -> None:
        with suppress(OSError):
            while heard := client.recv(CHUNK_BYTES):
                if ASKS_TO_REPLICATE in heard.upper():
                    is_replica.set()
                server.sendall(heard)
        _shut(server)

    def _answers(
        self, server: socket.socket, client: socket.socket, is_replica: threading.Event
    ) -> None:
        with suppress(OSError):
            while heard := server.recv(CHUNK_BYTES):
                if is_replica.is_set():
                    self._replicates.wait()
                client.sendall(heard)
        _shut(client)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    running = Proxy(target)
    try:
        yield running
    finally:
        running.close()
