"""Smart lists."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, String, Table, Text, false, func

from worker.store.sql.types import Id, Moment
from worker.store.tables.columns import id_column, metadata, where

smart_lists = Table(
    "smart_lists",
    metadata,
    id_column(),
    Column("name", Text, nullable=False),
    Column("record_type", String(10), nullable=False),
    Column("filter", JSON, nullable=False, comment="in the one form in which filters are stored"),
    Column("order", Text, nullable=False, comment="an attribute, and asc or desc"),
    Column(
        "owner_id",
        Id,
        ForeignKey("users.id"),
        comment="whose it is; none where it was made on the command line",
    ),
    Column(
        "published",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="to everybody, by an admin",
    ),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)

_NAME = func.lower(smart_lists.c.name)
Index(
    "uq_smart_lists_personal_name",
    smart_lists.c.owner_id,
    _NAME,
    unique=True,
    **where("NOT published"),
)
Index("uq_smart_lists_published_name", _NAME, unique=True, **where("published"))
