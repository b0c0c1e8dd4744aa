"""Access to the database through SQLAlchemy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite

from fft_tool.batches.origin import Origin
from fft_tool.batches.rows import Row
from fft_tool.batches.tables import BATCH_STATS, UNIQUE, values_of
from fft_tool.errors import BadDatabase, DatabaseError, DatabaseUnavailable, RevisionTaken

FORMS = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"

CONNECTING = 5  # seconds until a server has to have answered
STATEMENT = 30  # seconds that a statement may take, waiting for locks included
CONNECTIONS = 1  # of a process; it writes one revision at a time

_MIGRATIONS = "fft_tool.batches:migrations"
_LOCK = 0x6666742D626174  # number of PostgreSQL's advisory lock on migrations

_SQLITE_FILE = re.compile(r".+\.(db|sqlite|sqlite3)", re.IGNORECASE)
_POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
_SQLITE = ("sqlite", "sqlite+pysqlite")

# PostgreSQL's codes of states in which another attempt may succeed: connection failures, too many
# connections, shutdown, deadlocks, timeouts of locks and statements.
_AGAIN = re.compile(r"08...|53300|57P0[123]|57014|40001|40P01|55P03")
# While connecting there is no code, only the server's words.
_NEVER = re.compile(
    r"authentication failed|no pg_hba\.conf entry|role .* does not exist|database .* does not "
    r"exist|no password supplied|SSL|certificate|invalid (connection option|port|sslmode)",
    re.IGNORECASE,
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
        config = Config()
        config.set_main_option("script_location", _MIGRATIONS)
        scripts = ScriptDirectory.from_config(config)
        with self._transaction() as connection:
            if self._version(connection, scripts) == scripts.get_current_head():
                return
        with self._transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            if self._version(connection, scripts) != scripts.get_current_head():
                config.attributes["connection"] = connection
                command.upgrade(config, "head")

    def _version(self, connection: sa.Connection, scripts: ScriptDirectory) -> str | None:
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in {
            script.revision for script in scripts.walk_revisions()
        }:
            raise BadDatabase(
                f"{self._place}: its tables are those of another version of fft-tool "
                f"({found}): update this one"
            )
        return found

    def _ids(self, connection: sa.Connection, job: str, revision: int) -> set[str]:
        table = BATCH_STATS.c
        found = sa.select(table.id).where(table.job_id == job, table.revision == revision)
        return set(connection.execute(found).scalars())

    @property
    def _place(self) -> str:
        return place_of(self.url)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self.engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as exc:
            raise _translated(exc, self.url) from exc


@contextmanager
def opened(text: str) -> Iterator[Database]:
    """Open a database, and bring its tables up to date."""
    url = address(text)
    engine = sa.create_engine(
        url,
        poolclass=sa.QueuePool,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=CONNECTING,
        connect_args=arguments(url, os.environ),
        hide_parameters=True,
    )
    begin = _begin_immediate if engine.dialect.name == "sqlite" else _limit_statements
    sa.event.listen(engine, "begin", begin)
    try:
        database = Database(engine, url)
        database.migrate()
        yield database
    finally:
        engine.dispose()


def address(text: str) -> sa.URL:
    """Parse the address of a database.

    >>> address("postgres://me:secret@db.example/stats").drivername
    'postgresql+psycopg'
    >>> str(address("stats.db"))
    'sqlite:///stats.db'
    """
    if "://" not in text and _SQLITE_FILE.fullmatch(text):
        return sa.URL.create("sqlite", database=text)
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # Not chained: the text may hold a password.
        raise BadDatabase(
            f"the address of the database cannot be read: should be {FORMS}"
        ) from None
    if url.drivername in _POSTGRES:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in _SQLITE:
        raise BadDatabase(f"{url.drivername}: is not a database that is supported: use {FORMS}")
    if url.host or not url.database or url.database == ":memory:":
        raise BadDatabase(f"{place_of(url)}: should name a file: sqlite:///FILE")
    return url.set(drivername="sqlite")


def arguments(url: sa.URL, environ: Mapping[str, str]) -> dict[str, Any]:
    """Arguments for connecting: time limits, and TLS unless the server is on this machine.

    What the address itself says, and ``PGSSLMODE``, take precedence.
    """
    if url.drivername == "sqlite":
        chosen: dict[str, Any] = {"timeout": STATEMENT, "isolation_level": None}
    else:
        chosen = {
            "connect_timeout": CONNECTING,
            "application_name": "fft-tool",
        }
        if "PGSSLMODE" not in environ and not _is_local(url, environ):
            chosen["sslmode"] = "require"
    return {name: value for name, value in chosen.items() if name not in url.query}


def place_of(url: sa.URL) -> str:
    """Address for messages: without user, password and options."""
    if url.drivername.startswith("sqlite"):
        return url.database or "sqlite://"
    host = url.host or url.query.get("host") or "local"
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{host}{port}/{url.database or ''}"


def _is_local(url: sa.URL, environ: Mapping[str, str]) -> bool:
    """Whether all servers that an address or, in its place, the environment names are local."""
    if "service" in url.query or "PGSERVICE" in environ:
        return False  # a file says where they are
    named: list[str] = []
    for option, variable in (("host", "PGHOST"), ("hostaddr", "PGHOSTADDR")):
        value = url.query.get(option, environ.get(variable, ""))
        if option == "host" and url.host:
            value = url.host
        named += [value] if isinstance(value, str) else value
    return all(_is_local_host(host) for each in named for host in each.split(","))


def _is_local_host(host: str) -> bool:
    if host.startswith(("/", "@")) or host in ("", "localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _begin_immediate(connection: sa.Connection) -> None:
    """Lock an SQLite file at the beginning: two who read first could not both write then."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _limit_statements(connection: sa.Connection) -> None:
    """Limit the time of each statement of a transaction.

    Not when connecting: connection poolers refuse such options.
    """
    limit = f"'{round(1000 * STATEMENT)}ms'"
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {limit}")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {limit}")


def _translated(exc: sa.exc.SQLAlchemyError, url: sa.URL) -> DatabaseError:
    """Error for what SQLAlchemy or the database says."""
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
        again = "locked" in said
    else:
        connecting = isinstance(exc, sa.exc.OperationalError | sa.exc.InterfaceError)
        again = connecting and not _NEVER.search(said)
    return DatabaseUnavailable(text) if again else BadDatabase(text)
