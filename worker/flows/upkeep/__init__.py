"""Upkeep: repairs what a crash has left behind. Safe to run twice, anywhere, at any time."""
