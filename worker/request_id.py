"""The id of the request that is being served: its answer, its log lines, the tasks that it sends
and their log lines all bear it."""

import logging
from contextvars import ContextVar
from typing import Any

HEADER = "request_id"
"""Under which a task carries the id."""

current: ContextVar[str | None] = ContextVar("request_id", default=None)
"""None outside of a request, and in what upkeep does by itself."""


class _Record(logging.LogRecord):
    """A log record that knows the request it is about: a format shows it by `%(request_mark)s`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        request_id = current.get()
        self.request_mark = f"[{request_id}] " if request_id else ""


def mark_log_records() -> None:
    """From now on every log record of this process has its `%(request_mark)s`."""
    logging.setLogRecordFactory(_Record)
