"""Pools and their turns: taken and entered here, and nowhere else."""
