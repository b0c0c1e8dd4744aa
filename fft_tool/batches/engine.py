"""Access to the database through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from fft_tool.batches.origin import Origin
from fft_tool.batches.rows import Row
from fft_tool.batches.tables import BATCH_STATS, UNIQUE, values_of
from fft_tool.databases.addresses import address, place_of
from fft_tool.databases.engines import make_engine, transaction
from fft_tool.databases.migrating import Migrations
from fft_tool.errors import RevisionTaken

CONNECTIONS = 1  # of a process; it writes one revision at a time

MIGRATIONS = Migrations(
    "fft_tool.batches:migrations/versions", versions="alembic_version", lock=0x6666742D626174
)


@dataclass(frozen=True, slots=True)
class Database:
    """A database whose table is up to date."""

    engine: sa.Engine
    url: sa.URL

    def publish(self, rows: Sequence[Row]) -> int:
        """Write rows in one transaction, unless they are there; return how many were written."""
        if not rows:
            return 0
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        statement = (
            dialect.insert(BATCH_STATS)
            .on_conflict_do_nothing(index_elements=UNIQUE)
            .returning(BATCH_STATS.c.id)
        )
        with self._transaction() as connection:
            added = connection.execute(statement, [values_of(row) for row in rows]).all()
            if self._ids(connection, rows[0].job_id, rows[0].revision) != {row.id for row in rows}:
                raise RevisionTaken(
                    f"{self._place}: the table holds revision {rows[0].revision} of job "
                    f"{rows[0].job_id} with other rows: does another bucket or folder have a job "
                    "of that name?"
                )
        return len(added)

    def number_of(self, origin: Origin) -> int:
        """Number of a revision: the latest if it is of the same images, otherwise the next."""
        table = BATCH_STATS.c
        latest = sa.select(sa.func.max(table.revision)).where(table.job_id == origin.job_id)
        with self._transaction() as connection:
            number = connection.execute(latest).scalar() or 0
            ids = self._ids(connection, origin.job_id, number)
        same = origin.at(number).row_id(1, "black") in ids
        return number if same else number + 1

    def migrate(self) -> None:
        """Bring the tables up to date, while nobody else does."""
        MIGRATIONS.run(self.engine, self.url)

    def _ids(self, connection: sa.Connection, job: str, revision: int) -> set[str]:
        table = BATCH_STATS.c
        found = sa.select(table.id).where(table.job_id == job, table.revision == revision)
        return set(connection.execute(found).scalars())

    @property
    def _place(self) -> str:
        return place_of(self.url)

    def _transaction(self) -> AbstractContextManager[sa.Connection]:
        return transaction(self.engine, self.url)


@contextmanager
def opened(text: str) -> Iterator[Database]:
    """Open a database, and bring its tables up to date."""
    url = address(text)
    engine = make_engine(url, connections=CONNECTIONS)
    try:
        database = Database(engine, url)
        database.migrate()
        yield database
    finally:
        engine.dispose()
