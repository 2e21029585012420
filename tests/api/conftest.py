"""What the tests of our own API are given."""

from tests.support.clients import app, client, client_of, member, reassigner, stranger

__all__ = ["app", "client", "client_of", "member", "reassigner", "stranger"]
