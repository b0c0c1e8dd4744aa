"""Engines of SQLAlchemy, and their transactions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from fft_tool.databases import addresses
from fft_tool.databases.faults import translated

READING = "reading"
"""Option of a connection: its transactions only read, and do not lock an SQLite file."""

FLEETING = "fleeting"
"""Option of a connection: its transactions may be undone by a loss of power, and end sooner."""


def make_engine(url: sa.URL, *, connections: int, ping: bool = False) -> sa.Engine:
    """Engine for an address, with at most so many connections.

    ``ping`` tests a connection before it is used again: a program that runs for long outlives its
    servers.
    """
    engine = sa.create_engine(
        url,
        poolclass=sa.QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=addresses.CONNECTING,
        pool_pre_ping=ping,
        connect_args=addresses.arguments(url, os.environ),
        hide_parameters=True,
    )
    begin = _begin_in_file if engine.dialect.name == "sqlite" else _begin_on_server
    sa.event.listen(engine, "begin", begin)
    return engine


@contextmanager
def transaction(engine: sa.Engine, url: sa.URL) -> Iterator[sa.Connection]:
    """A transaction, with the exceptions of the library translated."""
    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.SQLAlchemyError as exc:
        raise translated(exc, url) from exc


def _begin_in_file(connection: sa.Connection) -> None:
    """Lock an SQLite file at the beginning: two who read first could not both write then."""
    options = connection.get_execution_options()
    if options.get(READING):
        connection.exec_driver_sql("BEGIN")
        return
    # With a write-ahead log, neither can damage the file.
    synchronous = "NORMAL" if options.get(FLEETING) else "FULL"
    connection.exec_driver_sql(f"PRAGMA synchronous = {synchronous}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_on_server(connection: sa.Connection) -> None:
    """Limit the time of each statement of a transaction.

    Not when connecting: connection poolers refuse such options.
    """
    if connection.get_execution_options().get(FLEETING):
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
    limit = f"'{round(1000 * addresses.STATEMENT)}ms'"
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {limit}")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {limit}")
