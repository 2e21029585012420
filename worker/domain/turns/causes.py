"""Causes: why turns are taken."""

from enum import StrEnum


class Cause(StrEnum):
    """What took a turn. The ledger keeps it with the entry."""

    CAPTURE = "capture"
    CREATE = "create"
    EDIT = "edit"
    CONVERT = "convert"
    IMPORT = "import"
    REASSIGN = "reassign"
    VOID = "void"
    """Nobody gets the turn: its member left the pool before it was entered."""
