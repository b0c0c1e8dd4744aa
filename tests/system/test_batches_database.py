"""Rows in a real PostgreSQL: written once, encrypted, and after the server has been away."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fft_tool.batches.database import open_database, publish_as_next, publish_rows
from fft_tool.batches.origin import Origin
from fft_tool.batches.tables import BATCH_STATS, METADATA
from fft_tool.errors import BadDatabase, DatabaseUnavailable, RevisionTaken
from tests.batches.test_page_of_docs import EXAMPLES, fill_table
from tests.support.command import environment
from tests.support.jobs import rows_of
from tests.support.postgres import NAME, PASSWORD, Postgres, postgres, run_as_nobody


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def url(server: Postgres) -> str:
    """Address of an empty database."""
    server.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return server.url()


def test_rows_are_written_once_with_their_types(server: Postgres, url: str) -> None:
    rows = rows_of()
    assert publish_rows(url, rows) == 4
    assert publish_rows(url, rows_of(at="2027-01-01T00:00:00Z")) == 0
    with open_database(url) as database, database.engine.connect() as connection:
        found = {row.id: row._asdict() for row in connection.execute(sa.select(BATCH_STATS))}
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert found == {row.id: {**row.to_json(), "created_at": noon} for row in rows}
    assert server.query("SELECT pg_typeof(created_at) FROM batch_stats LIMIT 1") == (
        "timestamp with time zone"
    )


def test_many_may_create_the_tables_and_write_a_revision_at_once(
    server: Postgres, url: str
) -> None:
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda _: publish_rows(url, rows_of()), range(8)))
    assert sum(written) == 4
    assert server.query("SELECT count(*) FROM batch_stats") == "4"
    assert server.query("SELECT version_num FROM alembic_version") == "0001"


def test_earlier_revisions_stay_and_a_view_shows_the_latest(server: Postgres, url: str) -> None:
    publish_rows(url, rows_of())
    publish_rows(url, rows_of(revision=2, black=50))
    assert server.query("SELECT count(*) FROM batch_stats") == "8"
    assert server.query("SELECT DISTINCT revision FROM latest_batch_stats") == "2"


def test_a_revision_of_somebody_else_is_not_overwritten(url: str) -> None:
    publish_rows(url, rows_of())
    with pytest.raises(RevisionTaken, match="does another bucket or folder have a job of that"):
        publish_rows(url, rows_of(key="other"))


@pytest.mark.parametrize(("query", "answer"), EXAMPLES)
def test_the_queries_of_the_docs_give_what_they_ask_for(
    url: str, query: str, answer: list[tuple[object, ...]]
) -> None:
    fill_table(url)
    with open_database(url) as database, database.engine.connect() as connection:
        assert [tuple(row) for row in connection.exec_driver_sql(query)] == answer


def test_numbers_are_given_to_one_only(url: str) -> None:
    def as_next(key: str) -> int:
        origin = Origin("leaves", "s3://bucket/batches/leaves/", key, 1, "2026-11-30T12:00:00Z")
        rows = publish_as_next(url, origin, lambda n: rows_of(revision=n, key=key), patience=30)
        return rows[0].revision

    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(as_next, "abcd"))
    assert sorted(given) == [1, 2, 3, 4]
    latest = "abcd"[given.index(4)]
    assert as_next(latest) == 4, "the latest revision keeps its number"
    assert as_next("abcd"[given.index(1)]) == 5, "an earlier one is published anew"


def test_the_migrations_make_the_tables_that_the_rows_have(url: str) -> None:
    with open_database(url) as database, database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_each_way_to_write_the_address_works(url: str, scheme: str) -> None:
    assert publish_rows(f"{scheme}{url.removeprefix('postgresql')}", rows_of()) == 4


def test_a_socket_needs_no_encryption(server: Postgres, url: str) -> None:
    assert publish_rows(server.socket_url, rows_of()) == 4
    assert publish_rows(url, rows_of()) == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"password": "a-wrong-one"}, "authentication failed"),
        ({"options": "?sslmode=require"}, "SSL"),
        ({"options": "?dbname=missing"}, "does not exist"),
    ],
)
def test_what_no_retry_can_change_is_said_without_the_password(
    server: Postgres, change: dict[str, str], told: str
) -> None:
    with pytest.raises(BadDatabase, match=told) as caught:
        publish_rows(server.url(**change), rows_of(), patience=60)
    text = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in text
    assert "a-wrong-one" not in text
    assert not caught.value.transient


@pytest.mark.slow
def test_a_server_that_is_away_for_a_while_is_waited_for() -> None:
    with postgres() as server:
        assert publish_rows(server.url(), rows_of()) == 4
        server.stop()
        with pytest.raises(DatabaseUnavailable, match=f"127.0.0.1:{server.port}/{NAME}") as caught:
            publish_rows(server.url(), rows_of(revision=2))
        assert caught.value.transient
        assert PASSWORD not in str(caught.value)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(publish_rows, server.url(), rows_of(revision=2), patience=60)
            server.start()
            assert waiting.result() == 4
        assert server.query("SELECT count(*) FROM batch_stats") == "8"


def test_a_connection_that_is_cut_in_the_middle_leaves_all_or_nothing(
    server: Postgres, url: str
) -> None:
    publish_rows(url, rows_of())
    with open_database(url) as database:
        cut = threading.Event()

        def end_connections(*_: object) -> None:
            if not cut.is_set():
                cut.set()
                server.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'fft-tool'"
                )

        sa.event.listen(database.engine, "commit", end_connections)
        with pytest.raises(DatabaseUnavailable):
            database.publish(rows_of(revision=2))
        assert server.query("SELECT count(*) FROM batch_stats") == "4"
        assert database.publish(rows_of(revision=2)) == 4


def test_a_lock_that_somebody_holds_is_a_transient_error(
    server: Postgres, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_rows(url, rows_of())
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("LOCK TABLE batch_stats"))
        monkeypatch.setattr("fft_tool.databases.addresses.STATEMENT", 0.1)
        with pytest.raises(DatabaseUnavailable, match=r"(lock|statement) timeout"):
            publish_rows(url, rows_of(revision=2))
    engine.dispose()
    assert server.query("SELECT count(*) FROM batch_stats") == "4"


def test_one_connection_is_used_and_given_back(server: Postgres, url: str) -> None:
    with open_database(url) as database:
        database.publish(rows_of())
        assert open_connections(server) == "1"
    assert open_connections(server) == "0"


def open_connections(server: Postgres) -> str:
    return server.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fft-tool'")


@pytest.mark.slow
def test_a_process_that_is_killed_while_migrating_leaves_an_empty_database(
    server: Postgres, url: str, tmp_path: Path
) -> None:
    code = """
import os, sys
from alembic import op
from fft_tool.batches.database import open_database
plain = op.execute
op.execute = lambda *_: os._exit(9)  # after the table, before the view
with open_database(sys.argv[1]):
    pass
"""
    done = subprocess.run(
        [sys.executable, "-c", code, url], env=environment(), cwd=tmp_path, check=False
    )
    assert done.returncode == 9
    assert publish_rows(url, rows_of(), patience=10) == 4
    assert server.query("SELECT count(*) FROM latest_batch_stats") == "4"


@pytest.mark.slow
def test_an_encrypted_connection_is_made_where_the_server_offers_one(tmp_path: Path) -> None:
    with postgres() as server:
        make_certificate(server, tmp_path)
        url = server.url(options="?sslmode=require")
        assert publish_rows(url, rows_of()) == 4
        with open_database(url) as database, database.engine.connect() as connection:
            ssl = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            assert connection.exec_driver_sql(ssl).scalar() is True
        with pytest.raises(BadDatabase, match="certificate"):
            publish_rows(server.url(options="?sslmode=verify-full"), rows_of())


def make_certificate(server: Postgres, folder: Path) -> None:
    """Restart a server with a certificate that it signed itself."""
    key, certificate = folder / "server.key", folder / "server.crt"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    for file in (key, certificate):
        # Written by the server's own user, who must own the key, with nobody else reading it.
        data = server.folder / "data" / file.name
        server.query(
            f"COPY (SELECT unnest(string_to_array($x${file.read_text().strip()}$x$, E'\\n'))) "
            f"TO '{data}'"
        )
    run_as_nobody("chmod", "600", str(server.folder / "data" / "server.key"))
    server.query("ALTER SYSTEM SET ssl = on")
    server.stop()
    server.start()
