"""Chaos itself, and what it is made of."""
