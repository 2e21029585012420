"""docker-compose.yml and the Dockerfile. No container engine is needed: each service's command runs
as a program on this machine, with its service's environment, and only host names, ports and folders
replaced by those of the test."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import yaml
from celery import Celery
from redis import Redis
from redis.exceptions import AuthenticationError
from sqlalchemy import inspect

from tests.support.servers import Postgres, children, program
from worker.app import app
from worker.stack.server import find_program
from worker.store.sql.engine import open_engine
from worker.store.tables import metadata

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()

EVENHAND = (sys.executable, "-m", "worker")
SECRETS = {
    "EVENHAND_POSTGRES_PASSWORD": "petunia",
    "EVENHAND_REDIS_PASSWORD": "rhododendron",
    "EVENHAND_SECRET_KEY": "chrysanthemums and delphiniums, in one long key",
    "EVENHAND_FLOWER_BASIC_AUTH": "operator:foxglove",
}
VARIABLE = re.compile(r"\$\{(\w+)(:[-?])([^}]*)\}")
FILLED_IN = VARIABLE.sub(
    lambda found: found[3] if found[2] == ":-" else SECRETS[found[1]], TEXT
).replace("$$", "$")
SERVICES: dict[str, Any] = yaml.safe_load(FILLED_IN)["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "evenhand"}


# --- the file ---


def test_the_file_obeys_the_compose_specification() -> None:
    check = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "docker-compose.yml",
    ]

    checked = subprocess.run(check, capture_output=True, text=True, check=False, cwd=ROOT)

    assert checked.returncode == 0, checked.stdout


def test_every_secret_must_be_set_and_says_so() -> None:
    variables = VARIABLE.findall(TEXT)

    assert {
        name for name, rule, rest in variables if rule == ":?" and rest.startswith("Set it")
    } == set(SECRETS)
    assert {name for name, rule, _ in variables if rule == ":-"} == {
        "EVENHAND_API_PORT",
        "EVENHAND_FLOWER_PORT",
        "EVENHAND_PUBLIC_URL",
    }
    assert TEXT.replace("$$", "").count("$") == len(variables)


def test_no_secret_stands_in_a_command_line() -> None:
    lines = json.dumps(
        [[service.get("command"), service.get("healthcheck")] for service in SERVICES.values()]
    )

    assert [secret for secret in SECRETS.values() if secret in lines] == []


def test_ports_are_published_on_this_machine_alone() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {
        name: [f"127.0.0.1:{option(name, '--port')}:{option(name, '--port')}"]
        for name in ("api", "flower")
    }


@pytest.mark.parametrize("name", OURS)
def test_our_services_know_the_others_by_name_and_password(name: str) -> None:
    environment, database = SERVICES[name]["environment"], SERVICES["postgres"]["environment"]
    postgres, ring, broker = (
        urlsplit(environment[f"EVENHAND_{what}_URL"]) for what in ("DATABASE", "REDIS", "BROKER")
    )

    assert (postgres.username, postgres.path) == (
        database["POSTGRES_USER"],
        f"/{database['POSTGRES_DB']}",
    )
    assert postgres.password == database["POSTGRES_PASSWORD"]
    assert {postgres.hostname, ring.hostname, broker.hostname} <= set(SERVICES)
    assert ring.password == broker.password == SERVICES["redis"]["environment"]["VALKEYCLI_AUTH"]


@pytest.mark.parametrize("name", OURS)
def test_our_services_can_write_nowhere_but_where_they_must(name: str) -> None:
    locked = {
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }

    assert {key: OURS[name].get(key) for key in locked} == locked
    assert not {"user", "privileged", "cap_add", "devices"} & set(OURS[name])


def test_the_api_and_the_workers_share_the_uploads() -> None:
    sharing = {
        name
        for name, service in SERVICES.items()
        if "uploads:/srv/uploads" in service.get("volumes", ())
    }

    assert sharing == {"api", "worker-bulk", "worker-swift"}
    assert {service["environment"]["EVENHAND_UPLOADS_URL"] for service in OURS.values()} == {
        "/srv/uploads"
    }


def test_the_workers_serve_every_queue_between_them() -> None:
    served = [
        queue
        for name in ("worker-bulk", "worker-swift")
        for queue in option(name, "--queues").split(",")
    ]

    assert sorted(served) == sorted(queue.name for queue in app.conf.task_queues)


def test_services_wait_for_what_can_tell_that_it_is_ready() -> None:
    waits = {
        (other, wait["condition"])
        for service in OURS.values()
        for other, wait in service["depends_on"].items()
    }

    assert waits == {(name, "service_healthy") for name in ("postgres", "redis")} | {
        ("migrate", "service_completed_successfully")
    }
    assert {"postgres", "redis"} <= {
        name for name, service in SERVICES.items() if "healthcheck" in service
    }
    assert [
        name for name, service in SERVICES.items() if service["restart"] != "unless-stopped"
    ] == ["migrate"]


def test_each_command_is_one_that_evenhand_knows() -> None:
    told = subprocess.run([*EVENHAND, "--help"], capture_output=True, text=True, check=True).stdout

    assert {service["command"][0] for service in OURS.values()} <= set(
        re.findall(r"^\W*([a-z]+)", told, re.MULTILINE)
    )


def option(name: str, flag: str) -> str:
    command: list[str] = SERVICES[name]["command"]
    return command[command.index(flag) + 1]


# --- the image ---


def test_the_image_is_made_of_files_that_exist_and_are_sent() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    sent = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert sorted(copied) == sorted(sent)
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_the_image_runs_evenhand_as_nobody_special() -> None:
    assert DOCKERFILE.rpartition("\nFROM ")[2].endswith('\nUSER 10001\nENTRYPOINT ["evenhand"]\n')


def test_what_only_builds_the_image_is_taken_out_of_it() -> None:
    removed = re.findall(r"pip uninstall --yes (.+)$", DOCKERFILE, re.MULTILINE)[0].split()
    needs = {
        need.partition(">")[0]
        for need in requires("hatchling") or ()
        if "python_version" not in need
    }

    assert {*removed, "packaging"} == {"editables", "hatchling", *needs}, (
        "packaging stays, for Celery's Redis transport"
    )


# --- the commands, running ---


@dataclass(frozen=True)
class Machine:
    """Where the services run in a test: what stands in for the host names, ports and folders that
    they would find in their containers."""

    folder: Path
    environment: Mapping[str, str]
    stand_ins: Mapping[str, str]

    def place(self, text: str) -> str:
        return re.sub(
            "|".join(map(re.escape, self.stand_ins)), lambda found: self.stand_ins[found[0]], text
        )

    def command(self, name: str) -> list[str]:
        return [*(EVENHAND if name in OURS else ()), *map(self.place, SERVICES[name]["command"])]

    def options(self, name: str) -> dict[str, Any]:
        """How the service's programs are run: in its folder, with its environment and nothing of
        ours."""
        outer = {key: value for key, value in os.environ.items() if not key.startswith("EVENHAND_")}
        given = {key: self.place(value) for key, value in SERVICES[name]["environment"].items()}
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return {
            "cwd": folder,
            "env": {**outer, **given, **(self.environment if name in OURS else {})},
        }

    @contextmanager
    def run(self, name: str, answers: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
        """The service, from the moment that it answers. It may write nothing where it works: in a
        container that is read-only."""
        options = self.options(name)
        with program(
            self.command(name), self.folder / f"{name}.log", answers, **options
        ) as running:
            yield running
        assert name not in OURS or list(options["cwd"].iterdir()) == []

    def is_healthy(self, name: str) -> bool:
        """What the service's health check says."""
        _, _, *arguments = map(self.place, SERVICES[name]["healthcheck"]["test"])
        return (
            subprocess.run(
                [sys.executable, *arguments], capture_output=True, check=False, **self.options(name)
            ).returncode
            == 0
        )

    def listens(self, port: str) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(self.stand_ins[port]))) == 0

    @contextmanager
    def redis(self) -> Iterator[Redis]:
        """The service redis, by a client of the broker's database on it."""
        client = Redis(
            port=int(self.stand_ins["6379"]), password="rhododendron", db=1, decode_responses=True
        )
        with self.run("redis", lambda: self.listens("6379")), client:
            yield client


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def machine(tmp_path: Path, postgresql_url: str) -> Machine:
    (tmp_path / "tmp").mkdir()
    redis = free_port()
    stand_ins = {
        "valkey-server -": f"{shlex.quote(str(find_program()))} --bind 127.0.0.1 --port {redis} -",
        "redis:6379": f"127.0.0.1:{redis}",
        "6379": redis,
        "0.0.0.0": "127.0.0.1",
        "8000": free_port(),
        "5555": free_port(),
        "/srv/uploads": str(tmp_path / "uploads"),
        "/tmp": str(tmp_path / "tmp"),
    }
    return Machine(tmp_path, {"EVENHAND_DATABASE_URL": postgresql_url}, stand_ins)


@pytest.fixture
def redis(machine: Machine) -> Iterator[Redis]:
    with machine.redis() as client:
        yield client


def test_redis_asks_for_the_password_and_forgets_nothing(machine: Machine) -> None:
    wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}

    with machine.redis() as client, Redis(port=int(machine.stand_ins["6379"])) as stranger:
        client.set("kept", "yes")
        assert client.config_get(*wanted) == wanted
        with pytest.raises(AuthenticationError):
            stranger.ping()

    with machine.redis() as client:
        assert client.get("kept") == "yes"


def test_migrate_makes_the_tables_and_ends(machine: Machine, postgres: Postgres) -> None:
    url = postgres.create_database()
    options = machine.options("migrate")
    options["env"]["EVENHAND_DATABASE_URL"] = url

    subprocess.run(machine.command("migrate"), check=True, capture_output=True, **options)

    assert list(options["cwd"].iterdir()) == []
    engine = open_engine(url)
    assert set(metadata.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()
    postgres.drop_database(url)


@pytest.mark.usefixtures("redis")
def test_the_api_answers_and_its_health_check_sees_it(machine: Machine) -> None:
    assert not machine.is_healthy("api")

    with machine.run("api", lambda: machine.listens("8000")) as running:
        assert machine.is_healthy("api")
        assert len(children(running.pid)) == int(option("api", "--processes"))
        assert (
            httpx2.get(f"http://127.0.0.1:{machine.stand_ins['8000']}/healthz").status_code == 200
        )


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize("name", ["worker-bulk", "worker-swift"])
def test_a_worker_serves_its_queues_with_its_processes(machine: Machine, name: str) -> None:
    with Celery(
        "tests",
        broker=machine.place(OURS[name]["environment"]["EVENHAND_BROKER_URL"]),
        set_as_current=False,
    ) as celery:
        celery.conf.broker_transport_options = app.conf.broker_transport_options
        asked = celery.control.inspect(timeout=20, limit=1)
        with machine.run(name, lambda: bool(celery.control.ping(timeout=0.5))):
            ((answering, queues),) = asked.active_queues().items()
            ((_, stats),) = asked.stats().items()

    assert answering.startswith(f"{option(name, '--name')}@")
    assert {queue["name"] for queue in queues} == set(option(name, "--queues").split(","))
    assert stats["pool"]["max-concurrency"] == int(option(name, "--processes"))


def test_beat_calls_upkeep(machine: Machine, redis: Redis) -> None:
    with machine.run("beat", lambda: bool(redis.llen("evenhand:upkeep"))):
        task = json.loads(redis.lrange("evenhand:upkeep", 0, 0)[0])

    assert task["headers"]["task"] == "upkeep.sweep"


@pytest.mark.usefixtures("redis")
def test_flower_shows_itself_to_those_who_know_the_password(machine: Machine) -> None:
    known, site = ("operator", "foxglove"), f"http://127.0.0.1:{machine.stand_ins['5555']}"
    assert not machine.is_healthy("flower")

    with machine.run("flower", lambda: machine.listens("5555")):
        assert machine.is_healthy("flower")
        assert httpx2.get(site).status_code == 401
        assert httpx2.get(site, auth=("operator", "wrong")).status_code == 401
        assert httpx2.get(site, auth=known).status_code == 200
        assert httpx2.post(f"{site}/api/worker/shutdown/bulk", auth=known).status_code == 403
