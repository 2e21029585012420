"""What `verify` reads."""
