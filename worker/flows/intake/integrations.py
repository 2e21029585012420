"""Integrations: set up, changed, given other secrets."""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.intake.mapping import check_mapping
from worker.domain.intake.signatures import KINDS, check_secret
from worker.domain.records.fields import normalized
from worker.errors.intake import (
    BadAddress,
    BadSlug,
    IntegrationExists,
    UnknownIntegration,
    UnknownKind,
)
from worker.errors.people import BlankName
from worker.errors.turns import WrongPoolType
from worker.flows.names import owner_named
from worker.secret_box import SecretBox
from worker.store.intake import enrichment, integrations
from worker.store.turns import pools
from worker.store.views.facts import Facts

_SLUG = re.compile("[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
_LONGEST_OF_A_NAME = 48
_RANDOM_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_RANDOM_LENGTH = 6

MOST_LOOKUPS_SHOWN = 100

Given = Mapping[str, Any]
"""What is to be set: name, owner (by name), source, tags, mapping, access_token, base_url, enabled.
"""


def add(
    session: Session,
    secret_box: SecretBox,
    kind: str,
    secret: str,
    given: Given,
    slug: str | None = None,
    actor_id: int | None = None,
) -> Facts:
    """A new integration: its address is /hooks/ and its slug, which is made of its name unless it
    is given."""
    if kind not in KINDS:
        raise UnknownKind(name=kind, kinds=", ".join(KINDS))
    check_secret(kind, secret)
    values = _values(session, secret_box, {"source": None, "tags": (), "mapping": {}, **given})
    slug = _slug(values["name"]) if slug is None else slug
    if not _SLUG.fullmatch(slug):
        raise BadSlug(slug=slug)
    for name in (values["name"], slug):
        _check_free(session, name)
    new = integrations.add(
        session, slug=slug, kind=kind, secret=secret_box.seal(secret), creator_id=actor_id, **values
    )
    return integrations.facts(session, new)


def change(session: Session, secret_box: SecretBox, known_as: str, given: Given) -> Facts:
    """Changes what is named."""
    integration = named(session, known_as)
    values = _values(session, secret_box, given)
    if "name" in values and values["name"].lower() != integration.name.lower():
        _check_free(session, values["name"])
    integrations.change(session, integration.id, **values)
    return integrations.facts(session, integration.id)


def rotate(session: Session, secret_box: SecretBox, known_as: str, secret: str) -> Facts:
    """Another secret. The present one is good for a day more, so that nothing is refused while the
    sender is told."""
    integration = named(session, known_as)
    check_secret(integration.kind, secret)
    integrations.rotate(session, integration, secret_box.seal(secret))
    return integrations.facts(session, integration.id)


def show(session: Session, known_as: str) -> Facts:
    """An integration without its secrets, and of which leads more is still to be fetched."""
    integration = named(session, known_as)
    waiting = enrichment.waiting(session, integration.id, MOST_LOOKUPS_SHOWN)
    return integrations.facts(session, integration.id) | {"lookups": waiting}


def named(session: Session, known_as: str) -> Row[Any]:
    """The integration of that slug or name. Raises UnknownIntegration."""
    found = integrations.called(session, known_as.strip())
    if found is None:
        raise UnknownIntegration(name=known_as)
    return found


# --- what is stored ---


def _values(session: Session, secret_box: SecretBox, given: Given) -> dict[str, Any]:
    """By column, what is stored of what is given."""
    values = {name: value for name, value in given.items() if name in ("source", "enabled")}
    if "name" in given:
        values["name"] = _name(given["name"])
    if "owner" in given:
        values["owner_id"] = _owner(session, given["owner"])
    if "tags" in given:
        values["tags"] = _tags(given["tags"])
    if "mapping" in given:
        values["mapping"] = check_mapping(given["mapping"])
    if "access_token" in given:
        values["access_token"] = (
            secret_box.seal(given["access_token"]) if given["access_token"] else None
        )
    if "base_url" in given:
        values["base_url"] = _address(given["base_url"])
    return values


def _name(name: str) -> str:
    if not name.strip():
        raise BlankName(what="integration")
    return name.strip()


def _owner(session: Session, name: str) -> int:
    """Whoever gets the leads: a person, or a pool of leads. Raises UnknownOwner, WrongPoolType."""
    owner = owner_named(session, name)
    pool = pools.with_id(session, owner.id) if owner.is_pool else None
    if pool is not None and pool.record_type != "lead":
        raise WrongPoolType(pool=pool.name, theirs=pool.record_type, asked="lead")
    return int(owner.id)


def _tags(tags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(str.strip, tags))))


def _address(address: str | None) -> str | None:
    if not address:
        return None
    parts = urlsplit(address)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username
        or parts.query
        or parts.fragment
    ):
        raise BadAddress(address=address)
    return address.rstrip("/")


def _slug(name: str) -> str:
    """Made of a name, with random letters behind it: nobody guesses it."""
    plain = re.sub("[^a-z0-9]+", "-", normalized(name)).strip("-")[:_LONGEST_OF_A_NAME].strip("-")
    ending = "".join(secrets.choice(_RANDOM_LETTERS) for _ in range(_RANDOM_LENGTH))
    return f"{plain}-{ending}" if plain else ending


def _check_free(session: Session, name: str) -> None:
    if integrations.called(session, name) is not None:
        raise IntegrationExists(name=name)
