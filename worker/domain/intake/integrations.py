"""Integrations: the values that an admin sets, and their checks."""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import TypedDict
from urllib.parse import urlsplit

from slugify import slugify

from worker.errors.intake import BadAddress, BadSlug
from worker.errors.people import BlankName

_SLUG = re.compile("[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
_LONGEST_OF_A_NAME = 48
_RANDOM_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_RANDOM_LENGTH = 6


class IntegrationValues(TypedDict, total=False):
    """The values of an integration that an admin sets. The access token is as the sender gave
    it."""

    name: str
    owner_id: int
    source: str | None
    tags: Sequence[str]
    mapping: Mapping[str, str]
    access_token: str | None
    base_url: str | None
    enabled: bool


def make_slug(name: str) -> str:
    """A slug made of a name, with random letters at the end, so that it can't be guessed."""
    ending = "".join(secrets.choice(_RANDOM_LETTERS) for _ in range(_RANDOM_LENGTH))
    return "-".join(filter(None, (slugify(name, max_length=_LONGEST_OF_A_NAME), ending)))


def check_slug(slug: str) -> str:
    """The slug. Raises BadSlug."""
    if not _SLUG.fullmatch(slug):
        raise BadSlug(slug=slug)
    return slug


def normalize_name(name: str) -> str:
    """The name without spaces around it. Raises BlankName."""
    if not name.strip():
        raise BlankName(what="integration")
    return name.strip()


def normalize_tags(tags: Sequence[str]) -> list[str]:
    """The tags that aren't blank, each once."""
    return list(dict.fromkeys(filter(None, map(str.strip, tags))))


def normalize_address(address: str | None) -> str | None:
    """The address of a server, without a slash at its end. None for no address. Raises
    BadAddress."""
    if not address:
        return None
    parts = urlsplit(address)
    is_good = parts.scheme in ("http", "https") and parts.hostname
    if not is_good or parts.username or parts.query or parts.fragment:
        raise BadAddress(address=address)
    return address.rstrip("/")
