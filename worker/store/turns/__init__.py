"""Pools, rosters and the ledger."""
