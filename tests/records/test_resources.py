"""The descriptions of resources agree with what clients expect, with each other, and with the
tables."""

import pytest

from worker.domain.records.types import DESCRIPTIONS, RESOURCES
from worker.domain.resources import ACCOUNT, ADDRESS_PARTS, AttributeKind, Resource, Verb
from worker.domain.resources.resource import ALL, SORTABLE
from worker.store.records.attributes import STORAGE

_PERSON = """first_name last_name title description industry website email phone mobile fax twitter
    facebook linkedin skype address
    owner_id creator_id created_at updated_at tags custom_fields id"""

EXPECTED = {
    "users": """id name email status invited confirmed phone_number role roles team_name group
        reports_to timezone created_at updated_at
        deleted_at zendesk_user_id identity_type system_tags detached sell_login_disabled""",
    "leads": f"{_PERSON} organization_name status source_id unqualified_reason_id",
    "contacts": f"""{_PERSON} is_organization name contact_id parent_organization_id customer_status
        prospect_status billing_address
        shipping_address""",
    "deals": """value updated_at unqualified_reason_id tags stage_id source_id owner_id
        organization_id name loss_reason_id
        last_stage_change_by_id last_stage_change_at last_activity_at id hot estimated_close_date
        dropbox_email
        customized_win_likelihood currency creator_id created_at contact_id added_at
        associated_contacts custom_fields""",
    "lead_conversions": "id lead_id individual_id organization_id deal_id creator_id created_at",
    "lead_sources": "id creator_id name resource_type created_at updated_at",
    "tags": "id creator_id name resource_type created_at updated_at",
    "stages": """id name category active position likelihood pipeline_id created_at updated_at
        position_hash has_original_name
        locale_key""",
    "pipelines": "id name created_at updated_at disabled locale_key",
}

FILTERS = {
    "users": "confirmed email name role status",
    "leads": """address[city] address[country] address[postal_code] creator_id first_name last_name
        organization_name owner_id
        source_id status""",
    "contacts": """address[city] address[country] address[postal_code] contact_id email first_name
        is_organization last_name name""",
    "deals": (
        "contact_id creator_id hot organization_id owner_id source_id stage_id estimated_close_date"
    ),
    "lead_sources": "name",
    "tags": "creator_id name resource_type",
    "stages": "active name pipeline_id",
    "pipelines": "name",
}

ORDERS = {
    "users": "id:asc", "leads": "updated_at:asc", "contacts": "last_name:asc", "deals": "id:asc",
    "lead_conversions": "id:desc",
    "lead_sources": "id:asc", "tags": "updated_at:asc", "stages": "id:asc", "pipelines": "id:asc",
}  # fmt: skip

BY_PATH = {resource.path: resource for resource in RESOURCES}

each = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)


def test_each_resource_has_the_attributes_filters_and_orders_that_clients_expect() -> None:
    for path, names in EXPECTED.items():
        assert set(BY_PATH[path].by_name) == set(names.split()), path
    for path, names in FILTERS.items():
        assert set(BY_PATH[path].filters) >= set(names.split()), path
    assert {path: BY_PATH[path].order for path in ORDERS} == ORDERS
    assert list(ACCOUNT.by_name) == [
        "id",
        "name",
        "currency",
        "time_format",
        "timezone",
        "phone",
        "subdomain",
        "created_at",
        "updated_at",
    ]
    assert ADDRESS_PARTS == ("line1", "city", "postal_code", "state", "country")


def test_records_and_labels_can_be_written_and_records_upserted() -> None:
    can = {path: set(resource.verbs) for path, resource in BY_PATH.items()}

    assert can["leads"] == can["contacts"] == can["deals"] == {*ALL, Verb.UPSERT}
    assert can["tags"] == can["lead_sources"] == set(ALL)
    assert can["users"] == can["lead_conversions"] == {Verb.LIST, Verb.SHOW}
    for path in (
        "stages",
        "pipelines",
        "lead_statuses",
        "lead/custom_fields",
        "contact/custom_fields",
        "deal/custom_fields",
    ):
        assert can[path] == {Verb.LIST}


@each
def test_names_and_paths_are_told_apart(resource: Resource) -> None:
    assert len(resource.by_name) == len(resource.attributes)
    assert [other.path for other in RESOURCES].count(resource.path) == 1
    assert [other.name for other in RESOURCES].count(resource.name) == 1
    assert resource.name.isidentifier()
    assert all(name.isidentifier() for name in resource.by_name)


@each
def test_what_is_filtered_sorted_needed_and_preset_is_there(resource: Resource) -> None:
    for name in resource.filters:
        attribute, _, part = name.partition("[")
        assert resource.by_name[attribute].held
        assert not part or (
            resource.by_name[attribute].kind is AttributeKind.ADDRESS
            and part.rstrip("]") in ADDRESS_PARTS
        )
        assert resource.kind_of(name) in (
            AttributeKind.TEXT,
            AttributeKind.INTEGER,
            AttributeKind.BOOLEAN,
            AttributeKind.DAY,
        )
    order, _, direction = resource.order.partition(":")
    assert order in resource.sortable
    assert direction in ("asc", "desc")
    assert {"id", "created_at"} <= set(resource.sortable)
    assert all(resource.by_name[name].kind in SORTABLE for name in resource.sortable)
    assert set(resource.needs) <= {attribute.name for attribute in resource.writable}
    assert set(resource.preset) <= set(resource.filters)


@each
def test_what_can_be_written_is_held_and_what_is_constant_is_not(resource: Resource) -> None:
    for attribute in resource.attributes:
        assert not attribute.writable or attribute.held
        assert attribute.always is None or not attribute.held
        assert not attribute.choices or attribute.kind is AttributeKind.TEXT
    assert {"id", "creator_id", "created_at", "updated_at"}.isdisjoint(
        attribute.name for attribute in resource.writable
    )


@each
def test_everything_that_is_held_has_its_place(resource: Resource) -> None:
    storage = STORAGE[resource.path]

    columns = set(storage.columns(resource).selected_columns.keys())

    for attribute in resource.attributes:
        parts = {f"{attribute.name}_{part}" for part in ADDRESS_PARTS}
        assert (attribute.name in columns or parts <= columns) == attribute.held, attribute.name
    for name in (*resource.filters, *resource.sortable):
        assert storage.expression(name) is not None
    assert set(storage.computed) <= set(resource.by_name)


def test_there_are_no_places_of_what_is_not_there() -> None:
    assert set(STORAGE) == set(BY_PATH)


def test_what_a_file_may_say_of_a_record_is_shown_too() -> None:
    named_otherwise = {"source": "source_id", "stage": "stage_id", "organization_name": "name"}
    for record_type, resource in DESCRIPTIONS.items():
        for field in resource.text_fields:
            name = "address" if field.startswith("address_") else field
            assert name in resource.by_name or named_otherwise[name] in resource.by_name, (
                record_type,
                field,
            )
        assert resource.needs == () or set(resource.required) <= set(resource.needs)
