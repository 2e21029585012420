"""Tests of pools and turns."""
