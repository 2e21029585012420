"""The command as a whole, and how errors end it: a sentence on standard error, exit code 2 for
wrong use and 1 for failure."""

import logging
import sys

from rich.logging import RichHandler

from worker.cli.output import errors, say
from worker.errors.base import EvenhandError
from worker.stack.parent_watchdog import watch_parent

UNEXPECTED = 1


def main() -> None:
    """The console script."""
    watch_parent()
    logging.basicConfig(
        level=logging.WARNING,
        format="%(message)s",
        handlers=[RichHandler(console=errors, show_path=False)],
    )
    try:
        from worker.cli.commands import app

        app()
    except EvenhandError as error:
        say(str(error))
        sys.exit(error.exit_code)
    except Exception as error:
        logging.getLogger(__name__).debug("unexpected", exc_info=True)
        say(f"Something went wrong that Evenhand doesn't know of: {type(error).__name__}: {error}")
        sys.exit(UNEXPECTED)
