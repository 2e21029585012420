"""The Sell-compatible API, version 2: as far as owners matter, integrations written for Sell work
here unchanged."""
