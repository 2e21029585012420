"""The settings, read from the environment once."""

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, unquote

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.errors.servers import BadSetting

LOOPBACK = "127.0.0.1"

Fields = dict[str, Any]
"""The values of the settings that stand above a default."""

# A unix socket's address holds 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH_BYTES = 100

RING_SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel")


def _check_database_url(url: str) -> str:
    """Names the installed driver in PostgreSQL addresses. Raises ValueError for other databases."""
    scheme, separator, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return f"postgresql+psycopg{separator}{rest}"
    if scheme == "sqlite" and separator:
        return url
    raise ValueError("must begin with postgresql:// or sqlite:///")


def _check_server_url(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        if url.partition("://")[0] not in schemes:
            raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return url

    return AfterValidator(check)


_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/?#@,]+):\d{1,5}"
_NODES = rf"(?P<credentials>[^\s:/?#@]*:[^\s/?#@]+@|)(?P<hosts>{_HOST}(?:,{_HOST})*)"
_TOPOLOGIES = {
    "cluster": re.compile(rf"(?P<scheme>rediss?)\+cluster://{_NODES}/?(?P<query>\?\S*|)"),
    "sentinel": re.compile(
        rf"(?P<scheme>redis)\+sentinel://{_NODES}/(?P<master>[^\s/?#]+)"
        r"(?P<database>/\d*|)(?P<query>\?\S*|)"
    ),
}
_FORMS = {
    "cluster": "redis+cluster://[[USER]:PASSWORD@]HOST:PORT[,HOST:PORT...]",
    "sentinel": "redis+sentinel://[[USER]:PASSWORD@]HOST:PORT[,HOST:PORT...]/MASTER[/DATABASE]",
}


class SeveralNodes(NamedTuple):
    """The address of a Redis Cluster by some of its nodes, or of a master by its Sentinels."""

    topology: str
    hosts: tuple[tuple[str, int], ...]
    master: str
    url_of_one: str
    """The address of the first node, with credentials, database and options."""

    @classmethod
    def parse(cls, url: str) -> "SeveralNodes | None":
        """Reads an address. Returns None for the address of a single server. Raises ValueError,
        whose message shows the expected form."""
        topology = url.partition("://")[0].partition("+")[2]
        if topology not in _TOPOLOGIES:
            return None
        found = _TOPOLOGIES[topology].fullmatch(url)
        part = found.groupdict("") if found else {}
        hosts = tuple(_split_host(text) for text in part.get("hosts", "").split(",") if text)
        if not hosts or not all(0 < port < 65536 for _, port in hosts):
            raise ValueError(f"must look like {_FORMS[topology]}")
        first = part["hosts"].partition(",")[0]
        server = f"{part['scheme']}://{part['credentials']}{first}"
        one = f"{server}{part.get('database', '')}{part['query']}"
        return cls(topology, hosts, unquote(part.get("master", "")), one)


def _split_host(text: str) -> tuple[str, int]:
    name, _, port = text.rpartition(":")
    return name.strip("[]"), int(port)


def _check_nodes(url: str) -> str:
    SeveralNodes.parse(url)
    return url


def _check_rate_limit(text: str) -> str:
    from limits import parse_many  # slow to import, and most commands keep the default

    with suppress(ValueError):
        if all(limit.amount for limit in parse_many(text)):
            return text
    raise ValueError("must look like 36000/hour, or 100/minute,36000/hour")


def _check_networks(text: str) -> str:
    try:
        for network in filter(None, map(str.strip, text.split(","))):
            ip_network(network)
    except ValueError:
        raise ValueError("must look like 10.0.0.7, or 10.0.0.0/8,fd00::/8") from None
    return text


def _make_default_database(fields: Fields) -> str:
    return f"sqlite:///{fields['home'] / 'evenhand.db'}"


def _make_default_redis(fields: Fields) -> str:
    return f"unix://{quote(str(socket_path(fields['home'])))}"


def _make_default_broker(fields: Fields) -> str:
    return str(fields.get("redis_url", "")).replace("unix://", "redis+socket://")


def socket_path(home: Path) -> Path:
    """Returns where the embedded server listens: in the data folder, or in a private temporary
    folder if that path is too long for a socket."""
    path = home / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"evenhand-{os.getuid()}" / f"{digest}.sock"


class Settings(BaseSettings):
    """What a deployment decides. The environment variable of a field is EVENHAND_ and its name in
    capitals."""

    model_config = SettingsConfigDict(
        env_prefix="EVENHAND_", env_ignore_empty=True, frozen=True, validate_default=True
    )

    home: Annotated[Path, AfterValidator(Path.absolute)] = Path(".evenhand")
    """The data folder of the local stack."""
    database_url: Annotated[str, BeforeValidator(_check_database_url)] = Field(
        default_factory=_make_default_database
    )
    """The database: postgresql://USER:PASSWORD@HOST/NAME, or sqlite:///PATH for one machine."""
    redis_url: Annotated[str, _check_server_url(*RING_SCHEMES), AfterValidator(_check_nodes)] = (
        Field(default_factory=_make_default_redis)
    )
    """Where the rings live: on one server, on a Redis Cluster, or on the master that Sentinel
    names."""
    broker_url: Annotated[
        str, _check_server_url("redis", "rediss", "redis+socket", "amqp", "amqps")
    ] = Field(default_factory=_make_default_broker)
    """Where Celery's messages live."""
    uploads_url: str = Field(default_factory=lambda fields: str(fields["home"] / "uploads"))
    """A folder for uploads and receipts, as any address that fsspec knows."""

    account_name: str = "Evenhand"
    """What the Sell-compatible API calls the account."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    """The currency of deals that name none (ISO 4217)."""
    rate_limit: Annotated[str, AfterValidator(_check_rate_limit)] = Field(
        default="36000/hour", validate_default=False
    )
    """How many requests an access token may make; several such limits with commas between."""

    form_rate_limit: Annotated[str, AfterValidator(_check_rate_limit)] = Field(
        default="10/minute,60/hour", validate_default=False
    )
    """How many submissions one address may send through a form; several limits with commas
    between."""
    trusted_proxies: Annotated[str, AfterValidator(_check_networks)] = ""
    """The addresses and networks of the proxies in front of the API, with commas between. The API
    believes what they say of a request's address."""

    secret_key: SecretStr | None = None
    """The key that encrypts secrets and signs form tokens: 32 characters or more. Of several keys
    with commas between, the first is used for new secrets. Without it, a key is made and kept in
    the data folder."""
    public_url: Annotated[str, Field(pattern="^https?://[^/]+$")] | None = None
    """The scheme, host and port under which others reach the API, if a proxy stands in front of
    it."""

    flower_basic_auth: SecretStr | None = None
    """Who may open Flower, as NAME:PASSWORD; several with commas between."""

    @property
    def socket(self) -> Path:
        """Where the embedded server listens."""
        return socket_path(self.home)

    @property
    def embedded(self) -> bool:
        """Whether the ring or the broker lives on the server that the local stack starts."""
        sockets = (
            _make_default_redis({"home": self.home}),
            f"redis+socket://{quote(str(self.socket))}",
        )
        return self.redis_url == sockets[0] or self.broker_url == sockets[1]


@cache
def settings() -> Settings:
    """Returns the settings of this process. Raises BadSetting, which names the wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = f"EVENHAND_{str(wrong['loc'][0]).upper()}"
        raise BadSetting(name=name, reason=wrong["msg"].removeprefix("Value error, ")) from None
