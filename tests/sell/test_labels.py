"""Labels: sources and tags by themselves, what records bear of them, and how they come up wherever
records do."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy.orm import Session

from tests.api.asking import faults, posted
from tests.sell.asking import created, listed, names, shown, told, updated, wrong
from tests.support.factories import accepted, imported, pool
from tests.support.invariants import assert_promise, rows
from tests.support.tasks import Tasks
from worker.flows.system import System
from worker.store.records import labels

LONGEST, TOO_LONG = "x" * 320, "x" * 321


def tag(client: Any, name: str, resource_type: str = "lead") -> dict[str, Any]:
    return created(client, "tags", name=name, resource_type=resource_type)


def sheet(header: list[str], *lines: list[str]) -> io.BytesIO:
    """A CSV file."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *lines])
    return io.BytesIO(text.getvalue().encode())


# --- made ---


def test_a_label_is_made_once_for_each_type_of_records(client: Any, member: Any) -> None:
    source, mine = created(client, "lead_sources", name=" Fair "), tag(member, "hot")

    assert (source["name"], source["resource_type"], source["creator_id"]) == ("Fair", "lead", 1)
    assert (mine["name"], mine["resource_type"]) == ("hot", "lead")
    assert mine["creator_id"] == shown(member, "users", "self")["id"]
    assert shown(client, "tags", mine["id"]) == mine
    assert {tag(client, "hot", kind)["resource_type"] for kind in ("contact", "deal")} == {
        "contact",
        "deal",
    }
    assert tag(client, "Hot")["name"] == "Hot"
    for path, attributes in (
        ("tags", {"name": " hot ", "resource_type": "lead"}),
        ("lead_sources", {"name": "Fair"}),
    ):
        answer = client.post(f"/v2/{path}", json={"data": attributes})
        assert wrong(answer) == [(422, "/data/name", "already_exists")]
        assert faults(answer)[0]["resource"] == path.removesuffix("s")
    assert len(listed(client, "tags")) == 4


def test_a_label_needs_a_name_that_an_index_holds_and_a_tag_a_type(client: Any) -> None:
    for path, attributes, fault in (
        ("tags", {"resource_type": "lead"}, (422, "/data/name", "missing")),
        ("tags", {"name": " ", "resource_type": "lead"}, (422, "/data/name", "blank")),
        ("tags", {"name": "t"}, (422, "/data/resource_type", "missing")),
        ("tags", {"name": "t", "resource_type": None}, (422, "/data/resource_type", "blank")),
        (
            "tags",
            {"name": "t", "resource_type": "task"},
            (422, "/data/resource_type", "incorrect_value"),
        ),
        (
            "tags",
            {"name": TOO_LONG, "resource_type": "lead"},
            (422, "/data/name", "incorrect_value"),
        ),
        (
            "tags",
            {"name": "t", "resource_type": "lead", "color": "red"},
            (422, "/data/color", "unknown"),
        ),
        ("lead_sources", {}, (422, "/data/name", "missing")),
        ("lead_sources", {"name": 7}, (422, "/data/name", "invalid_type")),
        ("lead_sources", {"name": TOO_LONG}, (422, "/data/name", "incorrect_value")),
        (
            "lead_sources",
            {"name": "s", "resource_type": "deal"},
            (422, "/data/resource_type", "incorrect_value"),
        ),
    ):
        assert wrong(client.post(f"/v2/{path}", json={"data": attributes})) == [fault]
    assert created(client, "lead_sources", name=LONGEST, resource_type="lead")["name"] == LONGEST
    assert (names(client, "tags"), names(client, "lead_sources")) == ([], [LONGEST])


# --- renamed ---


def test_records_bear_a_tags_new_name_each_once_and_in_its_place(client: Any) -> None:
    odd = 'it\'s "100%" 日本 \\ :old'
    borne: tuple[list[str], ...] = (
        ["a", "old", "z"],
        ["new", "old"],
        ["old", "a", "new"],
        ["older", "Old"],
        [],
        ["old"],
    )
    leads = [created(client, "leads", last_name="L", tags=tags)["id"] for tags in borne]
    contact = created(client, "contacts", last_name="L", tags=["old"])["id"]
    [old] = listed(client, "tags", {"name": "old", "resource_type": "lead"})
    [new] = listed(client, "tags", {"name": "new"})

    assert wrong(client.put(f"/v2/tags/{old['id']}", json={"data": {"name": "new"}})) == [
        (422, "/data/name", "already_exists")
    ]
    client.delete(f"/v2/tags/{new['id']}")
    assert [shown(client, "leads", lead)["tags"] for lead in leads[:3]] == [
        ["a", "old", "z"],
        ["old"],
        ["old", "a"],
    ]
    renamed = updated(client, "tags", old["id"], name=odd)
    assert [shown(client, "leads", lead)["tags"] for lead in leads] == [
        ["a", odd, "z"],
        [odd],
        [odd, "a"],
        ["older", "Old"],
        [],
        [odd],
    ]
    assert (renamed["name"], renamed["id"], renamed["created_at"]) == (
        odd,
        old["id"],
        old["created_at"],
    )
    assert shown(client, "contacts", contact)["tags"] == ["old"]
    assert updated(client, "tags", old["id"], name="plain", resource_type="lead")["name"] == "plain"
    assert shown(client, "leads", leads[0])["tags"] == ["a", "plain", "z"]
    assert names(client, "leads", {"ids": leads[0]}) == ["L"]


def test_a_record_that_has_both_names_has_the_new_one_once(client: Any, system: System) -> None:
    lead = created(client, "leads", last_name="L", tags=["z", "old", "a", TOO_LONG, "kept"])["id"]
    other = created(client, "leads", last_name="L", tags=[TOO_LONG, "a", "old"])["id"]
    [old] = listed(client, "tags", {"name": "old"})

    def rename(session: Session) -> None:
        locked = labels.lock(session, "tag", old["id"])
        assert locked is not None
        labels.rename(session, locked, TOO_LONG)

    system.transact(rename)

    assert shown(client, "leads", lead)["tags"] == ["z", TOO_LONG, "a", "kept"]
    assert shown(client, "leads", other)["tags"] == [TOO_LONG, "a"]


def test_records_bear_a_sources_new_name(client: Any) -> None:
    source, other = (
        created(client, "lead_sources", name="Fair"),
        created(client, "lead_sources", name="Web"),
    )
    lead, stranger = (
        created(client, "leads", last_name="L", source_id=each["id"]) for each in (source, other)
    )
    contact = created(client, "contacts", last_name="L")["id"]
    deal = created(client, "deals", name="D", contact_id=contact, source_id=source["id"])

    assert (
        updated(client, "lead_sources", source["id"], name="Fair's 2026")["name"] == "Fair's 2026"
    )
    assert updated(client, "lead_sources", source["id"], name="Fair's 2026") == shown(
        client, "lead_sources", source["id"]
    )
    assert wrong(
        client.put(f"/v2/lead_sources/{source['id']}", json={"data": {"name": "Web"}})
    ) == [(422, "/data/name", "already_exists")]
    assert [
        shown(client, path, record["id"])["source_id"]
        for path, record in (("leads", lead), ("deals", deal))
    ] == [source["id"]] * 2
    assert [item["id"] for item in listed(client, "leads", {"source_id": source["id"]})] == [
        lead["id"]
    ]
    assert shown(client, "leads", stranger["id"]) == stranger


def test_what_a_label_belongs_to_stays(client: Any) -> None:
    made = tag(client, "t")

    for attributes, code in (
        ({"resource_type": "deal"}, "incorrect_value"),
        ({"name": None}, "blank"),
        ({"name": TOO_LONG}, "incorrect_value"),
    ):
        [(status, field, found)] = wrong(
            client.put(f"/v2/tags/{made['id']}", json={"data": attributes})
        )
        assert (status, field, found) == (422, f"/data/{next(iter(attributes))}", code)
    assert told(client.put(f"/v2/tags/{made['id']}", json={"data": made})) == made
    source = created(client, "lead_sources", name="t")
    assert wrong(client.get(f"/v2/tags/{source['id']}")) == [(404, None, "not_found")]
    assert wrong(client.put(f"/v2/lead_sources/{made['id']}", json={"data": {"name": "x"}})) == [
        (404, None, "not_found")
    ]


# --- removed ---


def test_a_label_that_is_deleted_is_taken_off_the_records(client: Any) -> None:
    source, other = (
        created(client, "lead_sources", name="Fair")["id"],
        created(client, "lead_sources", name="Web")["id"],
    )
    lead, stranger = (
        created(client, "leads", last_name="L", source_id=each, tags=["a", "b"])["id"]
        for each in (source, other)
    )
    contact = created(client, "contacts", last_name="L", tags=["b"])["id"]
    deal = created(client, "deals", name="D", contact_id=contact, source_id=source)["id"]
    [b] = listed(client, "tags", {"name": "b", "resource_type": "lead"})

    for path in (f"tags/{b['id']}", f"lead_sources/{source}"):
        answer = client.delete(f"/v2/{path}")
        assert (answer.status_code, answer.content, answer.headers.get("content-type")) == (
            204,
            b"",
            None,
        )

    assert [shown(client, "leads", each)["tags"] for each in (lead, stranger)] == [["a"], ["a"]]
    assert shown(client, "contacts", contact)["tags"] == ["b"]
    assert (
        shown(client, "leads", lead)["source_id"],
        shown(client, "deals", deal)["source_id"],
    ) == (None, None)
    assert shown(client, "leads", stranger)["source_id"] == other
    assert (names(client, "lead_sources"), names(client, "tags")) == (["Web"], ["a", "b"])
    assert wrong(client.put(f"/v2/leads/{lead}", json={"data": {"source_id": source}})) == [
        (422, "/data/source_id", "incorrect_value")
    ]
    assert updated(client, "leads", lead, tags=["b"])["tags"] == ["b"]
    assert names(client, "tags", {"resource_type": "lead"}) == ["a", "b"]


def test_what_another_has_made_is_left_alone_but_by_an_admin(
    client: Any, member: Any, reassigner: Any
) -> None:
    theirs, mine = tag(client, "theirs"), tag(member, "mine")
    source = created(client, "lead_sources", name="Fair")

    for somebody, label in (
        (member, f"tags/{theirs['id']}"),
        (reassigner, f"tags/{mine['id']}"),
        (member, f"lead_sources/{source['id']}"),
    ):
        for answer in (
            somebody.put(f"/v2/{label}", json={"data": {"name": "x"}}),
            somebody.delete(f"/v2/{label}"),
        ):
            assert wrong(answer) == [(403, None, "insufficient_scope")]
    assert names(client, "tags") == ["theirs", "mine"]
    assert updated(member, "tags", mine["id"], name="still mine")["name"] == "still mine"
    assert updated(client, "tags", mine["id"], name="renamed")["creator_id"] == mine["creator_id"]
    assert client.delete(f"/v2/tags/{mine['id']}").status_code == 204


# --- coming up ---


def test_labels_come_up_with_what_is_captured(client: Any, system: System) -> None:
    pool(system)
    lead = {
        "last_name": "L",
        "source": "Form",
        "status": "Hot",
        "tags": ["x", "y", TOO_LONG],
        "Budget": 7,
        "custom_fields": {"Size": 1},
    }

    answer = client.post("/api/leads/capture", json={"pool": "Inbound", "lead": lead})

    assert answer.status_code == 202
    assert (names(client, "lead_sources"), names(client, "tags", {"sort_by": "name"})) == (
        ["Form"],
        ["x", "y"],
    )
    assert sorted(names(client, "lead/custom_fields")) == ["Budget", "Size"]
    assert names(client, "lead_statuses")[-1] == "Hot"
    assert names(client, "contact/custom_fields") == []
    [captured] = listed(
        client,
        "leads",
        {"source_id": listed(client, "lead_sources")[0]["id"], "custom_fields[Budget]": "7"},
    )
    assert captured["tags"] == ["x", "y", TOO_LONG]


def test_labels_come_up_with_an_import(client: Any, system: System, send: Tasks) -> None:
    pool(system, record_type="deal")
    long = TOO_LONG + "é" * 3_000
    file = sheet(
        ["name", "source", "tags", "Term", long],
        ["D", "Fair", "a, b", "x", "1"],
        ["E", "", "b; c", "", ""],
        ["F", long, long, "", ""],
    )

    imported(system, send, file, record_type="deal")

    assert names(client, "lead_sources") == ["Fair"]
    assert names(client, "tags", {"resource_type": "deal", "sort_by": "name"}) == ["a", "b", "c"]
    assert (names(client, "deal/custom_fields"), names(client, "lead/custom_fields")) == (
        ["Term"],
        [],
    )
    deals = listed(client, "deals")
    assert [deal["tags"] for deal in deals] == [["a", "b"], ["b", "c"], [long]]
    [source] = listed(client, "lead_sources")
    assert [deal["source_id"] for deal in deals] == [source["id"], None, None]
    assert [deal["custom_fields"] for deal in deals] == [{"Term": "x", long: "1"}, {}, {}]
    assert_promise(system)


def test_an_import_may_bring_thousands_of_names(client: Any, system: System, send: Tasks) -> None:
    pool(system)
    created(client, "leads", last_name="L", tags=["t1", "t2999"])
    lines = [
        [f"L{row}", f"s{row % 1_500}", ",".join(f"t{row * 3 + at}" for at in range(3))]
        for row in range(1_000)
    ]

    imported(system, send, sheet(["last_name", "source", "tags"], *lines))

    found = rows(
        system,
        "SELECT kind, count(*) AS times, count(DISTINCT name) AS names FROM labels WHERE kind <> "
        "'status' GROUP BY kind",
    )
    assert {(row["kind"], row["times"], row["names"]) for row in found} == {
        ("tag", 3_000, 3_000),
        ("source", 1_000, 1_000),
    }


def test_chunks_that_bear_the_same_names_are_loaded_side_by_side(
    client: Any, system: System, send: Tasks
) -> None:
    pool(system)
    lines = [
        [f"L{row}", f"s{-row % 7}", ",".join(f"t{(row * 31 + at) % 400}" for at in range(8))]
        for row in range(1_000)
    ]
    run_id = accepted(system, sheet(["last_name", "source", "tags"], *lines))

    send.drain_in_threads(system, workers=4, times=2)

    [run] = rows(system, "SELECT state, records FROM runs WHERE id = :run", run=run_id)
    assert (run["state"], run["records"]) == ("done", 1_000)
    assert len(rows(system, "SELECT run_id FROM chunks")) > 2
    found = rows(
        system, "SELECT kind, count(*) AS times FROM labels WHERE kind <> 'status' GROUP BY kind"
    )
    assert {(row["kind"], row["times"]) for row in found} == {("tag", 400), ("source", 7)}
    assert_promise(system)


def test_the_same_label_made_by_several_at_once_is_there_once(client: Any) -> None:
    def make(number: int) -> list[int]:
        made = client.post("/v2/tags", json={"data": {"name": "t", "resource_type": "lead"}})
        borne = client.post(
            "/v2/leads", json={"data": {"last_name": "L", "tags": ["t", f"t{number % 2}"]}}
        )
        return [made.status_code, borne.status_code]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(make, range(8)))

    assert {status for status, _ in answers} <= {200, 422}
    assert {status for _, status in answers} == {200}
    assert sorted(names(client, "tags")) == ["t", "t0", "t1"]
    assert posted(client, "/v2/leads", data={"last_name": "L", "tags": ["t"]})["data"]["tags"] == [
        "t"
    ]
