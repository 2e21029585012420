"""The id of the request that is served. Its answer, its log lines and its tasks have it, too."""

import logging
from typing import Any

from asgi_correlation_id import correlation_id

HEADER = "request_id"
"""The header of a task that carries the id."""

MESSAGE = "%(request_mark)s%(message)s"
"""The part of a log format that shows the id, in brackets, and the message."""


class _Record(logging.LogRecord):
    """A log record with the mark of the request that it is about. The mark is empty outside of a
    request, and in upkeep's own work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        request_id = correlation_id.get()
        self.request_mark = f"[{request_id}] " if request_id else ""


def mark_log_records() -> None:
    """Gives every further log record of this process its `request_mark`."""
    logging.setLogRecordFactory(_Record)
