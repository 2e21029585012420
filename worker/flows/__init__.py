"""The stories, one a file: the only code that uses the ring and the store together."""
