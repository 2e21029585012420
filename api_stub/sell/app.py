"""The Sell-compatible API as a whole. Fixed paths come before paths with an id: importing
`conversions` adds its routes first."""

from api_stub.sell import conversions
from api_stub.sell.routes import add_routes, router
from worker.domain.records.types import RESOURCES

for resource in RESOURCES:
    add_routes(resource)

__all__ = ["conversions", "router"]
