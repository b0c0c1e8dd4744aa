"""The database of the service: transactions, and tables that are up to date."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from fft_tool.databases.addresses import STATEMENT, address, place_of
from fft_tool.databases.engines import FLEETING, READING, make_engine, transaction
from fft_tool.databases.migrating import Migrations
from fft_tool.errors import BadDatabase, DatabaseUnavailable

CONNECTIONS = 16  # of a process; requests beyond wait for one

MIGRATIONS = Migrations(
    "service.database:migrations/versions", versions="service_version", lock=0x6666742D737663
)

Session = sa.Connection
"""What the functions that read and write take: a connection within a transaction."""


@dataclass(frozen=True, slots=True)
class Database:
    """The database of a process.

    >>> from service.database.tables import TENANTS
    >>> import sqlalchemy as sa
    >>> database = Database.open("sqlite:///service.db")
    >>> database.migrate()
    >>> with database.read() as session:
    ...     session.scalar(sa.select(sa.func.count()).select_from(TENANTS))
    0
    >>> database.close()
    """

    engine: sa.Engine
    url: sa.URL
    # Threads wait in line here: SQLite itself has those who wait look again from time to time, up
    # to 100 ms apart.
    lock: threading.Lock | None

    @classmethod
    def open(cls, text: str) -> Self:
        """Open the database at an address: ``sqlite:///FILE`` or ``postgresql://…``.

        Connects only when it is used, so that a service may start before its database.
        """
        url = address(text)
        if url.drivername != "sqlite":
            return cls(make_engine(url, connections=CONNECTIONS, ping=True), url, None)
        _make_folder(Path(str(url.database)))
        engine = make_engine(url, connections=CONNECTIONS)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        return cls(engine, url, threading.Lock())

    @contextmanager
    def begin(self, *, lasting: bool = True) -> Iterator[Session]:
        """A transaction that may write: committed at the end, undone by an exception.

        One that is not ``lasting`` takes less time, and a loss of power soon after may undo it,
        whole: for what would only be done again.

        Raises :class:`~fft_tool.errors.DatabaseUnavailable` if the database is away or busy, and
        :class:`~fft_tool.errors.BadDatabase` if trying again cannot help.
        """
        engine = self.engine.execution_options(**{FLEETING: not lasting})
        with self._turn(), transaction(engine, self.url) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads: it waits for no writer, and no writer waits for it."""
        reader = self.engine.execution_options(**{READING: True})
        with transaction(reader, self.url) as connection:
            yield connection

    def migrate(self) -> None:
        """Bring the tables up to date; several processes may do so at once."""
        with self._turn():
            MIGRATIONS.run(self.engine, self.url)

    @property
    def place(self) -> str:
        """Where the database is, without user and password."""
        return place_of(self.url)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for the turn of this thread to write."""
        if self.lock is None:
            yield
            return
        if not self.lock.acquire(timeout=STATEMENT):
            raise DatabaseUnavailable(f"{self.place}: others have written for {STATEMENT} s")
        try:
            yield
        finally:
            self.lock.release()


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise BadDatabase(f"{file}: its folder cannot be made: {exc.strerror}") from exc


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Prepare a new connection: readers do not wait for the writer, and references hold."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
