"""The names of a ring's keys. All keys of a pool share one hash tag, so that a cluster keeps them
on one node."""


def ring(pool_id: int) -> str:
    return f"{{pool:{pool_id}}}:ring"


def members(pool_id: int) -> str:
    return f"{{pool:{pool_id}}}:members"


def returned(pool_id: int) -> str:
    return f"{{pool:{pool_id}}}:returned"


def claim(pool_id: int, name: str) -> str:
    return f"{{pool:{pool_id}}}:claim:{name}"
