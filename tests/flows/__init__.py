"""The stories, on both databases and a real ring."""
