"""The Sell-compatible API, over a real system."""
