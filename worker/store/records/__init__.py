"""Leads, contacts and deals, and the resources that they refer to."""
