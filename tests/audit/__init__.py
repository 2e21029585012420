"""Tests of verify and why."""
