"""Servers for the tests and the benchmarks."""
