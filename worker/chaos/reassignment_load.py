"""The load of reassignments: a stock of leads is reassigned again and again, and some of the runs
are cancelled or undone."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from random import Random

from worker.chaos.api import (
    AGAIN_SECONDS,
    FORM,
    TRIES,
    Acceptances,
    Api,
    ChaosPool,
    NotAccepted,
    encode,
    make_form,
)

MOVERS, MOVE_EVERY_SECONDS = 2, 3.0
STOCK_ROWS = 600
"""Three chunks."""

UNDONE, RETURNING = 0.6, 0.5
CANCELLED, CANCEL_WITHIN_SECONDS = 0.2, 1.0

Pauses = Generator[float, None, None]


def move(
    dice: Random, api: Api, pools: Sequence[ChaosPool], people: Sequence[str], accepted: Acceptances
) -> Iterator[float]:
    """Reassigns any stock, also another thread's: the second run finds leads whose owners have
    changed meanwhile."""
    while True:
        with suppress(NotAccepted):
            if len(accepted.stocks) < MOVERS:
                yield from _import_stock(dice, api, dice.choice(people), accepted)
            else:
                yield from _reassign(
                    dice, api, dice.choice(accepted.stocks), dice.choice(pools), accepted
                )
        yield MOVE_EVERY_SECONDS


def _import_stock(dice: Random, api: Api, owner: str, accepted: Acceptances) -> Pauses:
    """Imports leads for one person, without turns."""
    form = make_form(owner, STOCK_ROWS, dice.randrange(2**31))
    accepted.asked += 1
    stock = yield from api.insist("/api/imports", form, f"stock {dice.randbytes(8).hex()}", FORM)
    accepted.stocks.append(stock["id"])
    yield from _await_end(api, stock["id"])


def _reassign(dice: Random, api: Api, stock: int, pool: ChaosPool, accepted: Acceptances) -> Pauses:
    body = encode({"list": f"import:{stock}", "owner": pool.name})
    accepted.asked += 1
    run = yield from api.insist("/api/reassignments", body, f"move {dice.randbytes(8).hex()}")
    accepted.moves.append(run["id"])
    yield from maybe_cancel(dice, api, run["id"], accepted)
    if dice.random() < UNDONE:
        yield from _await_end(api, run["id"])
        undo = api.ask(
            "POST",
            f"/api/runs/{run['id']}/undo",
            encode({"return_turns": dice.random() < RETURNING}),
        )
        accepted.undos.append(undo["id"])
        yield from maybe_cancel(dice, api, undo["id"], accepted)


def maybe_cancel(dice: Random, api: Api, run_id: int, accepted: Acceptances) -> Pauses:
    """Cancels some runs a moment after they were accepted."""
    if dice.random() < CANCELLED:
        yield dice.random() * CANCEL_WITHIN_SECONDS
        accepted.to_cancel.add(run_id)
        with suppress(NotAccepted):
            api.ask("POST", f"/api/runs/{run_id}/cancel")


def _await_end(api: Api, run_id: int) -> Pauses:
    """Waits for the end of a run. Raises NotAccepted if it takes too long."""
    for _ in range(TRIES):
        with suppress(NotAccepted):
            if api.ask("GET", f"/api/runs/{run_id}")["state"] in ("done", "cancelled"):
                return
        yield AGAIN_SECONDS
    raise NotAccepted
