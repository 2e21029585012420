"""Whole numbers."""

GREATEST = 2**63 - 1
"""That both databases hold: also of ids."""
