"""The Sell-compatible API as a whole. What lies under a fixed name comes before what lies under an
id."""

from api_stub.sell import conversions
from api_stub.sell.routes import add, router
from worker.domain.resources import RESOURCES

for resource in RESOURCES:
    add(resource)

__all__ = ["conversions", "router"]
