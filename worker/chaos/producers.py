"""Who hands in leads and files and changes rosters meanwhile, over HTTP as everybody does. Only a 2xx counts as accepted."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from typing import Any, NamedTuple

from worker.sample import sample_leads, write_sample

TIMEOUT_SECONDS = 40.0
"""A lead may have to wait at a database that a paused worker holds."""

CAPTURERS, CAPTURES_EACH_PER_SECOND = 2, 30
CREATED_PER_SECOND, TRIES, AGAIN_SECONDS = 5, 20, 1.0
FILE_EVERY_SECONDS, FILE_ROWS = 5.0, (200, 900)
CANCELLED, CANCEL_WITHIN_SECONDS = 0.2, 1.0
ROSTER_EVERY_SECONDS, EMPTY_SECONDS = 3.0, 1.5
SMALLEST_ROSTER, LARGEST_ROSTER, EMPTIED = 3, 6, 0.1

CREATED = "created "
"""How the names of leads begin that somebody creates for a pool."""

BOUNDARY = "evenhand-chaos"


class Door(NamedTuple):
    """Where the API listens, and the token by which it lets us in."""

    address: str
    token: str


class Pool(NamedTuple):
    """A pool by its id and its name."""

    id: int
    name: str


@dataclass
class Accepted:
    """What got a 2xx, and when; and all that was answered."""

    leads: dict[int, float] = field(default_factory=dict)
    created: dict[int, int] = field(default_factory=dict)
    """The owner whom the answer showed, of each lead that was created for a pool."""
    runs: list[int] = field(default_factory=list)
    to_cancel: set[int] = field(default_factory=set)
    """The runs that somebody has asked to cancel, whatever was answered."""
    answers: list[str] = field(default_factory=list)
    """The status of each; "none" where there was no answer."""
    roster_changes: int = 0


class NotAccepted(Exception):
    """There was no 2xx. What was asked for may have happened nevertheless."""


class Api:
    """One connection to the API, made anew when it is lost."""

    def __init__(self, door: Door, accepted: Accepted) -> None:
        self._connection = HTTPConnection(door.address, timeout=TIMEOUT_SECONDS)
        self._token, self._accepted = door.token, accepted

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json", **headers: str) -> Any:
        """The answer's JSON. Raises NotAccepted."""
        ours = {"Content-Type": kind, "Authorization": f"Bearer {self._token}", "User-Agent": "chaos"}
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


@contextmanager
def producing(door: Door, pools: list[Pool], people: list[str], seed: int, accepted: Accepted) -> Iterator[None]:
    """Everybody is at work within the block."""
    enough = threading.Event()
    work: list[Callable[[Random, Api], Iterator[float]]] = [
        *([lambda dice, api: _capture(dice, api, pools, accepted)] * CAPTURERS),
        lambda dice, api: _create(dice, api, pools, accepted),
        lambda dice, api: _import(dice, api, pools, accepted),
        lambda dice, api: _change_rosters(dice, api, pools, people, accepted),
    ]
    threads = [
        threading.Thread(target=_keep_on, args=(each(Random(f"{seed} {number}"), Api(door, accepted)), enough), daemon=True)  # noqa: S311
        for number, each in enumerate(work)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        enough.set()
        for thread in threads:
            thread.join(TIMEOUT_SECONDS)


def _keep_on(pauses: Iterator[float], enough: threading.Event) -> None:
    """Goes from one pause to the next, which begin where the one before began: who was held up doesn't make up for it."""
    due = time.monotonic()
    for seconds in pauses:
        due = max(due + seconds, time.monotonic() - seconds)
        if enough.wait(max(due - time.monotonic(), 0)):
            return


def _capture(dice: Random, api: Api, pools: list[Pool], accepted: Accepted) -> Iterator[float]:
    while True:
        _header, *rows = sample_leads(100, dice.randrange(2**31))
        for row in rows:
            lead = dict(zip(("first_name", "last_name", "company_name", "email"), row[1:5], strict=True))
            body = json.dumps({"pool": dice.choice(pools).name, "lead": lead}).encode()
            with suppress(NotAccepted):
                accepted.leads[api.ask("POST", "/api/leads/capture", body)["id"]] = time.time()
            yield 1 / CAPTURES_EACH_PER_SECOND


def _create(dice: Random, api: Api, pools: list[Pool], accepted: Accepted) -> Iterator[float]:
    """Leads for a pool by its id, each under a key and by a name of its own. Who got no answer asks again under the same key, as programs
    do: the lead must be there once, whatever happened to the first request."""
    while True:
        name = f"{CREATED}{dice.randbytes(8).hex()}"
        body = json.dumps({"data": {"last_name": name, "owner_id": dice.choice(pools).id}}).encode()
        for _ in range(TRIES):
            try:
                lead = api.ask("POST", "/v2/leads", body, **{"Idempotency-Key": name})["data"]
            except NotAccepted:
                yield AGAIN_SECONDS
            else:
                accepted.created[lead["id"]] = lead["owner_id"]
                break
        yield 1 / CREATED_PER_SECOND


def _import(dice: Random, api: Api, pools: list[Pool], accepted: Accepted) -> Iterator[float]:
    """Every now and then a file; and now and then somebody thinks better of it a moment later."""
    while True:
        body = _form(dice.choice(pools).name, dice.randrange(*FILE_ROWS), dice.randrange(2**31))
        with suppress(NotAccepted):
            run_id = api.ask("POST", "/api/imports", body, f"multipart/form-data; boundary={BOUNDARY}")["id"]
            accepted.runs.append(run_id)
            if dice.random() < CANCELLED:
                yield dice.random() * CANCEL_WITHIN_SECONDS
                accepted.to_cancel.add(run_id)
                api.ask("POST", f"/api/runs/{run_id}/cancel")
        yield FILE_EVERY_SECONDS


def _form(owner: str, rows: int, seed: int) -> bytes:
    file = io.StringIO(newline="")
    write_sample(file, rows, seed)
    parts = (('name="owner"', owner), ('name="file"; filename="leads.csv"', file.getvalue()))
    return "".join(f"--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n{text}\r\n" for name, text in parts).encode() + (
        f"--{BOUNDARY}--\r\n".encode()
    )


def _change_rosters(dice: Random, api: Api, pools: list[Pool], people: list[str], accepted: Accepted) -> Iterator[float]:
    """Somebody joins or leaves; now and then all leave a pool at once, and come back a moment later."""
    while True:
        pool = dice.choice(pools)
        try:
            members = {member["email"]: member["id"] for member in api.ask("GET", f"/api/pools/{pool.id}")["members"]}
            if dice.random() < EMPTIED:
                for user_id in members.values():
                    _leave(api, pool, user_id, accepted)
                yield EMPTY_SECONDS
                members = {}
            others = [email for email in people if email not in members]
            if others and (len(members) < SMALLEST_ROSTER or (len(members) < LARGEST_ROSTER and dice.random() < 0.5)):
                _join(api, pool, dice.sample(others, 1 if members else SMALLEST_ROSTER), accepted)
            else:
                _leave(api, pool, dice.choice([*members.values()]), accepted)
        except NotAccepted:
            pass
        yield ROSTER_EVERY_SECONDS


def _join(api: Api, pool: Pool, emails: list[str], accepted: Accepted) -> None:
    api.ask("POST", f"/api/pools/{pool.id}/members", json.dumps({"members": emails}).encode())
    accepted.roster_changes += 1


def _leave(api: Api, pool: Pool, user_id: int, accepted: Accepted) -> None:
    api.ask("DELETE", f"/api/pools/{pool.id}/members/{user_id}")
    accepted.roster_changes += 1
