"""The only code that speaks to the rings in Redis."""

from worker.ring.client import connect
from worker.ring.ring import Ring, RingState, Taken

__all__ = ["Ring", "RingState", "Taken", "connect"]
