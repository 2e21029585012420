"""HubSpot. Its events hold no more than the number of a contact, whose fields are fetched."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from worker.domain.intake.leads import LeadValues
from worker.domain.intake.mapping import MappedContent, read_lead
from worker.domain.intake.parts import DeliveryPart, Ignored, IncomingLead, Invalid, PartContent
from worker.domain.intake.senders.enrichment import (
    EnrichmentSource,
    FetchLater,
    FetchNever,
    FetchRequest,
    read_status,
)
from worker.domain.intake.senders.keys import as_list, shorten
from worker.domain.intake.senders.sender import Sender
from worker.domain.intake.senders.signing import Call, is_recent, is_same, sign
from worker.domain.json_content import JsonObject, is_object

_PROPERTIES = "properties"

_PROPERTY_OF_FIELD = {
    "first_name": "firstname",
    "email": "email",
    "phone": "phone",
    "mobile": "mobilephone",
    "fax": "fax",
    "title": "jobtitle",
    "organization_name": "company",
    "website": "website",
    "industry": "industry",
    "address_line1": "address",
    "address_city": "city",
    "address_state": "state",
    "address_postal_code": "zip",
    "address_country": "country",
}

PATHS = {
    "last_name": f"{_PROPERTIES}.lastname|{_PROPERTIES}.email",
    **{field: f"{_PROPERTIES}.{name}" for field, name in _PROPERTY_OF_FIELD.items()},
}


# --- signatures ---

_DECODED = re.compile("%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
"""The only escapes that HubSpot decodes in a URI before it signs."""

_MILLISECONDS = re.compile("[0-9]{1,15}")


def _is_signed(call: Call, secret: str) -> bool:
    """Version 3 counts wherever it is present, since it alone has a time. Source: HubSpot's
    "Validating requests"."""
    if "x-hubspot-signature-v3" in call.headers:
        return _is_signed_v3(call, secret)
    versions = {b"v1": b"", b"v2": f"{call.method}{call.uri}".encode()}
    before = versions.get(call.header("x-hubspot-signature-version"))
    if before is None:
        return False
    expected = hashlib.sha256(secret.encode() + before + call.body).hexdigest()
    return is_same(expected, call.header("x-hubspot-signature"))


def _is_signed_v3(call: Call, secret: str) -> bool:
    time = call.text("x-hubspot-request-timestamp")
    if not _MILLISECONDS.fullmatch(time) or not is_recent(int(time) / 1000, call):
        return False
    uri = _DECODED.sub(lambda escape: chr(int(escape[0][1:], 16)), call.uri)
    expected = sign(secret, f"{call.method}{uri}".encode() + call.body + time.encode())
    return is_same(expected, call.header("x-hubspot-signature-v3"))


# --- events ---

_CONTACT = "0-1"
"""HubSpot's number for the type of contacts."""

_IDENTITY = ("subscriptionId", "objectId", "occurredAt", "eventId")


def _split(_: Call, content: object) -> Sequence[DeliveryPart]:
    return [DeliveryPart(_find_key(event), event) for event in as_list(content)]


def _find_key(event: object) -> str:
    """The key of an event: the same in another batch and at another attempt."""
    if not is_object(event):
        return hashlib.sha256(repr(event).encode(errors="replace")).hexdigest()
    return shorten("/".join(str(event.get(name)) for name in _IDENTITY))


def _read(event: JsonObject, _: Mapping[str, str]) -> PartContent:
    """The lead waits in line under a placeholder."""
    kind = event.get("subscriptionType")
    is_new_contact = kind == "contact.creation" or (
        kind == "object.creation" and event.get("objectTypeId") == _CONTACT
    )
    if not is_new_contact:
        return Ignored(
            f"it is about {str(kind)[:80]}, and only the creation of a contact makes a lead"
        )
    number = str(event.get("objectId"))
    if not re.fullmatch("[0-9]{1,20}", number):
        return Invalid("it has no objectId that is a number")
    named = MappedContent({"last_name": _make_placeholder(number)}, {}, names_are_fields=True)
    return IncomingLead(read_lead(named), number)


def _make_placeholder(object_id: str) -> str:
    return f"HubSpot contact {object_id}"


# --- contacts. Source: HubSpot's CRM API, version 3 ---

_REFUSALS = {
    401: "HubSpot refuses the access token (401). Give the integration one that is valid",
    403: "HubSpot refuses the access token the reading of contacts (403). "
    "Give it the scope crm.objects.contacts.read",
    404: "HubSpot has no contact {object_id} (404)",
}

_PROPERTY = re.compile(rf"\b{_PROPERTIES}\.([\w.-]+)")


def _ask(base_url: str, token: str, object_id: str, paths: Mapping[str, str]) -> FetchRequest:
    wanted = dict.fromkeys(name for path in paths.values() for name in _PROPERTY.findall(path))
    return FetchRequest(
        "HubSpot",
        f"{base_url}/crm/v3/objects/contacts/{quote(object_id, safe='')}",
        {"properties": ",".join(wanted)},
        {"Authorization": f"Bearer {token}", "Accept": "application/json"},
    )


def _read_refusal(status: int, object_id: str) -> FetchLater | FetchNever:
    if status in _REFUSALS:
        return FetchNever(_REFUSALS[status].format(object_id=object_id))
    return read_status("HubSpot", status)


def _read_contact(contact: JsonObject, object_id: str, paths: Mapping[str, str]) -> LeadValues:
    """A contact without a name keeps its placeholder."""
    content = {_PROPERTIES: contact.get(_PROPERTIES), "placeholder": _make_placeholder(object_id)}
    named = {**paths, "last_name": f"{paths['last_name']}|placeholder"}
    return read_lead(MappedContent(content, named, _PROPERTIES))


HUBSPOT = Sender(
    "hubspot",
    _is_signed,
    _split,
    _read,
    PATHS,
    enrichment=EnrichmentSource(
        "https://api.hubapi.com", _ask, _read_refusal, _read_contact, _make_placeholder
    ),
)
