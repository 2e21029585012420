"""Reading leads out of others' JSON: by paths, by names, the rest as custom fields; and what makes
no lead."""

from typing import Any

import pytest

from worker.domain.intake.full_names import split_full_name
from worker.domain.intake.mapping import (
    LONGEST_VALUE_CHARACTERS,
    MOST_CUSTOM_FIELDS,
    check_mapping,
    parse_paths,
)
from worker.domain.intake.parts import Ignored, IncomingLead, Invalid
from worker.domain.intake.senders import SENDERS
from worker.domain.intake.senders.hubspot import HUBSPOT
from worker.domain.intake.senders.sender import MOST_PARTS, Sender, read_part, split_delivery
from worker.domain.intake.senders.signing import Call
from worker.domain.intake.senders.standard import STANDARD
from worker.domain.intake.senders.zapier import ZAPIER
from worker.domain.intake.senders.zendesk_chat import ZENDESK_CHAT
from worker.domain.intake.senders.zendesk_support import ZENDESK_SUPPORT
from worker.errors.intake import BadPath, UnreadableDelivery
from worker.errors.runs import BadMapping

USER_CREATED = {
    "type": "zen:event-type:user.created",
    "account_id": 1,
    "id": "UUID",
    "time": "2026-01-01T00:00:00Z",
    "zendesk_event_version": "2022-06-20",
    "subject": "zen:user:6596848315901",
    "detail": {
        "id": "6596848315901",
        "email": "ann@example.com",
        "name": "Ann Lee",
        "role": "end-user",
        "tags": ["vip"],
    },
    "event": {},
}
TICKET = {
    "ticket_id": 35,
    "subject": "Help",
    "requester": {"name": "Bob Ray", "email": "bob@example.com", "phone": "123"},
}
CHAT = {
    "id": "1908.1",
    "type": "offline_msg",
    "visitor": {
        "id": "v1",
        "name": "Cy Fox",
        "email": "cy@example.com",
        "phone": "42",
        "notes": "nice",
    },
    "timestamp": "2026-01-01T00:00:00Z",
    "department_id": 7,
    "department_name": "Sales",
    "message": "Call me",
    "started_by": "visitor",
    "zendesk_ticket_id": None,
}


def lead(kind: Sender, facts: Any, **mapping: str) -> dict[str, Any]:
    """What is stored of a lead, but for what is empty."""
    found = read_part(kind, check_mapping(mapping), facts)
    assert isinstance(found, IncomingLead), found
    return {name: value for name, value in found.values.items() if value}


def reason(kind: Sender, facts: Any) -> str:
    found = read_part(kind, {}, facts)
    assert isinstance(found, Ignored | Invalid)
    return found.reason


# --- kinds ---


def test_a_zendesk_user_becomes_a_lead() -> None:
    found = lead(ZENDESK_SUPPORT, USER_CREATED)

    assert (found["first_name"], found["last_name"], found["email"], found["tags"]) == (
        "Ann",
        "Lee",
        "ann@example.com",
        ["vip"],
    )
    assert found["custom_fields"]["role"] == "end-user"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"type": "zen:event-type:ticket.updated", "detail": {"id": "1"}}, "ticket.updated"),
        ({"event": "ticket.updated", "id": 123}, "ticket.updated"),
        (
            {**USER_CREATED, "detail": {"id": "1", "role": "agent"}},
            "agent",
        ),
        (None, "no body"),
    ],
)
def test_what_zendesk_tells_of_other_things_is_ignored(facts: Any, words: str) -> None:
    assert isinstance(read_part(ZENDESK_SUPPORT, {}, facts), Ignored)
    assert words in reason(ZENDESK_SUPPORT, facts)


def test_the_body_of_a_zendesk_trigger_becomes_a_lead() -> None:
    found = lead(ZENDESK_SUPPORT, TICKET)

    assert (found["first_name"], found["last_name"], found["email"], found["phone"]) == (
        "Bob",
        "Ray",
        "bob@example.com",
        "123",
    )
    assert found["custom_fields"] == {"ticket_id": "35", "subject": "Help"}


def test_a_zendesk_chat_becomes_a_lead() -> None:
    found = lead(ZENDESK_CHAT, CHAT)
    nameless = lead(ZENDESK_CHAT, {**CHAT, "visitor": {"email": "cy@example.com"}})

    assert (found["first_name"], found["last_name"], found["email"], found["phone"]) == (
        "Cy",
        "Fox",
        "cy@example.com",
        "42",
    )
    assert (found["description"], found["custom_fields"]["department_name"]) == ("Call me", "Sales")
    assert nameless["last_name"] == "cy@example.com"


@pytest.mark.parametrize(
    ("event", "is_contact"),
    [
        ({"subscriptionType": "contact.creation", "objectId": 123}, True),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-1", "objectId": 123}, True),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-3", "objectId": 123}, False),
        ({"subscriptionType": "object.creation", "objectId": 123}, False),
        ({"subscriptionType": "deal.creation", "objectId": 123}, False),
        ({"subscriptionType": "contact.propertyChange", "objectId": 123}, False),
    ],
)
def test_of_hubspot_only_new_contacts_become_leads(event: Any, is_contact: bool) -> None:
    found = read_part(HUBSPOT, {}, event)

    assert isinstance(found, IncomingLead) is is_contact
    if isinstance(found, IncomingLead):
        assert (found.values["last_name"], found.object_id) == ("HubSpot contact 123", "123")


@pytest.mark.parametrize("number", [None, "../1", "1?a=b", "", -1, 1.5, True, {"a": 1}])
def test_a_hubspot_contact_has_a_number(number: Any) -> None:
    assert isinstance(
        read_part(HUBSPOT, {}, {"subscriptionType": "contact.creation", "objectId": number}),
        Invalid,
    )


def test_names_mean_fields_where_somebody_has_chosen_them() -> None:
    facts = {
        "Name": "Ann Lee",
        "E-mail": "a@example.com",
        "Company": "ACME",
        "Budget": 7,
        "tags": ["x", "y"],
        "address": {"city": "Rome"},
    }

    for found in (
        lead(ZAPIER, facts),
        lead(STANDARD, facts),
        lead(STANDARD, {"type": "new", "data": facts}),
    ):
        assert (found["first_name"], found["last_name"], found["email"]) == (
            "Ann",
            "Lee",
            "a@example.com",
        )
        assert (found["organization_name"], found["address_city"], found["tags"]) == (
            "ACME",
            "Rome",
            ["x", "y"],
        )
        assert found["custom_fields"]["Budget"] == "7"


@pytest.mark.parametrize(
    "kind", [kind for kind in SENDERS.values() if kind is not HUBSPOT], ids=lambda kind: kind.kind
)
@pytest.mark.parametrize("facts", [{}, [], "x", 1, True, {"x": {}}, {"x": 1}])
def test_what_names_nobody_is_invalid_and_says_why(kind: Sender, facts: Any) -> None:
    assert isinstance(read_part(kind, {}, facts), Invalid)
    assert reason(kind, facts)


# --- paths ---


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", "deep"),
        ("x.y", "with a dot"),
        ("list.1.c", "second"),
        ("none|a.b", "deep"),
        ("empty|a.b", "deep"),
        ("list.0", "first"),
        ("number", "7"),
        ("texts", "p, q"),
        ("yes", "true"),
    ],
)
def test_a_path_leads_to_a_text(path: str, value: str) -> None:
    facts = {
        "a": {"b": "deep"},
        "x.y": "with a dot",
        "list": ["first", {"c": "second"}],
        "none": None,
        "empty": " ",
        "number": 7,
    }

    assert (
        lead(STANDARD, {**facts, "texts": ["p", "q"], "yes": True}, last_name=path)["last_name"]
        == value
    )


@pytest.mark.parametrize(
    "path", ["a", "a.b.c", "list.9", "list.x", "nothing", "a.b|".strip("|") + ".c"]
)
def test_a_path_may_lead_nowhere(path: str) -> None:
    assert isinstance(
        read_part(ZENDESK_CHAT, {"last_name": path}, {"a": {"b": "deep"}, "list": []}), Invalid
    )


def test_a_mapping_names_fields_by_their_aliases_and_custom_fields_as_they_are() -> None:
    found = lead(ZENDESK_CHAT, CHAT, Surname="department_name", Ticket="id")

    assert (found["last_name"], found["custom_fields"]["Ticket"]) == ("Sales", "1908.1")
    assert "department_name" not in found["custom_fields"]


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a|", "|"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        check_mapping({"last_name": path})


def test_pairs_are_read_as_paths_by_field() -> None:
    assert parse_paths(["last_name=detail.name", " X = a=b "]) == {
        "last_name": "detail.name",
        "X": "a=b",
    }
    for wrong in ("last_name", "=x", "last_name="):
        with pytest.raises(BadMapping):
            parse_paths([wrong])


@pytest.mark.parametrize(
    ("full", "split"),
    [
        ("Ann Lee", ("Ann", "Lee")),
        ("Ludwig van  Beethoven", ("Ludwig", "van  Beethoven")),
        ("Lee, Ann", ("Ann", "Lee")),
        (" Cher ", ("", "Cher")),
        ("Lee,", ("", "Lee,")),
    ],
)
def test_a_full_name_is_split(full: str, split: tuple[str, str]) -> None:
    assert split_full_name(full) == split


def test_a_full_name_is_split_only_where_no_other_is_given() -> None:
    found = lead(ZAPIER, {"name": "Ann Marie Lee", "last_name": "Lee"})

    assert (found["last_name"], "first_name" in found) == ("Lee", False)


# --- within reason ---


def test_so_many_custom_fields_are_kept_each_so_long() -> None:
    found = lead(
        ZAPIER,
        {"last_name": "Lee", **{f"x{number}": "y" * 5_000 for number in range(500)}},
        Mine="x400",
    )

    assert len(found["custom_fields"]) == MOST_CUSTOM_FIELDS
    assert "Mine" in found["custom_fields"]
    assert {len(value) for value in found["custom_fields"].values()} == {LONGEST_VALUE_CHARACTERS}


def test_what_lies_deep_within_is_left_out_and_breaks_nothing() -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = {"a": [deep]}

    assert lead(STANDARD, {"last_name": "Lee", "deep": deep}) == {"last_name": "Lee"}


def test_what_no_database_stores_is_replaced() -> None:
    found = lead(STANDARD, {"last_name": "L\0ee", "a\ud800": "b\0"})

    assert (found["last_name"], found["custom_fields"]) == ("L?ee", {"a?": "b?"})


# --- what is told apart ---


def call(body: bytes = b"", moment: float = 90.0, **headers: bytes) -> Call:
    return Call(
        "POST",
        "http://x/hooks/y",
        {name.replace("_", "-"): value for name, value in headers.items()},
        body,
        moment,
    )


def keys(kind: Sender, facts: Any, given: Call) -> list[str]:
    return [part.key for part in split_delivery(kind, given, facts)]


def test_a_hubspot_event_is_known_by_its_numbers_whatever_the_batch_and_the_attempt() -> None:
    event = {"eventId": 1, "subscriptionId": 2, "occurredAt": 3, "objectId": 4, "attemptNumber": 0}
    again, other = event | {"attemptNumber": 3}, event | {"objectId": 5}

    assert keys(HUBSPOT, [event], call()) == keys(HUBSPOT, again, call()) == ["2/4/3/1"]
    assert keys(HUBSPOT, [other, event], call()) == ["2/5/3/1", "2/4/3/1"]
    assert len(set(keys(HUBSPOT, [1, 2, None, {}], call()))) == 4


def test_others_are_known_by_their_own_numbers() -> None:
    assert keys(STANDARD, {}, call(webhook_id=b"m1")) == ["m1"]
    assert keys(ZENDESK_CHAT, {}, call(webhook_id=b"m1")) == ["m1"]
    assert keys(ZENDESK_SUPPORT, {}, call(x_zendesk_webhook_invocation_id=b"i1")) == ["i1"]
    assert keys(ZAPIER, [{}, {}], call(idempotency_key=b"k1")) == ["k1#0", "k1#1"]
    [long] = keys(STANDARD, {}, call(webhook_id=b"m" * 5_000))
    assert len(long) == 64


def test_a_body_from_zapier_is_known_for_a_minute() -> None:
    [first], [later] = (
        split_delivery(ZAPIER, call(b"{}", moment), {}) for moment in (119.0, 121.0)
    )
    [other] = split_delivery(ZAPIER, call(b"[]", 121.0), {})

    assert later.former_key == first.key != later.key
    assert other.former_key != first.key


def test_a_delivery_brings_so_many_leads_at_most() -> None:
    assert len(split_delivery(ZAPIER, call(), [{}] * MOST_PARTS)) == MOST_PARTS
    with pytest.raises(UnreadableDelivery, match="1,000"):
        split_delivery(ZAPIER, call(), [{}] * (MOST_PARTS + 1))
