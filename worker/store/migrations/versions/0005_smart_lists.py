"""Smart lists, and indexes by which they are counted."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from worker.store.sql.types import Id, Moment

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "smart_lists",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("record_type", sa.String(10), nullable=False),
        sa.Column(
            "filter", sa.JSON, nullable=False, comment="in the one form in which filters are stored"
        ),
        sa.Column("order", sa.Text, nullable=False, comment="an attribute, and asc or desc"),
        sa.Column(
            "owner_id", Id, comment="whose it is; none where it was made on the command line"
        ),
        sa.Column(
            "published",
            sa.Boolean,
            server_default=sa.false(),
            nullable=False,
            comment="to everybody, by an admin",
        ),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_smart_lists_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_smart_lists")),
        sqlite_autoincrement=True,
    )
    _unique("personal", ["owner_id", sa.text("lower(name)")], sa.text("NOT published"))
    _unique("published", [sa.text("lower(name)")], sa.text("published"))
    for table, column in (
        ("leads", "owner_id"),
        ("contacts", "owner_id"),
        ("deals", "owner_id"),
        ("leads", "updated_at"),
    ):
        op.drop_index(f"ix_{table}_{column}", table)
        op.create_index(f"ix_{table}_{column}_deleted_at", table, [column, "deleted_at"])


def _unique(among: str, columns: list[Any], where: sa.TextClause) -> None:
    name = f"uq_smart_lists_{among}_name"
    op.create_index(
        name, "smart_lists", columns, unique=True, postgresql_where=where, sqlite_where=where
    )
