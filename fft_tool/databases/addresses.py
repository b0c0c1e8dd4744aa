"""Addresses of databases: SQLite files and PostgreSQL servers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import sqlalchemy as sa

from fft_tool.errors import BadDatabase

FORMS = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"

CONNECTING = 5  # seconds until a server has to have answered
STATEMENT = 30  # seconds that a statement may take, waiting for locks included

_SQLITE_FILE = re.compile(r".+\.(db|sqlite|sqlite3)", re.IGNORECASE)
# As other applications write them: the driver that is used here is always the same.
_POSTGRES = ("postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg")
_SQLITE = ("sqlite", "sqlite+pysqlite", "sqlite+aiosqlite")


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
