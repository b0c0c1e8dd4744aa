"""What an SQLite file goes through."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fft_tool.batches.database import open_database, publish_as_next, publish_rows
from fft_tool.batches.origin import Origin
from fft_tool.batches.tables import METADATA
from fft_tool.errors import BadDatabase, DatabaseUnavailable, MissingExtra, RevisionTaken
from tests.support.command import environment
from tests.support.jobs import rows_of


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'stats.db'}"


def stored(url: str, columns: str = "*", table: str = "batch_stats") -> list[tuple[object, ...]]:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        found = connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2, 3")  # noqa: S608
        rows = found.fetchall()
    connection.close()
    return rows


def test_rows_are_written_once(url: str) -> None:
    rows = rows_of()
    assert publish_rows(url, rows) == 4
    assert publish_rows(url, rows) == 0
    assert publish_rows(url, rows_of(at="2027-01-01T00:00:00Z")) == 0
    found = stored(url, "job_id, batch_id, color, avg_pixels, std_pixels, images, created_at, id")
    assert found == [
        (
            r.job_id,
            r.batch_id,
            r.color,
            r.avg_pixels,
            r.std_pixels,
            r.images,
            "2026-11-30 12:00:00.000000",
            r.id,
        )
        for r in rows
    ]


def test_rows_of_earlier_revisions_stay_and_a_view_shows_the_latest(url: str) -> None:
    publish_rows(url, rows_of())
    publish_rows(url, rows_of(revision=2, black=50))
    publish_rows(url, rows_of("ferns"))
    assert len(stored(url)) == 12
    latest = stored(url, "DISTINCT job_id, revision, 0", "latest_batch_stats")
    assert latest == [("ferns", 1, 0), ("leaves", 2, 0)]


def test_a_revision_of_somebody_else_is_not_overwritten(url: str) -> None:
    publish_rows(url, rows_of())
    with pytest.raises(RevisionTaken, match="holds revision 1 of job leaves with other rows"):
        publish_rows(url, rows_of(key="other", black=9))
    assert {row[0] for row in stored(url, "id, 0, 0")} == {row.id for row in rows_of()}


def test_half_a_revision_is_completed(url: str) -> None:
    publish_rows(url, rows_of())
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("DELETE FROM batch_stats WHERE color = 'white'")
    connection.close()
    assert publish_rows(url, rows_of()) == 2
    assert len(stored(url)) == 4


def test_many_may_write_the_same_revision_at_once(url: str) -> None:
    """The first of them creates the tables."""
    with ThreadPoolExecutor(6) as pool:
        written = list(pool.map(lambda _: publish_rows(url, rows_of(), patience=30), range(6)))
    assert sum(written) == 4
    assert len(stored(url)) == 4


def origin(key: str) -> Origin:
    return Origin("leaves", "s3://bucket/batches/leaves/", key, 1, "2026-11-30T12:00:00Z")


def as_next(url: str, key: str) -> int:
    rows = publish_as_next(url, origin(key), lambda n: rows_of(revision=n, key=key), patience=30)
    assert {row.revision for row in rows} == {rows[0].revision}
    return rows[0].revision


def test_without_a_marker_the_table_gives_the_number(url: str) -> None:
    assert [as_next(url, key) for key in ("a", "a", "b", "b", "a")] == [1, 1, 2, 2, 3]
    assert len(stored(url)) == 12


def test_numbers_are_given_to_one_only(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda key: as_next(url, key), "abcd"))
    assert sorted(numbers) == [1, 2, 3, 4]


def test_no_rows_need_no_table(url: str) -> None:
    assert publish_rows(url, ()) == 0


def test_the_migrations_make_the_tables_that_the_rows_have(url: str) -> None:
    with open_database(url) as database, database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []
    assert stored(url, "version_num, 0, 0", "alembic_version") == [("0001", 0, 0)]


def test_tables_of_a_newer_version_are_left_alone(url: str) -> None:
    publish_rows(url, rows_of())
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(BadDatabase, match="another version of fft-tool"):
        publish_rows(url, rows_of(revision=2))


def test_a_database_that_is_locked_is_tried_again(url: str) -> None:
    publish_rows(url, rows_of())
    blocker = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseUnavailable) as caught:
        publish_rows(f"{url}?timeout=0", rows_of(revision=2))
    assert caught.value.transient
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(publish_rows, f"{url}?timeout=0", rows_of(revision=2), patience=30)
        blocker.execute("COMMIT")
        assert waiting.result() == 4
    blocker.close()


@pytest.mark.parametrize("kind", ["folder", "text", "missing"])
def test_a_file_that_is_no_database_is_reported(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "stats.db"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("It is not a database.\n" * 100)
    else:
        path = tmp_path / "no folder" / "stats.db"
    with pytest.raises(BadDatabase, match=r"stats\.db: ") as caught:
        publish_rows(f"sqlite:///{path}", rows_of())
    assert not caught.value.transient
    assert "\n" not in str(caught.value)


def test_a_row_that_the_table_does_not_accept_is_an_error_without_its_values(url: str) -> None:
    rows = [replace(row, color="purple", job_id="confidential") for row in rows_of()]
    with pytest.raises(BadDatabase) as caught:
        publish_rows(url, rows)
    assert "confidential" not in str(caught.value)


def test_without_sqlalchemy_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name == "fft_tool.batches.engine"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("fft_tool.batches.engine", raising=False)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(MissingExtra, match=r"pip install 'fft-pipeline\[database\]'"):
        publish_rows("stats.db", rows_of())


def test_the_library_is_loaded_only_when_a_database_is_opened(tmp_path: Path) -> None:
    code = "import sys, fft_tool.batches.database\nprint('sqlalchemy' in sys.modules)"
    done = subprocess.check_output(
        [sys.executable, "-c", code], env=environment(), text=True, cwd=tmp_path
    )
    assert done.strip() == "False"


def test_nothing_is_kept_open(url: str) -> None:
    before = open_files()
    publish_rows(url, rows_of())
    with pytest.raises(RevisionTaken):
        publish_rows(url, rows_of(key="other"))
    assert open_files() == before


def open_files() -> int:
    """Number of files and connections that this process has open."""
    return int(psutil.Process().num_fds())
