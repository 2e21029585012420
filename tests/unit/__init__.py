"""The pure parts, by themselves."""
