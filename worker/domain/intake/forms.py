"""Forms: the parts of a form, and the checks of its definition."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn, TypedDict
from urllib.parse import urlsplit

from slugify import slugify

from worker.domain.records.fields import TAGS, find_field
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import LEAD
from worker.domain.storable import is_storable
from worker.errors.intake import BadForm

PATH = "/forms"
"""The hosted pages are below this path."""

TYPES = TEXT, EMAIL, TEL, URL, TEXTAREA, SELECT, CHECKBOX, NUMBER = (
    "text", "email", "tel", "url", "textarea", "select", "checkbox", "number",
)  # fmt: skip

USUAL_TYPES = {
    "email": EMAIL,
    "phone": TEL,
    "mobile": TEL,
    "fax": TEL,
    "website": URL,
    "linkedin": URL,
    "description": TEXTAREA,
}
"""The type of a field whose definition names no type."""

MOST_FIELDS, MOST_CHOICES, MOST_TAGS, MOST_ORIGINS = 50, 200, 20, 20
LONGEST_NAME, LONGEST_SLUG, LONGEST_WORDS, LONGEST_ADDRESS = 200, 80, 2_000, 2_000

NOT_FROM_OUTSIDE = {TAGS: "tags are the form's own", "custom_fields": "name each custom field"}

_FIELD = re.compile(
    r"(?P<label>[^=]+)=(?P<name>[^=:*()]+)"
    r"(:(?P<type>[a-z]+)(\((?P<choices>[^()]*)\))?)?(?P<required>\*)?"
)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class Field(NamedTuple):
    """A field of a form: a lead's field, or a custom field, under a label."""

    name: str
    label: str
    type: str = TEXT
    required: bool = False
    choices: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Field":
        """A field as people write it on a command line: "Label=name:type*". The star means
        required; choices are in brackets behind the type: "Team size=Size:select(1-10|more)".
        Raises BadForm."""
        found = _FIELD.fullmatch(text.strip())
        if found is None:
            raise BadForm(
                reason=f'{text!r} is no field; write it as "Label=name:type*", '
                'for example "Email=email:email*"'
            )
        choices = tuple(
            choice.strip() for choice in (found["choices"] or "").split("|") if choice.strip()
        )
        return cls(
            found["name"], found["label"], found["type"] or "", bool(found["required"]), choices
        )


USUAL_FIELDS = (
    Field("first_name", "First name"),
    Field("last_name", "Last name", required=True),
    Field("email", "Email", EMAIL, required=True),
    Field("organization_name", "Company"),
    Field("description", "Message", TEXTAREA),
)


@dataclass(frozen=True, slots=True)
class Form:
    """A form, as it is defined."""

    id: int
    slug: str
    name: str
    owner_id: int
    source: str | None
    tags: tuple[str, ...]
    enabled: bool
    fields: tuple[Field, ...]
    thanks: str | None
    redirect_url: str | None
    origins: tuple[str, ...]

    def address(self, base: str) -> str:
        """The address of the hosted page. The base is the scheme and host of the API."""
        return f"{base}{PATH}/{self.slug}"


class FormValues(TypedDict, total=False):
    """The values of a form that an admin sets."""

    name: str
    owner_id: int
    slug: str | None
    fields: Sequence[Field]
    source: str | None
    tags: Sequence[str]
    thanks: str | None
    redirect_url: str | None
    origins: Sequence[str]
    enabled: bool


def normalize(values: FormValues) -> dict[str, object]:
    """The values as they are stored, by column. Raises BadForm."""
    return {
        name: _NORMALIZE[name](value) if name in _NORMALIZE else value
        for name, value in values.items()
    }


def make_slug(name: str) -> str:
    """A slug made of a form's name. Raises BadForm for a name without Latin letters and digits: in
    other scripts the same characters are read differently from language to language."""
    letters = unicodedata.normalize("NFKD", name)
    slug = slugify(name, max_length=LONGEST_SLUG)
    if not slug or not any(letter.isascii() and letter.isalnum() for letter in letters):
        raise BadForm(
            reason=f"no address can be made of the name {name!r}: "
            "give it a slug of letters, digits and hyphens"
        )
    return slug


def read_origin(address: str) -> str | None:
    """The scheme, host and port of a web address; None for anything else."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    host = f"[{host}]" if ":" in host else host
    is_good = parts.scheme in ("http", "https") and _HOST.fullmatch(host)
    if not is_good or _UNPRINTABLE.search(address) or " " in address:
        return None
    return f"{parts.scheme}://{host}{f':{port}' if port is not None else ''}"


def _normalize_name(value: str) -> str:
    return _strip_line("name", value) or _refuse("it needs a name")


def _normalize_slug(value: str) -> str:
    slug = value.strip().lower()
    if not _SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        _refuse(
            f"the slug {value!r} must be at most {LONGEST_SLUG} letters and digits, "
            "with single hyphens between"
        )
    return slug


def _normalize_fields(value: Sequence[Field]) -> tuple[Field, ...]:
    if len(value) > MOST_FIELDS:
        _refuse(f"it has more than {MOST_FIELDS} fields")
    fields = tuple(_normalize_field(field) for field in value)
    names = [field.name for field in fields]
    if twice := next((name for name in names if names.count(name) > 1), None):
        _refuse(f"two of its fields are {twice}")
    if not any(name in names for name in LEAD.required):
        _refuse(f"a lead needs one of {' and '.join(LEAD.required)}: ask for it in a field")
    return fields


def _normalize_field(field: Field) -> Field:
    """The field with the lead's field that its name means, and with a type."""
    written = _strip_line("field's name", field.name)
    label = _strip_line("field's label", field.label)
    name = find_field(RecordType.LEAD, written) or written
    if not name or not label or name.startswith("_"):
        _refuse(
            "a field needs a label, and a name that begins with no underscore, "
            f"unlike {field.name!r}"
        )
    if name in NOT_FROM_OUTSIDE:
        _refuse(f"no field can be called {name}: {NOT_FROM_OUTSIDE[name]}")
    kind = field.type or USUAL_TYPES.get(name, TEXT)
    if kind not in TYPES:
        _refuse(f"{label} can't be a {kind}; it may be {', '.join(TYPES)}")
    return Field(name, label, kind, field.required, _normalize_choices(label, kind, field.choices))


def _normalize_choices(label: str, kind: str, value: Sequence[str]) -> tuple[str, ...]:
    choices = _drop_repeats(f"choice of {label}", value)
    if (kind == SELECT) != bool(choices) or len(choices) > MOST_CHOICES:
        _refuse(
            f"{label} is a {kind}: a select has 1 to {MOST_CHOICES} choices, "
            "and nothing else has any"
        )
    return tuple(choices)


def _normalize_tags(value: Sequence[str]) -> list[str]:
    tags = _drop_repeats("tag", value)
    return tags if len(tags) <= MOST_TAGS else _refuse(f"it has more than {MOST_TAGS} tags")


def _normalize_source(value: str | None) -> str | None:
    return _strip_line("source", value or "") or None


def _normalize_thanks(value: str | None) -> str | None:
    words = (value or "").strip()
    if not is_storable(words) or len(words) > LONGEST_WORDS:
        _refuse(
            f"the thanks are longer than {LONGEST_WORDS} characters, "
            "or hold one that no database stores"
        )
    return words or None


def _normalize_redirect(value: str | None) -> str | None:
    address = (value or "").strip()
    if address and (
        read_origin(address) is None or len(address) > LONGEST_ADDRESS or not is_storable(address)
    ):
        _refuse(
            f"{address[:80]!r} is no address to go on to; "
            "it must begin with https:// or http:// and a host"
        )
    return address or None


def _normalize_origins(value: Sequence[str]) -> list[str]:
    origins = list(dict.fromkeys(_normalize_origin(each) for each in value))
    if len(origins) > MOST_ORIGINS:
        _refuse(f"it has more than {MOST_ORIGINS} origins")
    return origins


def _normalize_origin(value: str) -> str:
    text = value.strip().lower().removesuffix("/")
    if read_origin(text) != text:
        _refuse(f"{value[:80]!r} is no origin; it must look like https://www.example.com")
    return text


def _drop_repeats(what: str, values: Sequence[str]) -> list[str]:
    """The lines that aren't empty, each once."""
    return list(dict.fromkeys(line for each in values if (line := _strip_line(what, each))))


def _strip_line(what: str, value: str) -> str:
    text = value.strip()
    if len(text) > LONGEST_NAME or _UNPRINTABLE.search(text) or not is_storable(text):
        _refuse(f"a {what} is one line of at most {LONGEST_NAME} characters")
    return text


def _refuse(reason: str) -> NoReturn:
    raise BadForm(reason=reason)


_NORMALIZE: Mapping[str, Callable[..., object]] = {
    "name": _normalize_name,
    "slug": _normalize_slug,
    "fields": _normalize_fields,
    "source": _normalize_source,
    "tags": _normalize_tags,
    "thanks": _normalize_thanks,
    "redirect_url": _normalize_redirect,
    "origins": _normalize_origins,
}
