"""The values that a database can store: whole numbers up to a limit, and text without certain
characters."""

import re

GREATEST = 2**63 - 1
"""The greatest whole number that both databases hold, ids included."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, and halves of characters, which JSON can spell."""


def is_storable(text: str) -> bool:
    """Whether a database stores the text as it is."""
    return _UNSTORABLE.search(text) is None


def replace_unstorable(text: str) -> str:
    """The text with a question mark for each character that can't be stored or shown."""
    return _UNSTORABLE.sub("?", text)
