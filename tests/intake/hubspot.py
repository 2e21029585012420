"""A stand-in of HubSpot's contacts, at an address of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "pat-eu1-of-the-tests"


class HubSpot(ThreadingHTTPServer):
    """Answers for contacts by their numbers, and for anybody without the token with 401. What fails
    first is said beforehand."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Contacts)
        self.contacts: dict[str, dict[str, Any]] = {}
        self.failures: list[int] = []
        """The statuses of the next answers, whatever is asked."""
        self.asked: list[tuple[str, list[str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator["HubSpot"]:
        with cls() as server:
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            yield server
            server.shutdown()
            thread.join()


class Contacts(BaseHTTPRequestHandler):
    """GET /crm/v3/objects/contacts/ID?properties=..."""

    server: HubSpot

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        number = path.path.removeprefix("/crm/v3/objects/contacts/")
        self.server.asked.append(
            (number, parse_qs(path.query).get("properties", [""])[0].split(","))
        )
        status, body = self._answer(number)
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, number: str) -> tuple[int, bytes]:
        if self.server.failures:
            return self.server.failures.pop(0), b"not now"
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return 401, b"{}"
        if number not in self.server.contacts:
            return 404, b"{}"
        return 200, json.dumps({"id": number, "properties": self.server.contacts[number]}).encode()

    def log_message(self, *_: Any) -> None:
        """What was asked is kept, not told."""
