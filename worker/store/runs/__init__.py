"""Runs, their chunks, and the records that they are about."""
