"""Users, their access tokens, and the Idempotency-Keys of their requests."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text, false, func, true

from worker.store.sql.types import Id, Moment
from worker.store.tables.columns import id_column, metadata, where

users = Table(
    "users",
    metadata,
    id_column(),
    Column("name", Text, nullable=False),
    Column("email", Text, unique=True, comment="lower case; a pool's phantom user has none"),
    Column("is_admin", Boolean, nullable=False, server_default=false()),
    Column(
        "can_reassign",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="may change the owners of records",
    ),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    Column(
        "is_pool",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="the phantom user of the pool with this id",
    ),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)
Index(
    "uq_users_live_pool_name",
    func.lower(users.c.name),
    unique=True,
    **where("is_pool AND is_active"),
)

tokens = Table(
    "tokens",
    metadata,
    id_column(),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False, comment="what it is for"),
    Column(
        "digest",
        Text,
        nullable=False,
        unique=True,
        comment="SHA-256 of the token, which is kept nowhere",
    ),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment, comment="to the minute"),
    Column("revoked_at", Moment),
    Index("ix_tokens_user_id", "user_id"),
    sqlite_autoincrement=True,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("key", Text, primary_key=True, comment="the Idempotency-Key that the request came with"),
    Column("fingerprint", Text, nullable=False, comment="SHA-256 of the request"),
    Column("body", Text, comment="what was answered; none while the request is being worked on"),
    Column("at", Moment, nullable=False),
    Index("ix_idempotency_keys_at", "at"),
)
