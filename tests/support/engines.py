"""One engine for each kind of database, which goes from one test's database to the next one's: what
it has learnt of statements stays."""

from typing import Any

from sqlalchemy import Dialect, Engine, event, make_url

from worker.store.sql.engine import open_engine

_engines: dict[str, Engine] = {}


def engine_at(url: str) -> Engine:
    """The engine for databases of that kind, whose connections go there from now on."""
    kind = make_url(url).get_backend_name()
    if kind not in _engines:
        _engines[kind] = _engine_that_moves(url)
    engine = _engines[kind]
    engine.url = make_url(url)
    return engine


def _engine_that_moves(url: str) -> Engine:
    engine = open_engine(url)

    def go_there(dialect: Dialect, _: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        arguments[:], now = dialect.create_connect_args(engine.url)
        options.update(now)

    event.listen(engine, "do_connect", go_there)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", do_not_wait_for_the_disk)
    return engine


def do_not_wait_for_the_disk(connection: Any, _: Any) -> None:
    """No test that shares its machine with the database ends in a power cut."""
    connection.execute("PRAGMA synchronous = OFF")
