"""Upserts: the one record that matches is updated, or one is created."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.sell.asking import created, listed, names, shown, told, wrong


def upsert(client: Any, path: str, parameters: dict[str, Any], **attributes: Any) -> Any:
    return client.post(f"/v2/{path}/upsert", params=parameters, json={"data": attributes})


def test_an_upsert_creates_what_does_not_match_and_updates_what_does(client: Any) -> None:
    other = created(client, "leads", last_name="Other", email="other@x")
    matched = {"email": "ada@x", "last_name": "Lovelace"}

    answer = upsert(client, "leads", matched, last_name="Lovelace", email="ada@x", tags=["new"])
    changed = upsert(client, "leads", matched, first_name="Ada", tags=["old"])
    same = upsert(client, "leads", matched, first_name="Ada")
    apart = upsert(
        client, "leads", matched | {"status": "Working"}, last_name="Lovelace", email="ada@x"
    )

    lead = told(answer)
    assert answer.json()["meta"] == {"type": "lead"}
    assert (lead["id"], lead["tags"], lead["creator_id"]) == (other["id"] + 1, ["new"], 1)
    assert told(changed) == lead | {
        "first_name": "Ada",
        "tags": ["old"],
        "updated_at": told(changed)["updated_at"],
    }
    assert told(same) == told(changed)
    assert told(apart)["id"] == lead["id"] + 1
    assert shown(client, "leads", other["id"]) == other


def test_contacts_and_deals_are_upserted_too(client: Any) -> None:
    company = told(
        upsert(
            client,
            "contacts",
            {"is_organization": "True", "name": "O"},
            is_organization=True,
            name="O",
        )
    )
    again = told(
        upsert(
            client,
            "contacts",
            {"is_organization": "True", "name": "O"},
            phone="1",
            is_organization=True,
            name="O",
        )
    )
    matched = {"organization_id": company["id"], "hot": "False"}
    deal = told(upsert(client, "deals", matched, name="D", contact_id=company["id"]))
    dated = told(
        upsert(
            client,
            "deals",
            matched,
            estimated_close_date="2026-03-31",
            name="D",
            contact_id=company["id"],
        )
    )
    found = told(upsert(client, "deals", {"estimated_close_date": "2026-03-31"}, hot=True))

    assert (again["id"], again["phone"]) == (company["id"], "1")
    assert deal["id"] == dated["id"] == found["id"]
    assert wrong(upsert(client, "deals", matched, hot=True)) == [(422, "/data/name", "missing")]


def test_an_upsert_of_several_is_refused_and_changes_none(client: Any) -> None:
    for _ in range(3):
        created(client, "leads", last_name="L", custom_fields={"Key": "k"})
    client.delete("/v2/leads/1")

    assert wrong(upsert(client, "leads", {"last_name": "L"}, title="Dr")) == [
        (409, None, "several_matches")
    ]
    assert wrong(upsert(client, "leads", {"custom_fields[Key]": "k"}, title="Dr")) == [
        (409, None, "several_matches")
    ]
    assert [lead["title"] for lead in listed(client, "leads")] == [None, None]
    client.delete("/v2/leads/2")
    assert told(upsert(client, "leads", {"last_name": "L"}, title="Dr"))["id"] == 3


def test_an_upsert_without_a_condition_or_with_a_wrong_one_is_refused(client: Any) -> None:
    for path, first in (
        ("leads", "address[city]"),
        ("contacts", "address[city]"),
        ("deals", "contact_id"),
    ):
        assert wrong(upsert(client, path, {}, tags=["t"])) == [(400, first, "invalid_param")]
        for bad in ("page", "per_page", "sort_by", "ids", "nothing", "custom_fields[]"):
            assert wrong(upsert(client, path, {bad: "1", "owner_id": 1}, tags=["t"])) == [
                (400, bad, "invalid_param")
            ]
    assert wrong(upsert(client, "leads", {"owner_id": "x"}, last_name="L")) == [
        (400, "owner_id", "invalid_param")
    ]
    assert wrong(upsert(client, "leads", {"status": "New"}, last_name=7)) == [
        (422, "/data/last_name", "invalid_type")
    ]
    assert wrong(upsert(client, "leads", {"status": "New"}, first_name="F")) == [
        (422, "/data/last_name", "missing")
    ]
    for path in ("users", "tags", "lead_sources", "stages"):
        assert client.post(f"/v2/{path}/upsert?name=x", json={"data": {}}).status_code in (404, 405)
    assert names(client, "leads") == []


def test_custom_fields_tell_which_record_is_meant(client: Any) -> None:
    key = {"custom_fields[External %ID]": "7"}

    first = told(
        upsert(client, "contacts", key, last_name="L", custom_fields={"External %ID": "7", "N": 1})
    )
    number = told(upsert(client, "contacts", key, custom_fields={"External %ID": 7, "N": None}))
    again = told(upsert(client, "contacts", key | {"last_name": "L"}, first_name="F"))

    assert first["id"] == number["id"] == again["id"]
    assert again["custom_fields"] == {"External %ID": 7}
    assert len(names(client, "contacts")) == 1


def test_upserts_of_the_same_at_once_make_one_record(client: Any) -> None:
    def ask(number: int) -> Any:
        return upsert(
            client,
            "leads",
            {"email": "ada@x"},
            last_name="Lovelace",
            email="ada@x",
            custom_fields={f"N{number}": number},
        )

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(8)))

    assert {told(answer)["id"] for answer in answers} == {listed(client, "leads")[0]["id"]}
    [lead] = listed(client, "leads")
    assert lead["custom_fields"] == {f"N{number}": number for number in range(8)}
