"""What every statement stands on: engines, locks, bulk rows, the clock."""
