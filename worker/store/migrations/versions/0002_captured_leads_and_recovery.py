"""Captured leads that wait, what was tried and set aside, and a book of seedings."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from worker.store.sql.types import Id, Moment

revision = "0002"
down_revision = "0001"

BEGUN = "begun, and not ended in good order"


LAST = "what went wrong last"


def upgrade() -> None:
    op.add_column(
        "pools", _number("refusals", "how often the fence refused what the ring answered")
    )
    op.add_column("runs", _number("returned", "of its turns, those that it gave back unused"))
    op.add_column("imports", _flag("tidied", "of its files, only what is still of use lies there"))
    op.create_index(
        "ix_imports_untidy",
        "imports",
        ["run_id"],
        postgresql_where=sa.text("NOT tidied"),
        sqlite_where=sa.text("NOT tidied"),
    )
    _add_attempts("runs", but="reason")
    _add_attempts("chunks", but="attempts leased_until")
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column("chunks", "attempts", comment=BEGUN)
        op.alter_column("runs", "reason", comment=LAST)
    _captures()
    _seedings()


def _add_attempts(table: str, *, but: str) -> None:
    """The columns of work that is tried a few times and then set aside, as far as the table hasn't
    had them from the beginning."""
    for column in _attempts():
        if column.name not in but.split():
            op.add_column(table, column)


def _number(name: str, comment: str, kind: Any = sa.BigInteger) -> sa.Column[int]:
    return sa.Column(name, kind, server_default="0", nullable=False, comment=comment)


def _flag(name: str, comment: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, server_default=sa.false(), nullable=False, comment=comment)


def _attempts() -> list[sa.Column[Any]]:
    return [
        _number("attempts", BEGUN, sa.Integer),
        sa.Column("leased_until", Moment, comment="a worker is on it until then"),
        sa.Column("leased_by", sa.Text, comment="the task that the worker runs"),
        _flag("set_aside", "tried often enough, until somebody asks for more"),
        sa.Column("reason", sa.Text, comment=LAST),
    ]


def _captures() -> None:
    op.create_table(
        "captures",
        sa.Column("lead_id", Id, autoincrement=False, nullable=False),
        sa.Column("pool_id", Id, nullable=False),
        sa.Column("actor_id", Id),
        sa.Column("accepted_at", Moment, nullable=False),
        *_attempts(),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_captures_lead_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_captures_pool_id")),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_captures")),
        comment="captured leads that wait for their owner; one that has got it is here no more",
    )
    op.create_index("ix_captures_pool_id_lead_id", "captures", ["pool_id", "lead_id"])


def _seedings() -> None:
    op.create_table(
        "seedings",
        sa.Column("pool_id", Id, nullable=False),
        sa.Column(
            "epoch", sa.Text, nullable=False, comment="under which the ring was written anew"
        ),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("next_turn", sa.BigInteger, nullable=False),
        sa.Column("returned", sa.BigInteger, nullable=False, comment="turns that came back"),
        sa.Column("voided", sa.BigInteger, nullable=False, comment="turns of members who had left"),
        sa.Column("at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_seedings_pool_id")),
        sa.PrimaryKeyConstraint("pool_id", "epoch", name=op.f("pk_seedings")),
    )
