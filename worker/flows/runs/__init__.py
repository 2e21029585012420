"""Runs: imports, reassignments and undos, from the request to the end."""
