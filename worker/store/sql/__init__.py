"""The base of every statement: engines, locks, bulk rows, the clock."""
