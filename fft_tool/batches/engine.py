"""Access to the database through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from fft_tool.batches.origin import Origin
from fft_tool.batches.rows import COLUMNS, Row
from fft_tool.batches.tables import BATCH_STATS, UNIQUE, row_of, text_of, values_of
from fft_tool.databases.addresses import address, place_of
from fft_tool.databases.engines import make_engine, transaction
from fft_tool.databases.migrating import Migrations
from fft_tool.errors import RevisionTaken

CONNECTIONS = 1  # of a process; it writes one revision at a time

MIGRATIONS = Migrations(
    "fft_tool.batches:migrations/versions", versions="alembic_version", lock=0x6666742D626174
)


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of a job: its batches, the images counted, and the batches without any."""

    job_id: str
    revision: int
    created_at: str
    source_prefix: str
    batches: int
    images: int
    empty: int


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

    def revisions(self, most: int) -> list[Revision]:
        """Revisions of all jobs, the latest first, at most so many."""
        table = BATCH_STATS.c
        black = table.color == "black"  # one row of each batch
        found = (
            sa.select(
                table.job_id,
                table.revision,
                sa.func.max(table.created_at),
                sa.func.max(table.source_prefix),
                sa.func.count(),
                sa.func.sum(table.images),
                sa.func.sum(sa.case((table.images == 0, 1), else_=0)),
            )
            .where(black)
            .group_by(table.job_id, table.revision)
            .order_by(sa.func.max(table.created_at).desc(), table.revision.desc(), table.job_id)
            .limit(most)
        )
        with self._transaction() as connection:
            return [
                Revision(job, number, text_of(at), *more)
                for job, number, at, *more in connection.execute(found)
            ]

    def numbers_of(self, job: str) -> list[int]:
        """Numbers of the revisions of a job, the latest first."""
        table = BATCH_STATS.c
        found = sa.select(table.revision).distinct().where(table.job_id == job)
        with self._transaction() as connection:
            return list(connection.execute(found.order_by(table.revision.desc())).scalars())

    def rows_of(self, job: str, revision: int) -> tuple[Row, ...]:
        """Rows of a revision, by batch and colour; none if there is no such revision."""
        table = BATCH_STATS.c
        found = sa.select(*(table[column.name] for column in COLUMNS)).where(
            table.job_id == job, table.revision == revision
        )
        with self._transaction() as connection:
            rows = connection.execute(found.order_by(table.batch_id, table.color)).mappings()
            return tuple(row_of(dict(row)) for row in rows)

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
