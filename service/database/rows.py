"""Writing rows so that doing it twice, or by two at once, gives one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from service.database.engine import Session


def upsert(
    session: Session, table: sa.Table, unique: Sequence[str], values: Mapping[str, Any]
) -> int:
    """Insert a row, or update the one that has the same ``unique`` columns; return its id."""
    statement = _insert(session, table).values(values)
    others = {name: statement.excluded[name] for name in values if name not in unique}
    statement = statement.on_conflict_do_update(index_elements=unique, set_=others)
    return int(session.execute(statement.returning(table.c.id)).scalar_one())


def insert_once(
    session: Session, table: sa.Table, unique: Sequence[str], values: Mapping[str, Any]
) -> tuple[int, bool]:
    """Insert a row unless there is one with the same ``unique`` columns.

    Returns the id of the row that is there then, and whether this call inserted it.
    """
    statement = _insert(session, table).values(values)
    statement = statement.on_conflict_do_nothing(index_elements=unique)
    added = session.execute(statement.returning(table.c.id)).scalar()
    if added is not None:
        return int(added), True
    same = [table.c[name] == values[name] for name in unique]
    return int(session.execute(sa.select(table.c.id).where(*same)).scalar_one()), False


def _insert(session: Session, table: sa.Table) -> Any:
    # Both dialects have the same methods, which SQLAlchemy's common INSERT lacks.
    dialect = postgresql if session.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
