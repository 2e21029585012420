"""Evenhand over HTTP. Endpoints are plain functions: each calls a flow and answers with a view."""
