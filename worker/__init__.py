"""Evenhand hands every incoming record to the next member of a pool.

Redis hands out turns through an atomic script, SQL keeps the ledger that is the truth, and Celery
workers carry the work between them. Read from the bottom up: `domain` is pure, `ring` speaks to
Redis, `store` speaks SQL, `flows` tells the stories that need both, and `tasks`, `cli` and
`api_stub` are the doors through which people and programs ask for them.
"""
