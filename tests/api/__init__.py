"""The HTTP API, over a real system."""
