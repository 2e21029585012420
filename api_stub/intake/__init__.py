"""Where leads come in from outside."""
