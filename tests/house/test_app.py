"""How Celery reaches the broker."""

from typing import NoReturn

import pytest
from kombu.exceptions import OperationalError

from worker.app import PatientConnection


def test_a_broker_that_is_away_is_looked_for_every_second() -> None:
    connection = PatientConnection("redis+socket:///nowhere/at/all")
    pauses: list[float] = []

    def told(error: Exception, pause: float) -> None:
        pauses.append(pause)

    with pytest.raises(OperationalError):
        connection.ensure_connection(told, 2)

    assert pauses == [1.0, 1.0]


def test_a_channel_that_outlived_its_transport_does_not_end_the_worker() -> None:
    class Outlived:
        def close(self) -> NoReturn:
            raise AttributeError

    PatientConnection("memory://").maybe_close_channel(Outlived())
