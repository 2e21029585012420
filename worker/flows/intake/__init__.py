"""Leads from outside: captured, sent through forms, delivered by integrations."""
