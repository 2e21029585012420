"""Captured leads, forms, integrations and deliveries."""
