"""The only code that speaks to the rings in Redis, and to the counters next to them."""

from worker.ring.ring import Ring, RingState, Taken

__all__ = ["Ring", "RingState", "Taken"]
