"""One rig for all crash tests of a session, made whole again before each."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.acceptance.stack import free_port, home
from tests.crash.rig import Rig, sender
from tests.crash.servers import Postgres, Valkey
from tests.support.factories import token_of
from tests.support.servers import short_folder
from worker.flows.system import System
from worker.ring import Ring
from worker.ring.client import connect
from worker.store.sql.engine import open_engine
from worker.store.sql.migrate import migrate
from worker.uploads import Uploads


@pytest.fixture(scope="package")
def whole_rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        folders = [stack.enter_context(short_folder()) for _ in range(4)]
        postgres, ring, broker = (
            Postgres.install(folders[1]),
            Valkey(folders[2]),
            Valkey(folders[3]),
        )
        made = home(folders[0], postgres.url())
        addresses = {
            "EVENHAND_REDIS_URL": f"unix://{ring.socket}",
            "EVENHAND_BROKER_URL": f"redis+socket://{broker.socket}",
        }
        made = replace(made, environment=made.environment | addresses)
        given = made.settings
        uploads, engine = Uploads(given.uploads_url), open_engine(given.database_url)
        system = System(engine, Ring(connect(given.redis_url)), uploads, sender(given.broker_url))
        rig = Rig(made, postgres, ring, broker, system, free_port())
        stack.callback(rig.stop)
        postgres.start()
        migrate(engine)
        rig.token = token_of(system, "root@example.com", is_admin=True)
        yield rig


@pytest.fixture
def rig(whole_rig: Rig) -> Rig:
    whole_rig.make_ready()
    return whole_rig
