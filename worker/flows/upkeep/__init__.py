"""Upkeep: repairs the leftovers of a crash. Safe to run twice, anywhere, at any time."""
