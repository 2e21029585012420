"""The client that sends chaos' load, and the API's answers. Only a 2xx counts as accepted."""

import io
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple

from worker.sample import write_sample

TIMEOUT_SECONDS = 40.0
"""A lead may have to wait at a database that a paused worker holds."""

TRIES, AGAIN_SECONDS = 20, 1.0

CREATED = "created "
"""The prefix of the names of leads that are created for a pool."""

BOUNDARY = "evenhand-chaos"
JSON, FORM = "application/json", f"multipart/form-data; boundary={BOUNDARY}"


class ApiClient(NamedTuple):
    """The address of the API, and an access token."""

    address: str
    token: str


class ChaosPool(NamedTuple):
    """A pool by its id and its name."""

    id: int
    name: str


@dataclass
class Acceptances:
    """Everything that got a 2xx, with the time, and the status of every answer."""

    leads: dict[int, float] = field(default_factory=dict)
    created: dict[int, int] = field(default_factory=dict)
    """The owner in the API's answer, for each lead that was created for a pool."""
    imports: list[int] = field(default_factory=list)
    to_cancel: set[int] = field(default_factory=set)
    """The runs that a load has asked to cancel, even if the answer was an error."""
    stocks: list[int] = field(default_factory=list)
    """Imports to a person. Their leads are reassigned later."""
    moves: list[int] = field(default_factory=list)
    undos: list[int] = field(default_factory=list)
    asked: int = 0
    """Runs that were asked for under a key each: stocks and reassignments, even if the answer was
    an error. """
    answers: list[str] = field(default_factory=list)
    """The status of each; "none" where there was no answer."""
    roster_changes: int = 0


class NotAccepted(Exception):
    """The API did not answer 2xx. It may have done the work all the same."""


class Api:
    """One connection to the API, opened again when it is lost."""

    def __init__(self, client: ApiClient, accepted: Acceptances) -> None:
        self._connection = HTTPConnection(client.address, timeout=TIMEOUT_SECONDS)
        self._token, self._accepted = client.token, accepted

    def ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = JSON, **headers: str
    ) -> Any:
        """Sends a request, and returns the JSON of the answer. Raises NotAccepted."""
        ours = {
            "Content-Type": kind,
            "Authorization": f"Bearer {self._token}",
            "User-Agent": "chaos",
        }
        try:
            self._connection.request(method, path, body, {**ours, **headers})
            answer = self._connection.getresponse()
            facts = json.loads(answer.read())
        except (OSError, HTTPException, ValueError):
            self._connection.close()
            self._accepted.answers.append("none")
            raise NotAccepted from None
        self._accepted.answers.append(str(answer.status))
        if answer.status // 100 != 2:
            raise NotAccepted
        return facts

    def insist(
        self, path: str, body: bytes, key: str, kind: str = JSON
    ) -> Generator[float, None, Any]:
        """Asks again under the same key until there is an answer, as programs do, and returns it.
        The request must have taken effect once, even if the first attempts failed. Raises
        NotAccepted in the end."""
        for _ in range(TRIES):
            try:
                return self.ask("POST", path, body, kind, **{"Idempotency-Key": key})
            except NotAccepted:
                yield AGAIN_SECONDS
        raise NotAccepted


def encode(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts).encode()


def make_form(owner: str, rows: int, seed: int) -> bytes:
    """Makes the form of an import of that many sample leads."""
    file = io.StringIO(newline="")
    write_sample(file, rows, seed)
    parts = (('name="owner"', owner), ('name="file"; filename="leads.csv"', file.getvalue()))
    return "".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n{text}\r\n"
        for name, text in parts
    ).encode() + (f"--{BOUNDARY}--\r\n".encode())
