"""Runs, and how they are cut into chunks."""
