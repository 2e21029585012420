"""The permissions of users."""
