"""Texts that both databases compare alike: only the letters A to Z have small ones, in every locale
of the server."""

from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlalchemy import ColumnElement, func

_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def position(text: ColumnElement[Any], part: str, *, on_postgresql: bool) -> ColumnElement[int]:
    """Where a part begins in a text, from 1; 0 if nowhere. Capitals and small letters are the same,
    and no character of the part is a wildcard."""
    if on_postgresql:
        return func.strpos(func.lower(text.collate("C")), part.translate(_SMALL))
    return func.instr(func.lower(text), part.translate(_SMALL))
