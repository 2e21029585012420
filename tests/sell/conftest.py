"""What the tests of the Sell-compatible API are given: the same clients as the tests of our own."""

from tests.support.clients import app, client, client_of, member, reassigner, stranger

__all__ = ["app", "client", "client_of", "member", "reassigner", "stranger"]
