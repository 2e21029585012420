"""Evenhand over HTTP. Endpoints are plain functions: each asks a flow, and shows what came of it."""
