"""Turns, rosters and claims."""
