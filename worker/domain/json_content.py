"""JSON as Python values."""

from collections.abc import Mapping
from typing import TypeAlias, TypeGuard

JsonObject: TypeAlias = Mapping[str, object]
"""A JSON object: of a delivery, or in a column."""


def is_object(content: object) -> TypeGuard[JsonObject]:
    """Whether the content is a JSON object, whose names are always text."""
    return isinstance(content, dict)
