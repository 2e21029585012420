"""Users, tokens and idempotency keys."""
