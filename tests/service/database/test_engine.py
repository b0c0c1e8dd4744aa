"""The database in a file: transactions, readers beside writers, and what may go wrong."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fft_tool.batches.database import publish_rows
from fft_tool.errors import BadDatabase, DatabaseUnavailable
from service.database.engine import Database
from service.database.rows import insert_once, upsert
from service.database.tables import API_KEYS, METADATA, TENANTS
from tests.support.jobs import rows_of

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database.open(f"sqlite:///{tmp_path}/new/folder/service.db")
    made.migrate()
    yield made
    made.close()


def add_tenant(database: Database, name: str) -> int:
    with database.begin() as session:
        values = {"name": name, "created_at": NOON}
        return insert_once(session, TENANTS, ["name"], values)[0]


def names(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.execute(sa.select(TENANTS.c.name).order_by(TENANTS.c.id)).scalars())


def test_the_migrations_make_the_tables_that_the_code_has(database: Database) -> None:
    options = {"version_table": "service_version", "compare_type": True}
    with database.read() as session:
        assert compare_metadata(MigrationContext.configure(session, opts=options), METADATA) == []


def test_the_tables_of_batches_may_be_in_the_same_database(database: Database) -> None:
    assert publish_rows(f"sqlite:///{database.place}", rows_of()) == 4
    database.migrate()
    assert names(database) == []


def test_a_transaction_that_fails_changes_nothing(database: Database) -> None:
    def fail_half_way() -> None:
        with database.begin() as session:
            insert_once(session, TENANTS, ["name"], {"name": "a", "created_at": NOON})
            raise LookupError

    with pytest.raises(LookupError):
        fail_half_way()
    assert names(database) == []


def test_writers_wait_for_each_other(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda n: add_tenant(database, f"tenant {n % 10}"), range(80)))
    assert len(set(ids)) == len(names(database)) == 10


def test_readers_do_not_wait_for_a_writer_nor_see_what_it_has_not_finished(
    database: Database,
) -> None:
    add_tenant(database, "before")
    with ThreadPoolExecutor(1) as pool, database.begin() as session:
        insert_once(session, TENANTS, ["name"], {"name": "new", "created_at": NOON})
        assert pool.submit(names, database).result() == ["before"]
    assert names(database) == ["before", "new"]


def test_a_writer_that_waits_for_itself_is_told_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.database.engine.STATEMENT", 0.05)
    with (
        database.begin(),
        pytest.raises(DatabaseUnavailable, match=r"others have written for 0\.05 s"),
    ):
        add_tenant(database, "a")


def test_a_file_that_another_program_keeps_locked_is_a_transient_error(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/service.db?timeout=0")
    database.migrate()
    other = sqlite3.connect(tmp_path / "service.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable):
        add_tenant(database, "a")
    other.execute("COMMIT")
    other.close()
    assert add_tenant(database, "a") == 1
    database.close()


@pytest.mark.parametrize(("lasting", "level"), [(True, 2), (False, 1)])
def test_transactions_are_on_the_disk_when_they_end_unless_they_need_not_last(
    database: Database, lasting: bool, level: int
) -> None:
    """2 is FULL, 1 is NORMAL: https://sqlite.org/pragma.html#pragma_synchronous."""
    with database.begin(lasting=not lasting):
        pass  # on the same connection
    with database.begin(lasting=lasting) as session:
        assert session.exec_driver_sql("PRAGMA synchronous").scalar() == level


def test_references_hold(database: Database) -> None:
    key = {"tenant_id": 9, "label": "", "digest": "d", "created_at": NOON}
    with pytest.raises(BadDatabase), database.begin() as session:
        session.execute(sa.insert(API_KEYS).values(key))


def test_a_file_that_is_full_is_a_transient_error(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/service.db")
    database.migrate()
    connection = database.engine.raw_connection()
    connection.cursor().execute("PRAGMA max_page_count = 1")
    connection.close()
    with pytest.raises(DatabaseUnavailable, match="full"):
        add_tenant(database, "a" * 100_000)
    assert names(database) == []
    database.close()


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadDatabase, match="its folder cannot be made"):
        Database.open(f"sqlite:///{tmp_path}/file/service.db")


# Rows


def test_a_row_is_inserted_once(database: Database) -> None:
    values = {"name": "a", "created_at": NOON}
    with database.begin() as session:
        first = insert_once(session, TENANTS, ["name"], values)
        later = values | {"created_at": NOON + timedelta(1)}
        second = insert_once(session, TENANTS, ["name"], later)
        created = session.scalar(sa.select(TENANTS.c.created_at))
    assert (first, second, created) == ((1, True), (1, False), NOON)


def test_an_upsert_updates_what_is_there(database: Database) -> None:
    with database.begin() as session:
        for days in (0, 1):
            values = {"name": "a", "created_at": NOON + timedelta(days)}
            assert upsert(session, TENANTS, ["name"], values) == 1
        assert session.scalar(sa.select(TENANTS.c.created_at)) == NOON + timedelta(1)


def test_ids_are_not_used_a_second_time(database: Database) -> None:
    add_tenant(database, "a")
    with database.begin() as session:
        session.execute(sa.delete(TENANTS))
    assert add_tenant(database, "b") == 2


def test_times_come_back_in_utc(database: Database) -> None:
    zone = timezone(timedelta(hours=5))
    with database.begin() as session:
        values = {"name": "a", "created_at": NOON.astimezone(zone)}
        insert_once(session, TENANTS, ["name"], values)
        found = session.execute(sa.select(TENANTS.c.created_at)).scalar_one()
    assert (found, found.tzinfo) == (NOON, UTC)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    values = {"name": "a", "created_at": NOON.replace(tzinfo=None)}
    with pytest.raises(BadDatabase, match="has no time zone"), database.begin() as session:
        insert_once(session, TENANTS, ["name"], values)


# Migrations


def test_many_may_migrate_at_once(tmp_path: Path) -> None:
    made = [Database.open(f"sqlite:///{tmp_path}/service.db") for _ in range(6)]
    together = threading.Barrier(6)

    def migrate(database: Database) -> None:
        together.wait()
        database.migrate()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(migrate, made))
    assert names(made[0]) == []
    for database in made:
        database.close()


def test_tables_of_a_newer_version_are_left_alone(database: Database) -> None:
    with database.begin() as session:
        session.exec_driver_sql("UPDATE service_version SET version_num = '9999'")
    with pytest.raises(BadDatabase, match="another version of fft-tool"):
        database.migrate()
