"""Writing rows so that doing it twice, or by two at once, gives one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from service.database.engine import Session


def upsert(
    session: Session, table: sa.Table, unique: Sequence[str], values: Mapping[str, Any]
) -> int:
    """Insert a row, or update the one that has the same ``unique`` columns; return its id."""
    statement = _upsert(session.dialect.name, table, tuple(unique), tuple(values))
    return int(session.execute(statement, dict(values)).scalar_one())


def insert_once(
    session: Session, table: sa.Table, unique: Sequence[str], values: Mapping[str, Any]
) -> tuple[int, bool]:
    """Insert a row unless there is one with the same ``unique`` columns.

    Returns the id of the row that is there then, and whether this call inserted it.
    """
    statement = _insert_once(session.dialect.name, table, tuple(unique))
    added = session.execute(statement, dict(values)).scalar()
    if added is not None:
        return int(added), True
    same = [table.c[name] == values[name] for name in unique]
    return int(session.execute(sa.select(table.c.id).where(*same)).scalar_one()), False


# Statements are built once: that takes longer than to execute them.


@cache
def _upsert(dialect: str, table: sa.Table, unique: tuple[str, ...], names: tuple[str, ...]) -> Any:
    statement = _insert(dialect, table)
    others = {name: statement.excluded[name] for name in names if name not in unique}
    updated = statement.on_conflict_do_update(index_elements=unique, set_=others)
    return updated.returning(table.c.id)


@cache
def _insert_once(dialect: str, table: sa.Table, unique: tuple[str, ...]) -> Any:
    kept = _insert(dialect, table).on_conflict_do_nothing(index_elements=unique)
    return kept.returning(table.c.id)


def _insert(dialect: str, table: sa.Table) -> Any:
    # Both dialects have the same methods, which SQLAlchemy's common INSERT lacks.
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)
