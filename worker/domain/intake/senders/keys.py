"""Keys of parts: by which a delivery that comes again is known."""

import hashlib
from collections.abc import Sequence

from worker.domain.intake.parts import DeliveryPart
from worker.domain.storable import is_storable

LONGEST_KEY_CHARACTERS = 200


def shorten(key: str) -> str:
    """The same key, or its digest where it is too long for an index or can't be stored."""
    if len(key) <= LONGEST_KEY_CHARACTERS and is_storable(key):
        return key
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def digest(body: bytes) -> str:
    """The SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def number_parts(
    key: str, contents: Sequence[object], former_key: str | None = None
) -> list[DeliveryPart]:
    """The parts of one delivery, numbered from 0 behind its key where there are several."""
    if len(contents) == 1:
        return [DeliveryPart(key, contents[0], former_key)]
    return [
        DeliveryPart(f"{key}#{number}", content, former_key and f"{former_key}#{number}")
        for number, content in enumerate(contents)
    ]


def as_list(content: object) -> Sequence[object]:
    """The objects of a list, or the one object that is none."""
    return content if isinstance(content, list) else [content]
