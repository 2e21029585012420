"""Tests of the ring and its scripts."""
