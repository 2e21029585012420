"""Tests of smart lists and filters."""
