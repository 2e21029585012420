"""Text that a database stores."""

import re

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, and halves of characters, which JSON can spell."""


def is_storable(text: str) -> bool:
    return _UNSTORABLE.search(text) is None


def told(text: str) -> str:
    """The same text with a question mark for what can't be stored, nor shown."""
    return _UNSTORABLE.sub("?", text)
