"""Column types that both databases store alike."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine


class Moment(TypeDecorator[datetime]):
    """A point in time, always UTC and aware, also on SQLite, which keeps none of that."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return (
            value.astimezone(UTC).replace(tzinfo=None if dialect.name == "sqlite" else UTC)
            if value
            else None
        )

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = BigInteger().with_variant(Integer, "sqlite")
Json = JSON().with_variant(JSONB, "postgresql")


class Word(TypeDecorator[StrEnum]):
    """One of a few words, kept as text. Rows give it as a member of the enum."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[StrEnum], longest: int) -> None:
        super().__init__(longest)
        self.words = words

    def coerce_compared_value(self, op: object, value: object) -> TypeEngine[object]:
        return self.impl_instance

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)
