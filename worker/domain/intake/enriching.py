"""Enriches a lead: adds the values that its sender gives later, and keeps the values that people
have entered."""

from worker.domain.intake.leads import CUSTOM, LeadValues
from worker.domain.records.fields import TAGS


def fill_gaps(stored: LeadValues, found: LeadValues, placeholder: str) -> LeadValues:
    """The changes to the stored lead: texts where it has none, its last name if that is still the
    placeholder, and tags and custom fields that it lacks."""
    return {
        **_fill_texts(stored, found),
        **_replace_placeholder(stored, found, placeholder),
        **_add_tags(stored, found),
        **_add_custom_fields(stored, found),
    }


def _fill_texts(stored: LeadValues, found: LeadValues) -> LeadValues:
    return {
        field: value
        for field, value in found.items()
        if value and field not in (TAGS, CUSTOM) and stored[field] is None
    }


def _replace_placeholder(stored: LeadValues, found: LeadValues, placeholder: str) -> LeadValues:
    name = found["last_name"]
    is_new = stored["last_name"] == placeholder and name != placeholder
    return {"last_name": name} if is_new else {}


def _add_tags(stored: LeadValues, found: LeadValues) -> LeadValues:
    new = [tag for tag in found.get(TAGS, ()) if tag not in stored[TAGS]]
    return {TAGS: [*stored[TAGS], *new]} if new else {}


def _add_custom_fields(stored: LeadValues, found: LeadValues) -> LeadValues:
    known = stored[CUSTOM]
    new = {name: text for name, text in found.get(CUSTOM, {}).items() if name not in known}
    return {CUSTOM: known | new} if new else {}
