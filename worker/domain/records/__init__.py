"""The fields of records."""
