"""Texts compared alike on either database: of letters only A to Z have small ones, whatever the
server thinks of others."""

from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlalchemy import ColumnElement, func

_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def position(text: ColumnElement[Any], part: str, *, on_postgresql: bool) -> ColumnElement[int]:
    """Where a part begins in a text, from 1; 0 if nowhere. Capitals or not is the same; nothing in
    the part means anything else."""
    if on_postgresql:
        return func.strpos(func.lower(text.collate("C")), part.translate(_SMALL))
    return func.instr(func.lower(text), part.translate(_SMALL))
