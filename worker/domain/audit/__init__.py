"""What a check of a pool finds."""
