"""Tests of the house itself: its rules, settings, commands and small parts."""
