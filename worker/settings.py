"""One frozen Settings, read from the environment once."""

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.errors import BadSetting

LOOPBACK = "127.0.0.1"

# A unix socket's address holds 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH_BYTES = 100


def _database_url(url: str) -> str:
    """PostgreSQL addresses are given the driver that is installed; anything but PostgreSQL and SQLite is refused."""
    scheme, separator, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return f"postgresql+psycopg{separator}{rest}"
    if scheme == "sqlite" and separator:
        return url
    raise ValueError("must begin with postgresql:// or sqlite:///")


def _server_url(*schemes: str) -> Any:
    def check(url: str) -> str:
        if url.partition("://")[0] not in schemes:
            raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return url

    return AfterValidator(check)


def _default_database(given: dict[str, Any]) -> str:
    return f"sqlite:///{given['home'] / 'evenhand.db'}"


def _default_redis(given: dict[str, Any]) -> str:
    return f"unix://{quote(str(socket_path(given['home'])))}"


def _default_broker(given: dict[str, Any]) -> str:
    return str(given.get("redis_url", "")).replace("unix://", "redis+socket://")


def socket_path(home: Path) -> Path:
    """Where the embedded server listens: in the data folder, or in a private temporary one when that path is too long for a socket."""
    path = home / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"evenhand-{os.getuid()}" / f"{digest}.sock"


class Settings(BaseSettings):
    """What a deployment decides. Each field is the environment variable EVENHAND_ plus its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="EVENHAND_", env_ignore_empty=True, frozen=True, validate_default=True)

    home: Annotated[Path, AfterValidator(Path.absolute)] = Path(".evenhand")
    """The data folder of the local stack."""
    database_url: Annotated[str, BeforeValidator(_database_url)] = Field(default_factory=_default_database)
    redis_url: Annotated[str, _server_url("redis", "rediss", "unix")] = Field(default_factory=_default_redis)
    """Where the rings live."""
    broker_url: Annotated[str, _server_url("redis", "rediss", "redis+socket", "amqp", "amqps")] = Field(default_factory=_default_broker)
    """Where Celery's messages live."""
    uploads_url: str = Field(default_factory=lambda given: str(given["home"] / "uploads"))
    """A folder for uploads and receipts, as any address that fsspec knows."""

    flower_basic_auth: SecretStr | None = None
    """Who may look at Flower, as NAME:PASSWORD; more with commas between."""

    @property
    def socket(self) -> Path:
        return socket_path(self.home)

    @property
    def embedded(self) -> bool:
        """Whether the ring or the broker lives on the server that the local stack starts itself."""
        sockets = (_default_redis({"home": self.home}), f"redis+socket://{quote(str(self.socket))}")
        return self.redis_url == sockets[0] or self.broker_url == sockets[1]


@cache
def settings() -> Settings:
    """The settings of this process. Raises BadSetting, which names the variable at fault."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = f"EVENHAND_{str(wrong['loc'][0]).upper()}"
        raise BadSetting(name=name, reason=wrong["msg"].removeprefix("Value error, ")) from None
