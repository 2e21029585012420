"""Leads from outside: forms, integrations, JSON objects."""
