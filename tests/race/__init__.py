"""Several workers at once."""
