"""Forms: what one is made of, and what is refused in its definition."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from worker.domain.records.fields import TAGS, field_named
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import LEAD
from worker.domain.storable import is_storable
from worker.errors.intake import BadForm

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
"""The type of a field whose definition names none."""

MOST_FIELDS, MOST_CHOICES, MOST_TAGS, MOST_ORIGINS = 50, 200, 20, 20
LONGEST_NAME, LONGEST_SLUG, LONGEST_WORDS, LONGEST_ADDRESS = 200, 80, 2_000, 2_000

NOT_FROM_OUTSIDE = {TAGS: "tags are the form's own", "custom_fields": "name each custom field"}

_FIELD = re.compile(
    r"(?P<label>[^=]+)=(?P<name>[^=:*()]+)(:(?P<type>[a-z]+)(\((?P<choices>[^()]*)\))?)?(?P<required>\*)?"
)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class Field(NamedTuple):
    """What a form asks for: a lead's field, or a custom one, under a label."""

    name: str
    label: str
    type: str = TEXT
    required: bool = False
    choices: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Field":
        """A field as one writes it on a command line: "Label=name:type*", where the star stands for
        required, and choices are in brackets behind the type: "Team size=Size:select(1-10|more)".
        Raises BadForm."""
        found = _FIELD.fullmatch(text.strip())
        if found is None:
            raise BadForm(
                reason=f'{text!r} is no field; write it as "Label=name:type*", for example "Email=email:email*"'
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


class Form(NamedTuple):
    """A form as it is defined."""

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


def normalized(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a definition says, in the form in which it is stored. Raises BadForm."""
    return {
        name: _NORMAL[name](value) if name in _NORMAL else value for name, value in given.items()
    }


def slug_of(name: str) -> str:
    """The last part of an address, made of a form's name. Raises BadForm for a name that has
    neither letters of that kind nor digits."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain))[:LONGEST_SLUG].strip("-")
    if not slug:
        raise BadForm(
            reason=f"no address can be made of the name {name!r}: give it a slug of letters, digits and hyphens"
        )
    return slug


def origin_of(address: str) -> str | None:
    """The scheme, host and port of an address of the web; None for anything else."""
    try:
        parts = urlsplit(address)
        host, port = (
            (f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""),
            parts.port,
        )
    except ValueError:
        return None
    if (
        parts.scheme not in ("http", "https")
        or not _HOST.fullmatch(host)
        or _UNPRINTABLE.search(address)
        or " " in address
    ):
        return None
    return f"{parts.scheme}://{host}{f':{port}' if port is not None else ''}"


def _name(value: str) -> str:
    return _line("name", value) or _refuse("it needs a name")


def _slug(value: str) -> str:
    slug = value.strip().lower()
    if not _SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        _refuse(
            f"the slug {value!r} must be at most {LONGEST_SLUG} letters and digits, with single hyphens between"
        )
    return slug


def _fields(value: Sequence[Field]) -> tuple[Field, ...]:
    if len(value) > MOST_FIELDS:
        _refuse(f"it has more than {MOST_FIELDS} fields")
    fields = tuple(_field(field) for field in value)
    names = [field.name for field in fields]
    if twice := next((name for name in names if names.count(name) > 1), None):
        _refuse(f"two of its fields are {twice}")
    if not any(name in names for name in LEAD.required):
        _refuse(f"a lead needs one of {' and '.join(LEAD.required)}: ask for it in a field")
    return fields


def _field(field: Field) -> Field:
    """With the lead's field that its name means, and with a type."""
    given, label = _line("field's name", field.name), _line("field's label", field.label)
    name = field_named(RecordType.LEAD, given) or given
    if not name or not label or name.startswith("_"):
        _refuse(
            f"a field needs a label, and a name that begins with no underscore, unlike {field.name!r}"
        )
    if name in NOT_FROM_OUTSIDE:
        _refuse(f"no field can be called {name}: {NOT_FROM_OUTSIDE[name]}")
    kind = field.type or USUAL_TYPES.get(name, TEXT)
    if kind not in TYPES:
        _refuse(f"{label} can't be a {kind}; it may be {', '.join(TYPES)}")
    return Field(name, label, kind, field.required, _choices(label, kind, field.choices))


def _choices(label: str, kind: str, value: Sequence[str]) -> tuple[str, ...]:
    choices = tuple(
        dict.fromkeys(text for each in value if (text := _line(f"choice of {label}", each)))
    )
    if (kind == SELECT) != bool(choices) or len(choices) > MOST_CHOICES:
        _refuse(
            f"{label} is a {kind}: a select has 1 to {MOST_CHOICES} choices, and nothing else has any"
        )
    return choices


def _tags(value: Sequence[str]) -> list[str]:
    tags = list(dict.fromkeys(tag for each in value if (tag := _line("tag", each))))
    return tags if len(tags) <= MOST_TAGS else _refuse(f"it has more than {MOST_TAGS} tags")


def _source(value: str | None) -> str | None:
    return _line("source", value or "") or None


def _thanks(value: str | None) -> str | None:
    words = (value or "").strip()
    if not is_storable(words) or len(words) > LONGEST_WORDS:
        _refuse(
            f"the thanks are longer than {LONGEST_WORDS} characters, or hold one that no database stores"
        )
    return words or None


def _redirect(value: str | None) -> str | None:
    address = (value or "").strip()
    if address and (
        origin_of(address) is None or len(address) > LONGEST_ADDRESS or not is_storable(address)
    ):
        _refuse(
            f"{address[:80]!r} is no address to go on to; it must begin with https:// or http:// and a host"
        )
    return address or None


def _origins(value: Sequence[str]) -> list[str]:
    origins = list(dict.fromkeys(_origin(each) for each in value))
    return (
        origins
        if len(origins) <= MOST_ORIGINS
        else _refuse(f"it has more than {MOST_ORIGINS} origins")
    )


def _origin(value: str) -> str:
    text = value.strip().lower().removesuffix("/")
    return (
        text
        if origin_of(text) == text
        else _refuse(f"{value[:80]!r} is no origin; it must look like https://www.example.com")
    )


def _line(what: str, value: str) -> str:
    text = value.strip()
    if len(text) > LONGEST_NAME or _UNPRINTABLE.search(text) or not is_storable(text):
        _refuse(f"a {what} is one line of at most {LONGEST_NAME} characters")
    return text


def _refuse(reason: str) -> Any:
    raise BadForm(reason=reason)


_NORMAL: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "slug": _slug,
    "fields": _fields,
    "source": _source,
    "tags": _tags,
    "thanks": _thanks,
    "redirect_url": _redirect,
    "origins": _origins,
}
