"""The secret box: encrypts texts that must not be readable in the database, and signs texts that
must come back unchanged."""

import base64
import hashlib
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from worker.errors.servers import BadSetting, Unreadable
from worker.settings import Settings, settings

SHORTEST_KEY_CHARACTERS = 32
KEY_FILE = "secret.key"


class SecretBox:
    """Encrypts texts with the first of its keys, and decrypts texts of all its keys, so that keys
    can be changed one after another.

    It uses Fernet (AES-128-CBC with HMAC-SHA256): without a key a text can be neither read nor
    forged."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(_derive(key)) for key in keys])

    def seal(self, text: str) -> str:
        """The text, encrypted."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str, most_seconds: int | None = None) -> str:
        """The sealed text, if it was sealed within the given number of seconds, or at any time.
        Raises Unreadable."""
        try:
            return self._fernet.decrypt(sealed.encode(errors="replace"), most_seconds).decode()
        except InvalidToken:
            raise Unreadable from None

    def age_seconds(self, sealed: str, now: float) -> float:
        """How many seconds before `now` a text was sealed. Raises Unreadable."""
        try:
            return now - self._fernet.extract_timestamp(sealed.encode(errors="replace"))
        except InvalidToken:
            raise Unreadable from None


def _derive(key: str) -> bytes:
    """A key in the form that Fernet wants. Keys are long and random, so they need no stretching."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())


def open_secret_box(given: Settings) -> SecretBox:
    """The secret box that the settings describe. If they name no key, its key is in the data
    folder. Raises BadSetting."""
    if given.secret_key is None:
        return SecretBox([_read_or_make_key(given.home / KEY_FILE)])
    keys = [key.strip() for key in given.secret_key.get_secret_value().split(",")]
    if any(len(key) < SHORTEST_KEY_CHARACTERS for key in keys):
        raise BadSetting(
            name="EVENHAND_SECRET_KEY",
            reason=f"must have {SHORTEST_KEY_CHARACTERS} characters or more",
        )
    return SecretBox(keys)


def _read_or_make_key(path: Path) -> str:
    """The key in a file that only its owner may read. The first process makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{KEY_FILE}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(SHORTEST_KEY_CHARACTERS))
    with suppress(FileExistsError):
        os.link(draft, path)  # whole or not at all, and never over another's
    draft.unlink()
    return path.read_text()


@cache
def secret_box() -> SecretBox:
    """The secret box of this process."""
    return open_secret_box(settings())
