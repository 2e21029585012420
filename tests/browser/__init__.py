"""Hosted forms in a real browser."""
