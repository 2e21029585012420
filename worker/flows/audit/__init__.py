"""Checks of the promise, and the reason why a record has its owner."""
