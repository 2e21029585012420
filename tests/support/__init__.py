"""What tests stand on: servers, factories, invariants."""
