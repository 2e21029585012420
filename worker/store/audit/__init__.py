"""The statements of `verify`."""
