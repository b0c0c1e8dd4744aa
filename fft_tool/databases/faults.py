"""Errors for what SQLAlchemy and the databases say."""

from __future__ import annotations

import re

import sqlalchemy as sa

from fft_tool.databases.addresses import place_of
from fft_tool.errors import BadDatabase, DatabaseError, DatabaseUnavailable

# PostgreSQL's codes of states in which another attempt may succeed: connection failures, disk or
# memory full, too many connections, shutdown, deadlocks, timeouts of locks and statements.
_AGAIN = re.compile(r"08...|53[123]00|57P0[123]|57014|40001|40P01|55P03")
# While connecting there is no code, only the server's words.
_NEVER = re.compile(
    r"authentication failed|no pg_hba\.conf entry|role .* does not exist|database .* does not "
    r"exist|no password supplied|SSL|certificate|invalid (connection option|port|sslmode)",
    re.IGNORECASE,
)
# SQLite's words: somebody else writes; the disk is full, or was when a file had to grow.
_SQLITE_AGAIN = re.compile(r"locked|disk is full|disk I/O error")


def translated(exc: sa.exc.SQLAlchemyError, url: sa.URL) -> DatabaseError:
    """Error for what SQLAlchemy or the database says; the password is not repeated."""
    cause = getattr(exc, "orig", None) or exc
    said = " ".join(str(cause).split())
    if url.password:
        said = said.replace(str(url.password), "***")
    text = f"{place_of(url)}: {said[:300]}"
    code = getattr(cause, "sqlstate", None)
    if isinstance(exc, sa.exc.TimeoutError):
        return DatabaseUnavailable(text)
    if code:
        again = bool(_AGAIN.fullmatch(code))
    elif url.drivername == "sqlite":
        again = bool(_SQLITE_AGAIN.search(said))
    else:
        connecting = isinstance(exc, sa.exc.OperationalError | sa.exc.InterfaceError)
        again = connecting and not _NEVER.search(said)
    return DatabaseUnavailable(text) if again else BadDatabase(text)
