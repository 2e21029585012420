"""Smart lists and their filters."""
