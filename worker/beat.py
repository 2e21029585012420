"""Celery's beat, which stops when it is told to."""

from types import FrameType

from celery import platforms
from celery.apps import beat
from celery.beat import Service


class Beat(beat.Beat):  # type: ignore[misc]
    """The beat of the app.

    Celery's own handler of signals raises SystemExit wherever the beat is. If that is inside the
    Redis client, another error takes its place, and the beat would go on. So the service is marked
    as stopped first.
    """

    def install_sync_handler(self, service: Service) -> None:
        """Stops the service at SIGTERM and SIGINT."""

        def stop(number: int, frame: FrameType | None) -> None:
            service.stop()
            raise SystemExit

        platforms.signals.update(SIGTERM=stop, SIGINT=stop)
