"""A plausible CRM export of leads to try things with: invented people and companies, a few rows
that can't be imported."""

import csv
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from random import Random
from typing import IO, NamedTuple, TypeVar

Choice = TypeVar("Choice")

HEADER = [
    "Lead Id", "First Name", "Last Name", "Company", "Email 1", "Phone 1", "Website", "Source",
    "Status", "City", "Country", "Tags",
    "Lead Owner", "Notes",
]  # fmt: skip

FIRST_ID = 48_200_001
BAD_EVERY_ROWS = 200
"""Each full stretch of that many rows holds one bad row, at a random place. A shorter stretch at
the end holds none."""

LONG_MAILBOX_CHARACTERS = 320

ORGANIZATION_ONLY, PERSON_ONLY = 0.06, 0.08
"""The shares of leads without a person, and without an organization."""

BLANK_NOTES, TWO_NOTES, NOTES_ON_TWO_LINES = 0.4, 0.3, 0.03


class _Place(NamedTuple):
    """Where leads come from: common names and cities of one part of the world, and telephone
    numbers that are set aside for fiction."""

    country: str
    cities: Sequence[str]
    first_names: Sequence[str]
    last_names: Sequence[str]
    phones: Sequence[str]


_PLACES = (
    _Place(
        "United States", ("Springfield", "Portland", "Austin", "Columbus", "Madison"),
        ("Mary", "James", "Linda", "Robert", "Susan", "David", "Karen", "Thomas", "Anna", "Kevin"),
        ("Smith", "Johnson", "Brown", "Miller", "Davis", "Wilson", "Moore", "Taylor", "O'Neil",
        "Baker"),
        ("(212) 555-01{:02d}", "312-555-01{:02d}", "+1 415 555 01{:02d}", "503.555.01{:02d} x204"),
    ),
    _Place(
        "United Kingdom", ("London", "Leeds", "Bristol", "Stoke-on-Trent"),
        ("Alice", "Oliver", "Emma", "Harry", "Grace", "George", "Mary-Jane", "Peter"),
        ("Jones", "Evans", "Walker", "Wright", "Green", "Hall", "Wood", "Clarke", "Smith-Jones"),
        ("+44 20 7946 00{:02d}", "020 7946 09{:02d}"),
    ),
    _Place(
        "Deutschland", ("Berlin", "München", "Köln", "Düsseldorf"),
        ("Jürgen", "Anke", "Jörg", "Käthe", "Stefan", "Sabine", "Günther"),
        ("Müller", "Schäfer", "Weiß", "Böhm", "Krüger", "Schmidt", "von der Heide"),
        ("+49 30 23125 0{:02d}", "(030) 23125-1{:02d}"),
    ),
    _Place(
        "France", ("Paris", "Nîmes", "Besançon", "Saint-Étienne"),
        ("Chloé", "François", "Zoé", "André", "Hélène", "Benoît"),
        ("Lefèvre", "Garçon", "Dubois", "Moreau", "Gauthier", "Noël"),
        ("+33 1 99 00 17 {:02d}", "01 99 00 42 {:02d}"),
    ),
    _Place(
        "España", ("Madrid", "Málaga", "León", "A Coruña"),
        ("José", "Lucía", "Ángel", "Begoña", "Martín", "Inés"),
        ("García", "Núñez", "Pérez López", "Ibáñez", "Muñoz", "Castro"),
        ("",),
    ),
    _Place(
        "日本", ("東京", "大阪", "横浜市"),
        ("太郎", "花子", "健", "美咲"),
        ("山田", "佐藤", "鈴木", "田中"),
        ("",),
    ),
    _Place(
        "Ελλάδα", ("Αθήνα", "Πάτρα"),
        ("Γιώργος", "Μαρία", "Ελένη"),
        ("Παππάς", "Νικολάου", "Γεωργίου"),
        ("",),
    ),
    _Place(
        "Україна", ("Київ", "Львів"),
        ("Олена", "Іван", "Марія"),
        ("Шевченко", "Коваленко", "Бондар"),
        ("",),
    ),
    _Place(
        "مصر", ("القاهرة", "الجيزة"),
        ("محمد", "فاطمة", "أحمد"),
        ("حسن", "علي", "إبراهيم"),
        ("",),
    ),
)  # fmt: skip
_USUAL_PLACES = (*_PLACES[:1] * 8, *_PLACES[1:3] * 4, *_PLACES[3:5] * 2, *_PLACES[5:])

_COMPANY_WORDS = (
    "Alderbrook", "Brightmoor", "Cindervale", "Dunmarrow", "Elmstead", "Fernhollow", "Glasswick",
    "Hartmere", "Ivoryfell",
    "Junipercroft", "Kestrelby", "Larkminster", "Mossgrave", "Northbeck", "Oakenshore",
    "Pinewhistle", "Quillford", "Ravenholt",
    "Silverthwaite", "Thistlemark", "Umberfield", "Violetmere", "Willowgarth", "Yarrowdale",
)  # fmt: skip
_TRADES = (
    "Foods",
    "Freight",
    "Instruments",
    "Interiors",
    "Labs",
    "Media",
    "Optics",
    "Paper",
    "Pumps",
    "Software",
    "Textiles",
    "Tools",
)
_COMPANY_FORMS = (
    "{0} {2}", "{0} {2}", "{0} {2} Ltd", "{0} {2}, Inc.", "{0}, {1} and Sons", "{0}-{1} Group",
    "{0} & {1}", "Café {0}",
    "{0} {2} GmbH & Co. KG", '{0} "{1}" {2}', "Société {0}", "{0} 工業",
)  # fmt: skip
_COMPANIES = tuple(
    (form.format(word, other, trade), f"{word}-{trade}".lower())
    for word, other in zip(_COMPANY_WORDS, _COMPANY_WORDS[7:] + _COMPANY_WORDS[:7], strict=True)
    for trade in _TRADES
    for form in _COMPANY_FORMS
)

_SHARED_MAILBOXES = ("info", "office", "hello", "contact", "sales")
_PRIVATE_DOMAINS = ("mail.example.net", "post.example.org", "example.com")
_SOURCES = (
    "Web form",
    "Referral",
    "Webinar",
    "Trade fair",
    "Newsletter",
    "Partner",
    "Phone call",
    "Search, paid",
    "",
)
_STATUSES = ("New", "New", "Contacted", "Working", "Qualified", "Unqualified")
_TAGS = (
    "", "", "vip", "newsletter", "fair 2026; booth", "renewal; vip", "trial",
    "trial; needs call; eu", "très important", "no mail; partner",
)  # fmt: skip
_OWNERS = ("", "Alex Field", "Robin Marsh", "Sam Brook", "Kim Dale")
_NOTES = (
    "Asked for a quote.", "Prefers email, not phone.", "Met at the fair; wants a demo, soon.",
    "Budget approved, decides in Q3.",
    "Left a message.", 'Calls it "the old system".', "Needs 20 seats, maybe 25.",
    "Rappeler après le déjeuner, merci.",
    "Bitte nur vormittags anrufen.", "次回は来月。", "Compare: price, support, terms.",
    "Has a contract until March.",
)  # fmt: skip


@cache
def _spell(name: str) -> str:
    """A name as it is written before an @: plain letters only, which for many names means none."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain if letter.isalpha())


def _leave_out_the_names(row: list[str]) -> None:
    row[2] = row[3] = ""


def _forget_the_quotes(row: list[str]) -> None:
    row[-1:] = ["Called twice", " no answer", " try again in May"]


def _overfill_the_email(row: list[str]) -> None:
    row[4] = "x" * LONG_MAILBOX_CHARACTERS + "@example.com"


_FAULTS: tuple[Callable[[list[str]], None], ...] = (
    _leave_out_the_names,
    _forget_the_quotes,
    _overfill_the_email,
)


class _Draw:
    """Random choices. Of all of `random`, only `Random.random` promises the same numbers on every
    version of Python."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed).random  # noqa: S311 (nothing here is secret)

    def below(self, limit: int) -> int:
        return int(self.chance() * limit)

    def one(self, choices: Sequence[Choice]) -> Choice:
        return choices[int(self.chance() * len(choices))]


def _make_lead(draw: _Draw, number: int) -> list[str]:
    one, place = draw.one, draw.one(_USUAL_PLACES)
    first, last, company, site = one(place.first_names), one(place.last_names), *one(_COMPANIES)
    kind = draw.chance()
    if kind < ORGANIZATION_ONLY:
        first = last = ""
    elif kind < ORGANIZATION_ONLY + PERSON_ONLY:
        company = site = ""
    domain = f"{site}.example.com" if site else one(_PRIVATE_DOMAINS)
    mailbox = f"{_spell(first)}.{_spell(last)}".strip(".") or one(_SHARED_MAILBOXES)
    phone = one(place.phones).format(draw.below(100))
    website = f"https://www.{domain}" if site else ""
    return [
        str(FIRST_ID + number), first, last, company, f"{mailbox}@{domain}", phone, website,
        one(_SOURCES), one(_STATUSES),
        one(place.cities), place.country, one(_TAGS), one(_OWNERS), _draw_notes(draw),
    ]  # fmt: skip


def _draw_notes(draw: _Draw) -> str:
    amount = draw.chance()
    if amount < BLANK_NOTES:
        return ""
    if amount < 1 - TWO_NOTES:
        return draw.one(_NOTES)
    apart = "\n" if draw.chance() < NOTES_ON_TWO_LINES else " "
    return f"{draw.one(_NOTES)}{apart}{draw.one(_NOTES)}"


def make_sample_leads(rows: int, seed: int = 1) -> Iterator[list[str]]:
    """Makes the header and that many rows, the same for one seed. Exactly rows // 200 are bad."""
    draw, faults = _Draw(seed), cycle(_FAULTS)
    yield list(HEADER)
    for first in range(0, rows, BAD_EVERY_ROWS):
        stretch = [
            _make_lead(draw, number) for number in range(first, min(first + BAD_EVERY_ROWS, rows))
        ]
        if len(stretch) == BAD_EVERY_ROWS:
            next(faults)(draw.one(stretch))
        yield from stretch


def write_sample(target: Path | IO[str], rows: int, seed: int = 1) -> None:
    """Writes `sample_leads` as a CSV file in UTF-8, the same bytes on every machine."""
    if isinstance(target, Path):
        with target.open("w", encoding="utf-8", newline="") as file:
            write_sample(file, rows, seed)
    else:
        csv.writer(target).writerows(make_sample_leads(rows, seed))
