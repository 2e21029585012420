"""Chaos: a stack of its own is broken in every known way while leads come in, and then the promise
is checked."""
