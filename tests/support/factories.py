"""Short makers of what a test begins with: people, pools, files, imports."""

import csv
import io
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from string import ascii_lowercase
from typing import Any

from sqlalchemy import text, update

from tests.support.tasks import Tasks
from worker.domain.filters import RecordList, as_json, parse
from worker.domain.intake.leads import parse_lead
from worker.domain.records.record_type import RecordType
from worker.domain.runs.record_ids import RecordIds
from worker.domain.turns.causes import Cause
from worker.domain.turns.pool import Pool
from worker.errors.people import UnknownUser
from worker.flows.intake import capture
from worker.flows.names import (
    find_owner_by_name,
    find_pool_by_name,
    find_user_by_name,
    find_users_by_name,
)
from worker.flows.people import access, people
from worker.flows.runs import imports, reassign, undo
from worker.flows.system import System
from worker.flows.turns import assign, pools
from worker.store.people import users
from worker.store.records import records
from worker.store.sql.engine import writing
from worker.store.tables import captures, chunks, enrichments, ledger, runs


def email(number: int) -> str:
    """a@example.com for 0, b@example.com for 1, and so on; past z aa, ab, ..."""
    letters = ascii_lowercase[number % 26]
    return f"{ascii_lowercase[number // 26 - 1] if number >= 26 else ''}{letters}@example.com"


def emails(count: int) -> list[str]:
    return [email(number) for number in range(count)]


def person(system: System, address: str, **may: bool) -> int:
    """The id of the user with that email, who joins if need be: with is_admin, or can_reassign."""
    try:
        with system.reading() as session:
            return int(find_user_by_name(session, address).id)
    except UnknownUser:
        name = address.partition("@")[0].title()
        return int(system.transact(people.add, name, address, **may).id)


def deactivate(system: System, name: str) -> list[str]:
    """Deactivates the user with that email or name, and returns the names of the pools they
    left."""
    with system.reading() as session:
        user_id = find_user_by_name(session, name).id
    return system.transact(people.deactivate, user_id, None).left


def token_of(system: System, address: str, **may: bool) -> str:
    """A new token of the user with that email, who joins if need be."""
    user_id = person(system, address, **may)
    return system.transact(access.issue, user_id, "tests").token


def pool(
    system: System,
    members: int | Collection[str] = 3,
    name: str = "Inbound",
    record_type: str = "lead",
) -> Pool:
    """A pool of so many people, or of those people: a@example.com has turn 1."""
    addresses = emails(members) if isinstance(members, int) else list(members)
    ids = [person(system, address) for address in addresses]
    pool_id = system.transact(pools.create, name, record_type, ids, None)
    return system.transact(pools.find, pool_id)


def join(system: System, *addresses: str, name: str = "Inbound") -> None:
    members = [person(system, address) for address in addresses]
    system.transact(pools.add_members, pool_id_of(system, name), members, None)


def leave(system: System, *addresses: str, name: str = "Inbound") -> None:
    with system.reading() as session:
        members = find_users_by_name(session, addresses)
    system.transact(pools.remove_members, pool_id_of(system, name), members, None)


def delete_pool(system: System, name: str = "Inbound") -> None:
    system.transact(pools.delete, pool_id_of(system, name))


def pool_id_of(system: System, name: str = "Inbound") -> int:
    with system.reading() as session:
        return find_pool_by_name(session, name).id


def lead(system: System, owner: str = "admin@example.com", record_type: str = "lead") -> int:
    """The id of a record that a person owns."""
    owner_id = person(system, owner)
    return system.transact(records.add, RecordType(record_type), owner_id, {})


def give(
    system: System,
    *record_ids: int,
    name: str = "Inbound",
    record_type: str = "lead",
    deed: str = "edit",
) -> list[str]:
    """Gives records to a pool, as somebody does who edits their owner. Returns the emails of who
    got them, in order."""
    pool_id = pool_id_of(system, name)
    requests = [
        assign.TurnRequest(f"{record_type}:{record_id}:{deed}", record_id, None)
        for record_id in record_ids
    ]
    owners = system.transact(assign.assign, pool_id, RecordType(record_type), requests, Cause.EDIT)
    return [address_of(system, owners[record_id]) for record_id in record_ids]


def give_leads(system: System, count: int, name: str = "Inbound") -> str:
    """The first letters of who got so many new leads, one after another: "abca"."""
    return "".join(give(system, lead(system), name=name)[0][0] for _ in range(count))


def address_of(system: System, user_id: int) -> str:
    with system.reading() as session:
        return str(users.get(session, user_id).email)


def owner_id_of(system: System, name: str) -> int:
    """The id of a pool or a person by name, or of a person by email."""
    with system.reading() as session:
        return int(find_owner_by_name(session, name).id)


def sheet(rows: int, bad: Collection[int] = (), record_type: str = "lead") -> io.BytesIO:
    """A CSV file of so many rows, numbered from 0 in their names. Those in bad lack what a record
    needs."""
    text = io.StringIO()
    writer = csv.writer(text)
    needed = "name" if record_type == "deal" else "last_name"
    writer.writerow(["first_name" if record_type != "deal" else "stage", needed, "Territory"])
    writer.writerows(
        [f"F{row}", "" if row in bad else f"L{row}", f"T{row % 3}"] for row in range(rows)
    )
    return io.BytesIO(text.getvalue().encode())


def accepted(
    system: System,
    file: io.BytesIO,
    owner: str = "Inbound",
    record_type: str = "lead",
    mapping: dict[str, str] | None = None,
) -> int:
    """The id of a run whose scan waits to be run."""
    request = imports.ImportRequest(
        "leads.csv", record_type, owner_id_of(system, owner), mapping or {}
    )
    return imports.accept(system, request, file)


def imported(
    system: System,
    send: Tasks,
    file: io.BytesIO,
    owner: str = "Inbound",
    record_type: str = "lead",
) -> int:
    """The id of a run that is done."""
    run_id = accepted(system, file, owner, record_type)
    send.drain(system)
    return run_id


def owned(
    system: System,
    count: int,
    owner: str = "admin@example.com",
    record_type: str = "lead",
) -> list[int]:
    """The ids of so many records that a person owns."""
    owner_id = person(system, owner)
    named = "name" if record_type == "deal" else "last_name"
    made = [{named: f"R{number}", "tags": [], "custom_fields": {}} for number in range(count)]
    return system.transact(records.add_all, RecordType(record_type), owner_id, None, made)


def smart_list(
    system: System,
    filter: dict[str, Any],
    order: str = "id:asc",
    record_type: str = "lead",
) -> RecordList:
    """A list that isn't saved."""
    return RecordList(
        "a list", RecordType(record_type), as_json(parse(RecordType(record_type), filter)), order
    )


def to_reassign(system: System, wanted: RecordList | RecordIds, owner: str = "Inbound") -> int:
    """The id of a run whose list waits to be frozen."""
    return system.transact(reassign.accept, wanted, owner_id_of(system, owner), None)


def reassigned(
    system: System, send: Tasks, wanted: RecordList | RecordIds, owner: str = "Inbound"
) -> int:
    """The id of a run that is done."""
    run_id = to_reassign(system, wanted, owner)
    send.drain(system)
    return run_id


def undone(system: System, send: Tasks, run_id: int, *, returns_turns: bool = False) -> int:
    """The id of the run that has undone another."""
    undo_id = system.transact(undo.accept, run_id, None, returns_turns=returns_turns)
    send.drain(system)
    return undo_id


def captured(system: System, count: int, name: str = "Inbound") -> list[int]:
    """The ids of new leads that wait for the pool's next members."""
    leads = [parse_lead({"last_name": f"Lead {number}"}) for number in range(count)]
    with system.reading() as unit:
        pool_id = find_pool_by_name(unit, name).id
    return system.transact(capture.accept, pool_id, leads)


def leases_run_out(system: System) -> None:
    """Whoever is on a scan, a chunk, a captured lead or a lookup has given no sign of life for an
    hour."""
    earlier = datetime.now(UTC) - timedelta(hours=1)
    with writing(system.engine) as session:
        for table in (runs, chunks, captures, enrichments):
            session.execute(
                update(table).where(table.c.leased_until.is_not(None)).values(leased_until=earlier)
            )


def an_hour_passes(system: System) -> None:
    """Every sign of life and of progress, every acceptance and every entry is an hour older, and
    what is due is so for an hour."""
    leases_run_out(system)
    earlier = datetime.now(UTC) - timedelta(hours=1)
    with writing(system.engine) as session:
        for moment in (runs.c.moved_at, captures.c.accepted_at, ledger.c.at, enrichments.c.due_at):
            session.execute(update(moment.table).values({moment: earlier}))


def execute(system: System, statement: str) -> int:
    """How many rows a statement has changed, past the product."""
    with writing(system.engine) as session:
        return session.connection().execute(text(statement)).rowcount


def poison(system: System, record_id: int) -> None:
    """From now on nobody can enter that record in the ledger, until there is an antidote."""
    it = f"NEW.record_id = {record_id}"
    statements = {
        "sqlite": (
            f"CREATE TRIGGER poison BEFORE INSERT ON ledger WHEN {it} BEGIN SELECT RAISE(ABORT, "
            "'poison'); END"
        ),
        "postgresql": (
            f"ALTER TABLE ledger ADD CONSTRAINT poison CHECK (record_id <> {record_id}) NOT VALID"
        ),
    }
    with writing(system.engine) as session:
        session.execute(text(statements[system.engine.dialect.name]))


def antidote(system: System) -> None:
    statements = {
        "sqlite": "DROP TRIGGER poison",
        "postgresql": "ALTER TABLE ledger DROP CONSTRAINT poison",
    }
    with writing(system.engine) as session:
        session.execute(text(statements[system.engine.dialect.name]))
