"""The service's database in a real PostgreSQL, which many use at once and which restarts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fft_tool.batches.database import publish_rows
from fft_tool.errors import BadDatabase, DatabaseUnavailable
from service.database.engine import CONNECTIONS, Database
from service.database.rows import insert_once, upsert
from service.database.tables import METADATA, TENANTS
from service.jobs import table
from service.jobs.table import Failure, Job
from tests.support.jobs import rows_of
from tests.support.postgres import PASSWORD, Postgres, postgres
from tests.support.service_jobs import KIND

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
BROKEN = Failure("corrupt-image", "the image is damaged", permanent=True)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def database(server: Postgres) -> Iterator[Database]:
    """An empty database with its tables."""
    server.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    made = Database.open(server.url())
    made.migrate()
    yield made
    made.close()


@pytest.mark.parametrize(("lasting", "level"), [(True, "on"), (False, "off")])
def test_transactions_are_on_the_disk_when_they_end_unless_they_need_not_last(
    database: Database, lasting: bool, level: str
) -> None:
    with database.begin(lasting=not lasting):
        pass  # on the same connection
    with database.begin(lasting=lasting) as session:
        assert session.exec_driver_sql("SHOW synchronous_commit").scalar() == level


def add_job(database: Database) -> int:
    with database.begin() as session:
        return table.enqueue(session, KIND, {"n": 1}, now=NOON)


def claim(database: Database, worker: str = "me", *, now: datetime = NOON) -> Job | None:
    with database.begin() as session:
        return table.claim(session, worker, (KIND,), now=now)


def test_the_migrations_make_the_tables_that_the_code_has(database: Database) -> None:
    options = {"version_table": "service_version", "compare_type": True}
    with database.read() as session:
        assert compare_metadata(MigrationContext.configure(session, opts=options), METADATA) == []


def test_many_may_migrate_at_once(server: Postgres) -> None:
    server.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    made = [Database.open(server.url()) for _ in range(6)]
    together = threading.Barrier(6)

    def migrate(database: Database) -> None:
        together.wait()
        database.migrate()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(migrate, made))
    assert server.query("SELECT version_num FROM service_version").count("\n") == 0
    for database in made:
        database.close()


def test_the_tables_of_batches_may_be_in_the_same_database(
    server: Postgres, database: Database
) -> None:
    assert publish_rows(server.url(), rows_of()) == 4
    database.migrate()
    assert claim(database) is None


def test_each_job_is_taken_by_one_of_many_workers(database: Database) -> None:
    ids = [add_job(database) for _ in range(40)]
    with ThreadPoolExecutor(10) as pool:
        jobs = list(pool.map(lambda n: claim(database, f"worker {n}"), range(60)))
    taken = [job for job in jobs if job is not None]
    assert sorted(job.id for job in taken) == ids
    assert [job.payload for job in taken] == [{"n": 1}] * 40


def test_jobs_of_dead_workers_are_taken_back_by_one_of_many(database: Database) -> None:
    ids = [add_job(database) for _ in range(10)]
    for _ in ids:
        claim(database, "dead")
    later = NOON + timedelta(minutes=1)

    def recover(_: int) -> list[int]:
        with database.begin() as session:
            return [job.id for job in table.recover(session, now=later)]

    with ThreadPoolExecutor(4) as pool:
        found = [job_id for some in pool.map(recover, range(4)) for job_id in some]
    assert sorted(found) == ids


def test_a_job_is_finished_poisoned_and_driven_again(server: Postgres, database: Database) -> None:
    for finish in (
        lambda session, job: table.finish(session, job, now=NOON),
        lambda session, job: table.fail(session, job, BROKEN, now=NOON),
    ):
        add_job(database)
        job = claim(database)
        with database.begin() as session:
            assert finish(session, job)
    assert server.query("SELECT state FROM jobs ORDER BY id") == "done\nfailed"
    assert server.query("SELECT job_id, reason_code FROM poison_jobs") == "2|corrupt-image"
    with database.begin() as session:
        assert table.redrive(session, 2, now=NOON)
    assert server.query("SELECT state, attempts FROM jobs WHERE id = 2") == "queued|0"


def test_the_same_row_from_many_at_once_is_one_row(server: Postgres, database: Database) -> None:
    values = {"name": "acme", "created_at": NOON}

    def write(n: int) -> int:
        with database.begin() as session:
            if n % 2:
                return upsert(session, TENANTS, ["name"], values)
            return insert_once(session, TENANTS, ["name"], values)[0]

    with ThreadPoolExecutor(10) as pool:
        ids = set(pool.map(write, range(40)))
    assert len(ids) == 1
    assert server.query("SELECT count(*) FROM tenants") == "1"


def test_times_come_back_in_utc_whatever_the_server_thinks(
    server: Postgres, database: Database
) -> None:
    server.query("ALTER DATABASE stats SET timezone = 'Asia/Tokyo'")
    with database.begin() as session:
        insert_once(session, TENANTS, ["name"], {"name": "acme", "created_at": NOON})
        found = session.execute(sa.select(TENANTS.c.created_at)).scalar_one()
    assert (found, found.tzinfo) == (NOON, UTC)


def test_more_requests_than_connections_wait_for_their_turn(database: Database) -> None:
    def ask(_: int) -> int:
        with database.read() as session:
            return int(session.scalar(sa.text("SELECT 1 FROM pg_sleep(0.02)")) or 0)

    with ThreadPoolExecutor(3 * CONNECTIONS) as pool:
        assert sum(pool.map(ask, range(6 * CONNECTIONS))) == 6 * CONNECTIONS


def test_a_wrong_password_is_told_without_repeating_it(server: Postgres) -> None:
    database = Database.open(server.url(password="another-one"))  # noqa: S106  (it is wrong)
    with pytest.raises(BadDatabase, match="authentication failed") as caught:
        database.migrate()
    assert "another-one" not in str(caught.value)
    database.close()


@pytest.mark.slow
def test_a_server_that_restarts_is_a_transient_error_and_then_used_again() -> None:
    with postgres() as server:
        database = Database.open(server.url())
        database.migrate()
        job_id = add_job(database)

        def be_cut_off() -> None:
            with database.begin() as session:
                table.enqueue(session, KIND, {}, now=NOON)
                server.stop()
                session.scalar(sa.select(1))

        with pytest.raises(DatabaseUnavailable):
            be_cut_off()
        with pytest.raises(DatabaseUnavailable) as caught:
            add_job(database)
        assert PASSWORD not in str(caught.value)
        server.start()
        assert server.query("SELECT count(*) FROM jobs") == "1", "all or nothing"
        job = claim(database)
        assert job is not None
        assert job.id == job_id
        database.close()
