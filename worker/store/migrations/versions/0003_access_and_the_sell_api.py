"""Access tokens and permissions, answers that are kept, and what the Sell API knows beside records:
labels, stages, conversions."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from worker.store.sql.types import Id, Json, Moment

revision = "0003"
down_revision = "0002"

DELETED = "deleted or converted: the ledger goes on naming it, nobody else does"

LONGEST = 320

STATUSES = ("New", "Working", "Unqualified", "Converted")

STAGES = (
    ("Incoming", "incoming", 10, True),
    ("Qualified", "qualified", 25, True),
    ("Quote", "quote", 50, True),
    ("Closure", "closure", 75, True),
    ("Won", "won", 100, False),
    ("Lost", "lost", 0, False),
    ("Unqualified", "unqualified", 0, False),
)  # fmt: skip


def upgrade() -> None:
    _access()
    _record_columns()
    _conversions()
    _labels()
    _stages()
    _first_labels(datetime.now(UTC))


def _flag(name: str, **options: Any) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, server_default=sa.false(), nullable=False, **options)


def _numbered(table: str, *parts: Any) -> sa.Table:
    """A table whose rows are numbered and never get a number twice."""
    number = sa.Column("id", Id, autoincrement=True, nullable=False)
    key = sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))
    return op.create_table(table, number, *parts, key, sqlite_autoincrement=True)


def _moments() -> list[sa.Column[Any]]:
    return [
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
    ]


def _user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id"))


def _access() -> None:
    op.add_column("users", _flag("can_reassign", comment="may change the owners of records"))
    _numbered(
        "tokens",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("name", sa.Text, nullable=False, comment="what it is for"),
        sa.Column(
            "digest", sa.Text, nullable=False, comment="SHA-256 of the token, which is kept nowhere"
        ),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("last_used_at", Moment, comment="to the minute"),
        sa.Column("revoked_at", Moment),
        _user("tokens"),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])
    op.create_table(
        "answers",
        sa.Column("user_id", Id, nullable=False),
        sa.Column(
            "key", sa.Text, nullable=False, comment="the Idempotency-Key that the request came with"
        ),
        sa.Column("fingerprint", sa.Text, nullable=False, comment="SHA-256 of the request"),
        sa.Column(
            "body", sa.Text, comment="what was answered; none while the request is being worked on"
        ),
        sa.Column("at", Moment, nullable=False),
        _user("answers"),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_answers")),
    )
    op.create_index("ix_answers_at", "answers", ["at"])


def _record_columns() -> None:
    for table in ("leads", "contacts", "deals"):
        op.add_column(table, sa.Column("deleted_at", Moment, comment=DELETED))
    new: dict[str, list[sa.Column[Any]]] = {
        "leads": [sa.Column("unqualified_reason_id", Id)],
        "contacts": [
            sa.Column("contact_id", Id, comment="the organization that a person is with"),
            sa.Column("parent_organization_id", Id),
            sa.Column("customer_status", sa.Text),
            sa.Column("prospect_status", sa.Text),
            sa.Column("billing_address", Json),
            sa.Column("shipping_address", Json),
        ],
        "deals": [
            sa.Column("contact_id", Id, comment="with whom; none where a file didn't say"),
            _flag("hot"),
            sa.Column("unqualified_reason_id", Id),
            sa.Column("loss_reason_id", Id),
            sa.Column("customized_win_likelihood", sa.Integer),
            sa.Column("last_stage_change_at", Moment),
            sa.Column("last_stage_change_by_id", Id),
        ],
    }
    for table, columns in new.items():
        for column in columns:
            op.add_column(table, column)
    for table, name in (
        ("leads", "updated_at"),
        ("contacts", "contact_id"),
        ("deals", "contact_id"),
    ):
        op.create_index(f"ix_{table}_{name}", table, [name])


def _conversions() -> None:
    _numbered(
        "conversions",
        sa.Column("lead_id", Id, nullable=False),
        sa.Column("owner_id", Id, comment="whom the request named, if anybody"),
        sa.Column("create_deal", sa.Boolean, nullable=False),
        sa.Column("individual_id", Id),
        sa.Column("organization_id", Id),
        sa.Column("deal_id", Id),
        sa.Column(
            "pool_id",
            Id,
            comment="with turn: the ledger entry that gave all that it made its owner",
        ),
        sa.Column("turn", sa.BigInteger),
        sa.Column("creator_id", Id),
        sa.Column("created_at", Moment, nullable=False),
        sa.UniqueConstraint("lead_id", name=op.f("uq_conversions_lead_id")),
    )
    op.create_index("ix_conversions_pool_id_turn", "conversions", ["pool_id", "turn"])


def _labels() -> None:
    _numbered(
        "labels",
        sa.Column(
            "kind", sa.String(12), nullable=False, comment="source, status, tag or custom_field"
        ),
        sa.Column(
            "resource_type", sa.String(10), nullable=False, comment="the records that may bear it"
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("creator_id", Id),
        *_moments(),
        sa.UniqueConstraint(
            "kind", "resource_type", "name", name=op.f("uq_labels_kind_resource_type_name")
        ),
    )


def _stages() -> None:
    pipelines = _numbered("pipelines", sa.Column("name", sa.Text, nullable=False), *_moments())
    stages = _numbered(
        "stages",
        sa.Column("pipeline_id", Id, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("category", sa.String(12), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column(
            "likelihood", sa.Integer, nullable=False, comment="of winning the deal, in percent"
        ),
        sa.Column(
            "active", sa.Boolean, nullable=False, comment="whether deals in it are still open"
        ),
        *_moments(),
        sa.ForeignKeyConstraint(
            ["pipeline_id"], ["pipelines.id"], name=op.f("fk_stages_pipeline_id")
        ),
        sa.UniqueConstraint("pipeline_id", "name", name=op.f("uq_stages_pipeline_id_name")),
    )
    moments = dict.fromkeys(("created_at", "updated_at"), datetime.now(UTC))
    op.bulk_insert(pipelines, [{"name": "Sales Pipeline", **moments}])
    named = ("name", "category", "likelihood", "active")
    rows = [
        dict(zip(named, stage, strict=True)) | {"position": place}
        for place, stage in enumerate(STAGES, 1)
    ]
    op.bulk_insert(stages, [{**row, "pipeline_id": 1, **moments} for row in rows])


def _first_labels(moment: datetime) -> None:
    """The usual statuses, and what the records that are there already bear, but for names that no
    index holds."""
    labels = sa.table(
        "labels", *(sa.column(name) for name in ("kind", "resource_type", "name")), *_moments()
    )
    moments = {"created_at": moment, "updated_at": moment}
    op.bulk_insert(
        labels,
        [
            {"kind": "status", "resource_type": "lead", "name": status, **moments}
            for status in STATUSES
        ],
    )
    for kind, record_type, names in (
        ("source", "lead", "SELECT source AS name FROM leads UNION SELECT source FROM deals"),
        ("status", "lead", "SELECT status AS name FROM leads"),
        *(
            ("tag", record_type, _within(f"{record_type}s", "tags"))
            for record_type in ("lead", "contact", "deal")
        ),
        *(
            ("custom_field", record_type, _within(f"{record_type}s", "custom_fields"))
            for record_type in ("lead", "contact", "deal")
        ),
    ):
        known = f"SELECT name FROM labels WHERE kind = '{kind}' AND resource_type = '{record_type}'"
        told = sa.text(
            "INSERT INTO labels (kind, resource_type, name, created_at, updated_at) "
            f"SELECT DISTINCT '{kind}', '{record_type}', name, :moment, :moment "
            f"FROM ({names}) AS named "
            f"WHERE length(name) <= {LONGEST} AND name NOT IN ({known}) ORDER BY name"
        )
        op.get_bind().execute(told.bindparams(sa.bindparam("moment", moment, Moment)))


def _within(table: str, column: str) -> str:
    """The tags of all records of a table, or the names of their custom fields."""
    if op.get_bind().dialect.name == "postgresql":
        names = "jsonb_array_elements_text" if column == "tags" else "jsonb_object_keys"
        return f"SELECT {names}({column}) AS name FROM {table}"
    name = "value" if column == "tags" else "key"
    return f"SELECT each.{name} AS name FROM {table}, json_each({table}.{column}) AS each"
