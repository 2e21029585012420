"""The evenhand command: for people at a terminal, and with --json for scripts."""

from worker.cli.main import main

__all__ = ["main"]
