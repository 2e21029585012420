"""Leads, contacts and deals, and what they refer to."""
