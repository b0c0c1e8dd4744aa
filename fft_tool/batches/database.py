"""The rows in a relational database: SQLite in a file, or PostgreSQL.

The table is created and changed by migrations, which run by themselves. A revision is written in
one transaction; writing it twice, or by two at once, changes nothing.

SQLAlchemy takes a while to load and is not installed by default, so it is used in
:mod:`fft_tool.batches.engine` only, which this module loads when a database is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fft_tool.batches.origin import Origin
from fft_tool.databases.patience import patiently
from fft_tool.errors import DatabaseUnavailable, MissingExtra, RevisionTaken

if TYPE_CHECKING:
    from fft_tool.batches.engine import Database
    from fft_tool.batches.rows import Row

_ATTEMPTS = 5  # to find a number while others take the same one


def publish_rows(url: str, rows: Sequence[Row], *, patience: float = 0) -> int:
    """Write the rows of a revision, unless they are there; return how many were written.

    ``url`` is ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``. A database that is
    away is tried again, with growing pauses, for ``patience`` seconds; then
    :class:`~fft_tool.errors.DatabaseUnavailable` is raised. Raises
    :class:`~fft_tool.errors.RevisionTaken` if the table holds other rows of the same revision.
    """

    def write() -> int:
        with open_database(url) as database:
            return database.publish(rows)

    return patiently(write, patience)


def publish_as_next(
    url: str, origin: Origin, make: Callable[[int], Sequence[Row]], *, patience: float = 0
) -> Sequence[Row]:
    """Write rows under a number that the table gives, and return them.

    For those who have no marker: the number is that of the latest revision in the table if that
    one is of the same images and settings, otherwise the next one. ``make`` returns the rows of a
    revision of a number.
    """

    def write() -> Sequence[Row]:
        with open_database(url) as database:
            for _ in range(_ATTEMPTS):
                rows = make(database.number_of(origin))
                try:
                    database.publish(rows)
                except RevisionTaken:
                    continue  # somebody else has taken the number in the meantime
                return rows
        raise DatabaseUnavailable("the database is busy with other revisions of this job")

    return patiently(write, patience)


@contextmanager
def open_database(url: str) -> Iterator[Database]:
    """Open a database whose table is up to date; it is closed at the end."""
    try:
        from fft_tool.batches import engine  # noqa: PLC0415  (optional, and takes 300 ms)
    except ImportError as exc:
        raise MissingExtra(
            "a database needs SQLAlchemy: pip install 'fft-pipeline[database]'"
        ) from exc
    with engine.opened(url) as database:
        yield database
