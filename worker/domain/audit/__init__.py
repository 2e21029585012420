"""The findings of a check of a pool."""
