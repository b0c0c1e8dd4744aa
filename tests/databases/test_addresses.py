"""Addresses of databases."""

from __future__ import annotations

import traceback

import pytest

from fft_tool.databases.addresses import address, arguments, place_of
from fft_tool.errors import BadDatabase


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("postgres://a:b@host/name", "postgresql+psycopg"),
        ("postgresql://a:b@host/name", "postgresql+psycopg"),
        ("postgresql+psycopg://a:b@host:5433/name?sslmode=verify-full", "postgresql+psycopg"),
        ("postgresql+asyncpg://a:b@host/name", "postgresql+psycopg"),
        ("sqlite:///stats.db", "sqlite"),
        ("sqlite+aiosqlite:///stats.db", "sqlite"),
        ("sqlite+pysqlite:////tmp/stats.db", "sqlite"),
        ("stats.db", "sqlite"),
        ("folder/stats.sqlite3", "sqlite"),
    ],
)
def test_usual_addresses_are_understood(text: str, driver: str) -> None:
    assert address(text).drivername == driver


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mysql://a:pa55@host/name", "mysql: is not a database that is supported: use sqlite:"),
        ("nonsense", "cannot be read: should be sqlite:///FILE or postgresql://"),
        ("postgres://a:pa55@host:port/name", "cannot be read"),
        ("", "cannot be read"),
        ("sqlite://", "should name a file"),
        ("sqlite:///:memory:", "should name a file"),
        ("sqlite://host/file", "should name a file"),
    ],
)
def test_other_addresses_are_refused_without_repeating_their_secrets(text: str, told: str) -> None:
    with pytest.raises(BadDatabase, match=told) as caught:
        address(text)
    assert "pa55" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("host", "mode"),
    [
        ("db.example.org", "require"),
        ("10.0.0.7", "require"),
        ("localhost.example.org", "require"),
        ("127.0.0.1", None),
        ("localhost", None),
        ("[::1]", None),
        ("", None),
    ],
)
def test_connections_to_other_machines_are_encrypted(host: str, mode: str | None) -> None:
    url = address(f"postgresql://a:b@{host}/name")
    assert arguments(url, {}).get("sslmode") == mode


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("host=/run/postgresql", None),
        ("host=db.example.org", "require"),
        ("host=/run&host=db", "require"),
    ],
)
def test_hosts_may_be_given_as_options(query: str, mode: str | None) -> None:
    url = address(f"postgresql://a:b@/name?{query}")
    assert arguments(url, {}).get("sslmode") == mode


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({"PGHOST": "db.example.org"}, "require"),
        ({"PGHOSTADDR": "10.0.0.7"}, "require"),
        ({"PGSERVICE": "stats"}, "require"),
        ({"PGHOST": "/run/postgresql"}, None),
        ({}, None),
    ],
)
def test_the_environment_may_name_the_server(environ: dict[str, str], mode: str | None) -> None:
    assert arguments(address("postgresql:///stats"), environ).get("sslmode") == mode


def test_what_the_address_or_the_environment_says_of_encryption_is_kept() -> None:
    url = address("postgresql://a:b@db/name?sslmode=verify-full&connect_timeout=9")
    assert not {"sslmode", "connect_timeout"} & set(arguments(url, {}))
    assert "sslmode" not in arguments(address("postgres://db/name"), {"PGSSLMODE": "verify-full"})


def test_messages_name_the_server_without_user_and_password() -> None:
    assert place_of(address("postgres://me:pa55@db:5433/stats?a=b")) == "postgresql://db:5433/stats"
