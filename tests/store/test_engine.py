"""How long a transaction may take that somebody waits for."""

import time

import pytest
from sqlalchemy import Engine, text

from worker.errors.servers import TookTooLong
from worker.store.sql.engine import (
    HURRY_SECONDS,
    limit_statement_time,
    open_engine,
    reading,
    writing,
)


def test_whoever_hurries_gets_an_answer_as_always(engine: Engine) -> None:
    with reading(engine) as read, writing(engine) as written:
        for session in (read, written):
            limit_statement_time(session)
            assert session.execute(text("SELECT 1")).scalar_one() == 1


def test_a_statement_that_takes_too_long_is_ended_and_told_so(postgresql_url: str) -> None:
    engine, began = open_engine(postgresql_url), time.monotonic()

    def take_a_minute() -> None:
        with reading(engine) as session:
            limit_statement_time(session, 0.1)
            session.execute(text("SELECT pg_sleep(60)"))

    with pytest.raises(TookTooLong, match="try again in a moment"):
        take_a_minute()

    assert time.monotonic() - began < 30
    engine.dispose()


def test_only_the_transaction_that_hurries_has_a_limit(postgresql_url: str) -> None:
    engine = open_engine(postgresql_url)

    def limit_of(*, hurried: bool) -> str:
        with writing(engine) as session:
            if hurried:
                limit_statement_time(session)
            return str(session.execute(text("SHOW statement_timeout")).scalar_one())

    assert [limit_of(hurried=True), limit_of(hurried=False)] == [f"{HURRY_SECONDS:g}s", "0"]
    engine.dispose()
