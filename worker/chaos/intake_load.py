"""The load on the stack: threads that send leads and files and change rosters over HTTP."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random

from worker.chaos.api import (
    CREATED,
    FORM,
    TIMEOUT_SECONDS,
    Acceptances,
    Api,
    ApiClient,
    ChaosPool,
    NotAccepted,
    encode,
    make_form,
)
from worker.chaos.reassignment_load import MOVERS, maybe_cancel, move
from worker.sample import make_sample_leads

CAPTURERS, CAPTURES_EACH_PER_SECOND = 2, 30
CREATED_PER_SECOND = 5
FILE_EVERY_SECONDS, FILE_ROWS = 5.0, (200, 900)
ROSTER_EVERY_SECONDS, EMPTY_SECONDS = 3.0, 1.5
SMALLEST_ROSTER, LARGEST_ROSTER, EMPTIED = 3, 6, 0.1


@contextmanager
def run_intake_load(
    client: ApiClient, pools: list[ChaosPool], people: list[str], seed: int, accepted: Acceptances
) -> Iterator[None]:
    """Runs the load within the block."""
    enough = threading.Event()
    work: list[Callable[[Random, Api], Iterator[float]]] = [
        *([lambda dice, api: _capture(dice, api, pools, accepted)] * CAPTURERS),
        lambda dice, api: _create(dice, api, pools, accepted),
        lambda dice, api: _import(dice, api, pools, accepted),
        lambda dice, api: _change_rosters(dice, api, pools, people, accepted),
        *([lambda dice, api: move(dice, api, pools, people, accepted)] * MOVERS),
    ]
    threads = [
        threading.Thread(
            target=_keep_on,
            args=(each(Random(f"{seed} {number}"), Api(client, accepted)), enough),  # noqa: S311
            daemon=True,
        )
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
    """Goes from one pause to the next, which begin where the one before began: who was held up
    doesn't make up for it."""
    due = time.monotonic()
    for seconds in pauses:
        due = max(due + seconds, time.monotonic() - seconds)
        if enough.wait(max(due - time.monotonic(), 0)):
            return


def _capture(
    dice: Random, api: Api, pools: list[ChaosPool], accepted: Acceptances
) -> Iterator[float]:
    while True:
        _header, *rows = make_sample_leads(100, dice.randrange(2**31))
        for row in rows:
            lead = dict(
                zip(("first_name", "last_name", "company_name", "email"), row[1:5], strict=True)
            )
            body = encode({"pool": dice.choice(pools).name, "lead": lead})
            with suppress(NotAccepted):
                accepted.leads[api.ask("POST", "/api/leads/capture", body)["id"]] = time.time()
            yield 1 / CAPTURES_EACH_PER_SECOND


def _create(
    dice: Random, api: Api, pools: list[ChaosPool], accepted: Acceptances
) -> Iterator[float]:
    """Creates leads for a pool by its id, each with its own key and name."""
    while True:
        name = f"{CREATED}{dice.randbytes(8).hex()}"
        with suppress(NotAccepted):
            body = encode({"data": {"last_name": name, "owner_id": dice.choice(pools).id}})
            answer = yield from api.insist("/v2/leads", body, name)
            accepted.created[answer["data"]["id"]] = answer["data"]["owner_id"]
        yield 1 / CREATED_PER_SECOND


def _import(
    dice: Random, api: Api, pools: list[ChaosPool], accepted: Acceptances
) -> Iterator[float]:
    """Imports a file every few seconds."""
    while True:
        body = make_form(dice.choice(pools).name, dice.randrange(*FILE_ROWS), dice.randrange(2**31))
        with suppress(NotAccepted):
            run_id = api.ask("POST", "/api/imports", body, FORM)["id"]
            accepted.imports.append(run_id)
            yield from maybe_cancel(dice, api, run_id, accepted)
        yield FILE_EVERY_SECONDS


def _change_rosters(
    dice: Random, api: Api, pools: list[ChaosPool], people: list[str], accepted: Acceptances
) -> Iterator[float]:
    """A member joins or leaves; now and then all leave a pool at once, and come back a moment
    later."""
    while True:
        pool = dice.choice(pools)
        try:
            members = {
                member["email"]: member["id"]
                for member in api.ask("GET", f"/api/pools/{pool.id}")["members"]
            }
            if dice.random() < EMPTIED:
                for user_id in members.values():
                    _leave(api, pool, user_id, accepted)
                yield EMPTY_SECONDS
                members = {}
            others = [email for email in people if email not in members]
            if others and (
                len(members) < SMALLEST_ROSTER
                or (len(members) < LARGEST_ROSTER and dice.random() < 0.5)
            ):
                _join(api, pool, dice.sample(others, 1 if members else SMALLEST_ROSTER), accepted)
            else:
                _leave(api, pool, dice.choice([*members.values()]), accepted)
        except NotAccepted:
            pass
        yield ROSTER_EVERY_SECONDS


def _join(api: Api, pool: ChaosPool, emails: list[str], accepted: Acceptances) -> None:
    api.ask("POST", f"/api/pools/{pool.id}/members", encode({"members": emails}))
    accepted.roster_changes += 1


def _leave(api: Api, pool: ChaosPool, user_id: int, accepted: Acceptances) -> None:
    api.ask("DELETE", f"/api/pools/{pool.id}/members/{user_id}")
    accepted.roster_changes += 1
