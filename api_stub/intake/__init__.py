"""Where leads come in from outside, without an access token."""
