"""The promise, asserted. Written apart from the product: plain SQL, and its own arithmetic, turn by
turn."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import text

from worker.domain.turns.claims import name_capture_claim
from worker.flows.audit.verify import verify
from worker.flows.runs.imports import RECEIPT
from worker.flows.system import System
from worker.ring import keys
from worker.store.tables import metadata

Rows = list[dict[str, Any]]


@dataclass
class Book:
    """All that SQL and Redis hold of one pool."""

    pool: dict[str, Any]
    rosters: Rows
    ledger: Rows
    history: Rows
    takebacks: Rows
    blocks: Rows
    records: Rows
    made_along: set[tuple[int, int]]
    """The (turn, record) of contacts and deals that were made of one lead, and share its turn."""
    ring: Any
    taken: list[int]
    """The turns that the ring keeps for captured leads in line, who have not entered them yet."""

    def __post_init__(self) -> None:
        for roster in self.rosters:
            roster["members"] = (
                json.loads(roster["members"])
                if isinstance(roster["members"], str)
                else roster["members"]
            )

    def in_force(self, turn: int) -> dict[str, Any]:
        return [roster for roster in self.rosters if roster["first_turn"] <= turn][-1]

    def rightful(self, turn: int) -> int:
        roster = self.in_force(turn)
        slot = (roster["first_slot"] + turn - roster["first_turn"]) % len(roster["members"])
        return int(roster["members"][slot])

    def entered(self) -> dict[int, dict[str, Any]]:
        return {entry["turn"]: entry for entry in self.ledger}

    def undone(self) -> list[tuple[str, int]]:
        """The claim and ordinal of each entry that was taken back."""
        return [
            (span["claim"], at)
            for span in self.takebacks
            for at in range(span["first_ordinal"], span["last_ordinal"] + 1)
        ]

    def reserved(self) -> dict[int, str]:
        """The claim of each turn that sits in an open block."""
        return {
            turn: block["claim"]
            for block in self.blocks
            if block["open"]
            for turn in spans(block["turns"].split())
        }


def spans(texts: Sequence[Any]) -> list[int]:
    """The turns in spans that are written FIRST:COUNT."""
    pairs = [tuple(map(int, str(span).split(":"))) for span in texts]
    return [turn for first, count in pairs for turn in range(first, first + count)]


def rows(system: System, statement: str, **values: Any) -> Rows:
    with system.reading() as session:
        return [dict(row._mapping) for row in session.execute(text(statement), values)]


def book(system: System, pool: dict[str, Any]) -> Book:
    of_pool = {"pool": pool["id"]}
    return Book(
        pool,
        rows(system, "SELECT * FROM rosters WHERE pool_id = :pool ORDER BY version", **of_pool),
        rows(system, "SELECT * FROM ledger WHERE pool_id = :pool ORDER BY turn", **of_pool),
        rows(system, "SELECT * FROM ledger_history WHERE pool_id = :pool", **of_pool),
        rows(system, "SELECT * FROM reversals WHERE pool_id = :pool", **of_pool),
        rows(system, "SELECT * FROM blocks WHERE pool_id = :pool", **of_pool),
        rows(system, f"SELECT id, owner_id, pool_id, turn FROM {pool['record_type']}s"),
        made_along(system, pool),
        system.ring.state(pool["id"]),
        taken_for_the_line(system, pool),
    )


def made_along(system: System, pool: dict[str, Any]) -> set[tuple[int, int]]:
    made = {"contact": ("individual_id", "organization_id"), "deal": ("deal_id",)}.get(
        pool["record_type"], ()
    )
    converted = rows(system, "SELECT * FROM conversions WHERE pool_id = :pool", pool=pool["id"])
    return {
        (conversion["turn"], conversion[name])
        for conversion in converted
        for name in made
        if conversion[name]
    }


def taken_for_the_line(system: System, pool: dict[str, Any]) -> list[int]:
    line = rows(
        system,
        "SELECT lead_id FROM captures WHERE pool_id = :pool AND NOT set_aside",
        pool=pool["id"],
    )
    kept = [
        system.ring._client.get(keys.claim(pool["id"], name_capture_claim(lead["lead_id"])))
        for lead in line
    ]
    under_this_epoch = (answer.split() for answer in kept if answer)
    return [
        turn
        for epoch, *turns in under_this_epoch
        if epoch == pool["epoch"]
        for turn in spans(turns)
    ]


def assert_promise(system: System, *, quiet: bool = True) -> None:
    """Holds the ledger, the records and the ring of every pool to the promise.

    Unless quiet, turns may be missing that were taken and never entered, and the ring may have gone
    back in time: the next seeding returns the one and mends the other.
    """
    for pool in rows(system, "SELECT * FROM pools"):
        kept = book(system, pool)
        assert_rosters_follow(kept)
        assert_in_turn(kept)
        assert_once(kept)
        assert_undone(kept)
        assert_records_agree(kept)
        if quiet:
            assert_none_skipped(kept)
    assert_waiting_leads_wait(system)
    assert_runs_add_up(system)


def assert_all_is_well(system: System) -> None:
    """The promise holds, by this arithmetic and by `verify`."""
    assert_promise(system)
    assert [report.violations for report in verify(system) if not report.holds] == []


def assert_waiting_leads_wait(system: System) -> None:
    """A captured lead that waits belongs to its pool's phantom user and has no turn; one that has
    no owner yet waits."""
    leads = (
        "SELECT leads.id, leads.turn, captures.lead_id, captures.pool_id FROM leads {} JOIN "
        "captures ON captures.lead_id = leads.id"
    )
    waiting = rows(
        system,
        leads.format("") + " WHERE leads.owner_id <> captures.pool_id OR leads.turn IS NOT NULL",
    )
    assert not waiting, ("they wait, though they have their owner", waiting)
    forgotten = rows(
        system,
        leads.format("LEFT")
        + " JOIN pools ON pools.id = leads.owner_id WHERE captures.lead_id IS NULL",
    )
    assert not forgotten, ("they belong to a pool, and don't wait", forgotten)


def assert_runs_add_up(system: System) -> None:
    """What a run has done is there, or was undone since, and it gave back every turn that it didn't
    use. A reassignment gave the records of its list the turns of its block, in order."""
    for run in rows(system, "SELECT * FROM runs WHERE ended_at IS NOT NULL AND state <> 'failed'"):
        claimed = {"claim": f"{run['kind']}:{run['id']}"}
        chunks = rows(
            system,
            "SELECT records FROM chunks WHERE run_id = :run AND done_at IS NOT NULL",
            run=run["id"],
        )
        skipped = rows(system, "SELECT ordinal FROM skips WHERE run_id = :run", run=run["id"])
        assert (run["records"] + run["skipped"], run["skipped"]) == (
            sum(chunk["records"] for chunk in chunks),
            len(skipped),
        ), run
        assert not rows(
            system, "SELECT turns FROM blocks WHERE claim = :claim AND open", **claimed
        ), run
        if run["turns"]:
            assert (len(entries_of(system, **claimed)), run["returned"]) == (
                run["records"],
                run["turns"] - run["records"],
            ), run
            assert_in_block_order(system, run)
        if run["kind"] == "undo":
            assert_taken_back(system, run)


def assert_taken_back(system: System, run: dict[str, Any]) -> None:
    """An undo has taken back one entry of its pool for each record; and has moved those to the
    history whose turns came back."""
    [undo] = rows(system, "SELECT * FROM undos WHERE run_id = :run", run=run["id"])
    if not rows(system, "SELECT id FROM pools WHERE id = :pool", pool=run["owner_id"]):
        assert run["returned"] == 0, run
        return
    undone = (
        "FROM {} JOIN reversals t USING (pool_id, claim) WHERE t.run_id = :run AND ordinal BETWEEN "
        "t.first_ordinal AND t.last_ordinal"
    )
    spent, moved = (
        rows(system, f"SELECT 1 {undone.format(book)}", run=run["id"])
        for book in ("ledger", "ledger_history")
    )
    assert (len(spent) + len(moved), len(moved)) == (run["records"], run["returned"]), run
    assert undo["returns_turns"] or not moved, run


def entries_of(system: System, claim: str) -> Rows:
    """What a claim has entered, be it in the ledger or, since its turn came back, in its
    history."""
    columns = "SELECT turn, ordinal, record_id, user_id, previous_owner_id FROM"
    both = (
        f"{columns} ledger WHERE claim = :claim UNION ALL {columns} ledger_history WHERE claim = "
        ":claim ORDER BY ordinal"
    )
    return rows(system, both, claim=claim)


def assert_in_block_order(system: System, run: dict[str, Any]) -> None:
    """Each entry has the turn of its place in the block, and of a reassignment the record of its
    place in the list."""
    claim = f"{run['kind']}:{run['id']}"
    [block] = rows(system, "SELECT turns FROM blocks WHERE claim = :claim", claim=claim)
    turns, entries = spans(block["turns"].split()), entries_of(system, claim)
    assert [entry["turn"] for entry in entries] == [turns[entry["ordinal"]] for entry in entries], (
        run
    )
    if run["kind"] == "reassign":
        listed = rows(
            system, "SELECT ordinal, record_id FROM selections WHERE run_id = :run", run=run["id"]
        )
        by_place = {place["ordinal"]: place["record_id"] for place in listed}
        assert [entry["record_id"] for entry in entries] == [
            by_place[entry["ordinal"]] for entry in entries
        ], run


def assert_rosters_follow(book: Book) -> None:
    """Newcomers are at the end, and next stays next, or else the member after them is."""
    first = book.rosters[0]
    assert (first["version"], first["first_turn"], first["first_slot"]) == (1, 1, 0)
    for old, new in zip(book.rosters, book.rosters[1:], strict=False):
        stay = [user for user in old["members"] if user in new["members"]]
        assert new["version"] == old["version"] + 1, (old, new)
        assert new["first_turn"] >= old["first_turn"], (old, new)
        assert new["members"][: len(stay)] == stay, (old, new)
        assert not repeated(new["members"]), new
        if stay:
            after = old["first_slot"] + new["first_turn"] - old["first_turn"]
            turns = (
                old["members"][(after + step) % len(old["members"])]
                for step in range(len(old["members"]))
            )
            assert new["members"][new["first_slot"]] == next(
                user for user in turns if user in stay
            ), (old, new)


def assert_in_turn(book: Book) -> None:
    """Each turn went to the one that the roster in force names, a void one to a member who left."""
    latest = book.rosters[-1]
    for entry in book.ledger:
        assert entry["user_id"] == book.rightful(entry["turn"]), entry
        if entry["record_id"] is None:
            later = [
                roster
                for roster in book.rosters
                if roster["first_turn"] >= entry["turn"] or roster is latest
            ]
            assert any(entry["user_id"] not in roster["members"] for roster in later), (
                "void, though its member stayed",
                entry,
            )


def assert_once(book: Book) -> None:
    """No turn, and no ordinal of a claim, is used twice; no turn is reserved twice."""
    assert not repeated(entry["turn"] for entry in book.ledger)
    assert not repeated((entry["claim"], entry["ordinal"]) for entry in book.ledger)
    assert not repeated(
        turn for block in book.blocks if block["open"] for turn in spans(block["turns"].split())
    )
    entered = book.entered()
    for turn, claim in book.reserved().items():
        assert turn not in entered or entered[turn]["claim"] == claim, (
            "a reserved turn was stolen",
            turn,
            claim,
        )


def assert_undone(book: Book) -> None:
    """What was taken back once was entered once, and all of the history was taken back."""
    undone, history = book.undone(), [(entry["claim"], entry["ordinal"]) for entry in book.history]
    entered = history + [(entry["claim"], entry["ordinal"]) for entry in book.ledger]
    assert not repeated(undone)
    assert not repeated(entered)
    assert set(history) <= set(undone) <= set(entered), (
        "taken back and never entered",
        set(undone) - set(entered),
    )


def repeated(things: Any) -> list[Any]:
    return [thing for thing, times in Counter(things).items() if times > 1]


def assert_records_agree(book: Book) -> None:
    """A record that a turn gave its owner is the record of that turn's entry, which stands, and its
    owner is the entry's."""
    entered, undone, ids = (
        book.entered(),
        set(book.undone()),
        {record["id"] for record in book.records},
    )
    for record in book.records:
        if record["pool_id"] == book.pool["id"]:
            entry = entered[record["turn"]]
            assert entry["user_id"] == record["owner_id"], (record, entry)
            assert (entry["claim"], entry["ordinal"]) not in undone, (
                "it was undone",
                record,
                entry,
            )
            assert (
                entry["record_id"] == record["id"]
                or (record["turn"], record["id"]) in book.made_along
            ), (record, entry)
    for entry in book.ledger:
        assert entry["record_id"] is None or entry["record_id"] in ids, (
            "an entry without its record",
            entry,
        )


def assert_none_skipped(book: Book) -> None:
    """Turns 1 to T are all entered, or in an open block, or wait in the ring, or will as soon as it
    is seeded; and the ring is where SQL says."""
    used, ring, latest = {*book.entered(), *book.reserved()}, book.ring, book.rosters[-1]
    if ring is None or ring.epoch != book.pool["epoch"]:
        skipped = set(range(1, book.pool["watermark"] + 1)) - used
        assert not skipped, (
            "the next seeding, which looks for unused turns above the watermark, won't find them",
            skipped,
        )
        return
    returned = spans(ring.returned)
    assert not used & set(returned), ("returned, though it is used", used & set(returned))
    assert returned == sorted(set(returned))
    known = used | set(returned) | set(book.taken)
    assert known == set(range(1, ring.next_turn)), (
        "skipped",
        set(range(1, ring.next_turn)) - known,
    )
    assert not set(book.taken) & set(returned), (
        "returned, though somebody in line has it",
        returned,
    )
    assert not repeated(book.taken)
    assert (ring.version, list(ring.members)) == (latest["version"], latest["members"])
    assert all(book.rightful(turn) in ring.members for turn in returned), (
        "returned to somebody who left",
        returned,
    )
    if ring.members:
        assert ring.members[ring.cursor] == book.rightful(ring.next_turn)


def everything(system: System) -> dict[str, Rows]:
    """All that the database holds."""
    with system.reading() as session:
        found = {
            table.name: session.execute(text(f"SELECT * FROM {table.name}")).mappings().all()
            for table in metadata.sorted_tables
        }
    return {name: sorted(map(dict, some), key=repr) for name, some in found.items()}


def digest(system: System) -> str:
    """A hash of all that the database holds, but for when tokens were used."""
    found = everything(system)
    for token in found["tokens"]:
        token.pop("last_used_at")
    return sha256(repr(found).encode()).hexdigest()


def receipt(system: System, run_id: int) -> list[dict[str, str]]:
    """The lines of an import's receipt."""
    [run] = rows(system, "SELECT folder FROM imports WHERE run_id = :run", run=run_id)
    with system.uploads.open(f"{run['folder']}/{RECEIPT}") as file:
        return list(csv.DictReader(file.read().decode().splitlines()))


def assert_in_file_order(system: System, run_id: int) -> list[int]:
    """The rows of an import have the turns of its block, in the order of the file, as its receipt
    says. Returns those turns."""
    [run] = rows(system, "SELECT * FROM runs WHERE id = :run", run=run_id)
    [block] = rows(
        system, "SELECT turns FROM blocks WHERE claim = :claim", claim=f"import:{run_id}"
    )
    claimed = (
        "SELECT turn, record_id, user_id, email FROM ledger JOIN users ON users.id = user_id WHERE "
        "claim = :claim ORDER BY ordinal"
    )
    entries, lines = rows(system, claimed, claim=f"import:{run_id}"), receipt(system, run_id)
    good = [line for line in lines if not line["error"]]

    assert (run["state"], run["rows"], run["records"], run["turns"]) == (
        "done",
        len(lines),
        len(good),
        len(good),
    )
    assert [int(line["line"]) for line in lines] == sorted({int(line["line"]) for line in lines})
    assert [entry["turn"] for entry in entries] == spans(block["turns"].split())
    told = [(line["turn"], line["record_id"], line["owner"]) for line in good]
    assert told == [
        (str(entry["turn"]), str(entry["record_id"]), entry["email"]) for entry in entries
    ]
    return [entry["turn"] for entry in entries]
