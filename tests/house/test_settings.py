"""Settings: the environment, its defaults, and what is said of wrong values."""

import os
import tempfile
from pathlib import Path

import pytest

from worker.errors.servers import BadSetting
from worker.settings import LONGEST_SOCKET_PATH_BYTES, Settings, SeveralNodes, settings

CLUSTER = "redis+cluster://[[USER]:PASSWORD@]HOST:PORT[,HOST:PORT...]."
REDISS = "rediss://me:secret@[::1]:1?ssl_cert_reqs=none"
LIMITS = "36000/hour, or 100/minute,36000/hour."
SENTINEL = "redis+sentinel://[[USER]:PASSWORD@]HOST:PORT[,HOST:PORT...]/MASTER[/DATABASE]."


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No EVENHAND_ variable is set, and the present folder is a temporary one."""
    for name in [name for name in os.environ if name.startswith("EVENHAND_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def read() -> Settings:
    """The settings as a new interpreter would read them."""
    return settings.__wrapped__()


def test_by_default_all_lies_in_a_folder_here(tmp_path: Path) -> None:
    given = read()

    home = tmp_path / ".evenhand"
    assert given.home == home
    assert given.database_url == f"sqlite:///{home}/evenhand.db"
    assert given.uploads_url == str(home / "uploads")
    assert given.embedded


def test_by_default_ring_and_broker_share_the_embedded_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVENHAND_HOME", "/srv/even hand")

    given = read()

    assert given.redis_url == "unix:///srv/even%20hand/valkey.sock"
    assert given.broker_url == "redis+socket:///srv/even%20hand/valkey.sock"
    assert given.socket == Path("/srv/even hand/valkey.sock")


def test_the_broker_is_the_ring_s_server_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVENHAND_REDIS_URL", "redis://elsewhere:6379/1")

    assert read().broker_url == "redis://elsewhere:6379/1"
    assert not read().embedded


def test_a_broker_must_be_named_when_the_rings_live_on_a_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVENHAND_REDIS_URL", "redis+cluster://a:7000")

    with pytest.raises(BadSetting, match="EVENHAND_BROKER_URL"):
        read()


@pytest.mark.parametrize(
    ("url", "topology", "hosts", "master", "one"),
    [
        ("redis+cluster://a:1", "cluster", [("a", 1)], "", "redis://a:1"),
        (
            "redis+cluster://:s%40t@a:1,b.example:22/",
            "cluster",
            [("a", 1), ("b.example", 22)],
            "",
            "redis://:s%40t@a:1",
        ),
        (
            "rediss+cluster://me:secret@[::1]:1,b:2?ssl_cert_reqs=none",
            "cluster",
            [("::1", 1), ("b", 2)],
            "",
            REDISS,
        ),
        (
            "redis+sentinel://a:1,b:2/rings",
            "sentinel",
            [("a", 1), ("b", 2)],
            "rings",
            "redis://a:1",
        ),
        (
            "redis+sentinel://me:secret@a:1/the%20rings/3",
            "sentinel",
            [("a", 1)],
            "the rings",
            "redis://me:secret@a:1/3",
        ),
    ],
)
def test_an_address_of_several_nodes_is_taken_apart(
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    topology: str,
    hosts: list[tuple[str, int]],
    master: str,
    one: str,
) -> None:
    monkeypatch.setenv("EVENHAND_REDIS_URL", url)
    monkeypatch.setenv("EVENHAND_BROKER_URL", "redis://broker")

    assert SeveralNodes.parse(read().redis_url) == (topology, tuple(hosts), master, one)


def test_an_address_of_one_server_has_no_several_nodes() -> None:
    assert SeveralNodes.parse("redis://user:secret@host:6379/1") is None


def test_an_empty_variable_is_one_that_is_not_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EVENHAND_DATABASE_URL", "")

    assert read().database_url == f"sqlite:///{tmp_path}/.evenhand/evenhand.db"


def test_a_socket_path_that_is_too_long_goes_to_the_temporary_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVENHAND_HOME", "/" + "x" * LONGEST_SOCKET_PATH_BYTES)

    socket = read().socket

    assert socket.is_relative_to(tempfile.gettempdir())
    assert len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH_BYTES
    monkeypatch.setenv("EVENHAND_HOME", "/" + "y" * LONGEST_SOCKET_PATH_BYTES)
    assert read().socket != socket


def test_a_path_just_short_enough_stays() -> None:
    home = Path("/" + "x" * (LONGEST_SOCKET_PATH_BYTES - len("//valkey.sock")))

    assert Settings(home=home).socket == home / "valkey.sock"
    assert Settings(home=Path(f"{home}x")).socket != Path(f"{home}x") / "valkey.sock"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_gets_the_driver_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("EVENHAND_DATABASE_URL", f"{scheme}://user:secret@host/name")

    assert read().database_url == "postgresql+psycopg://user:secret@host/name"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "EVENHAND_DATABASE_URL",
            "mysql://host/name",
            "must begin with postgresql:// or sqlite:///",
        ),
        ("EVENHAND_DATABASE_URL", "evenhand.db", "must begin with postgresql:// or sqlite:///"),
        (
            "EVENHAND_REDIS_URL",
            "localhost:6379",
            "must begin with redis:// or rediss:// or unix:// or redis+cluster://",
        ),
        ("EVENHAND_REDIS_URL", "redis+cluster://host", f"must look like {CLUSTER}"),
        ("EVENHAND_REDIS_URL", "redis+cluster://a:1,b", f"must look like {CLUSTER}"),
        ("EVENHAND_REDIS_URL", "redis+cluster://a:1/2", f"must look like {CLUSTER}"),
        ("EVENHAND_REDIS_URL", "redis+cluster://a:65536", f"must look like {CLUSTER}"),
        ("EVENHAND_REDIS_URL", "redis+cluster://secret@a:1", f"must look like {CLUSTER}"),
        ("EVENHAND_REDIS_URL", "rediss+cluster:///", f"must look like {CLUSTER}"),
        ("EVENHAND_REDIS_URL", "redis+sentinel://a:1", f"must look like {SENTINEL}"),
        ("EVENHAND_REDIS_URL", "redis+sentinel://a:1/", f"must look like {SENTINEL}"),
        ("EVENHAND_REDIS_URL", "redis+sentinel://a/rings", f"must look like {SENTINEL}"),
        ("EVENHAND_REDIS_URL", "redis+sentinel://a:1/rings/first", f"must look like {SENTINEL}"),
        ("EVENHAND_BROKER_URL", "sqs://", "must begin with redis://"),
        ("EVENHAND_RATE_LIMIT", "36000", f"must look like {LIMITS}"),
        ("EVENHAND_RATE_LIMIT", "36000/fortnight", f"must look like {LIMITS}"),
        ("EVENHAND_RATE_LIMIT", "-1/hour", f"must look like {LIMITS}"),
        ("EVENHAND_RATE_LIMIT", "0/hour", f"must look like {LIMITS}"),
        ("EVENHAND_RATE_LIMIT", "10/minute,", f"must look like {LIMITS}"),
    ],
)
def test_a_wrong_value_is_said_with_the_variable_s_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSetting) as raised:
        read()

    assert str(raised.value).startswith(f"The setting {name} {reason}")


def test_a_token_may_make_36000_requests_an_hour_unless_it_is_said_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read().rate_limit == "36000/hour"
    monkeypatch.setenv("EVENHAND_RATE_LIMIT", "10/second, 500 per 5 minutes")

    assert read().rate_limit == "10/second, 500 per 5 minutes"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().home = Path("/")
