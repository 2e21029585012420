"""People, and their permissions."""
