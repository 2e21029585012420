"""The views that people and programs see. The only part of the store that callers above the flows
may read."""
