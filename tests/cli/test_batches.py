"""The command ``batch``: what it prints, writes and says is missing."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import pytest
from pyarrow import parquet

from fft_tool.batches.rows import COLUMNS
from fft_tool.stores.folder import FolderStore
from fft_tool.stores.opening import open_store
from tests.support.cloud import Bucket
from tests.support.command import Run
from tests.support.jobs import fill, image, names

SHAPE = ("--batches", "2", "--images", "3")


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A complete job, in the working directory."""
    monkeypatch.chdir(tmp_path)
    fill(FolderStore(tmp_path), "leaves", names())
    return tmp_path / "leaves"


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_complete_job_gives_a_table_a_csv_and_a_page(run: Run, job: Path) -> None:
    done = run("batch", "leaves", *SHAPE, "-o", "stats.csv", "--plot", "page.html", "--jobs", "1")
    assert (done.code, done.err) == (0, "")
    assert done.lines[0].split() == ["batch", "pixels", "images", "mean", "std", "min", "max"]
    assert done.lines[1].split() == ["1", "black", "3", "2.0", "0.8", "1", "3"]
    assert done.lines[-2:] == ["stats.csv", "page.html"]
    rows = lines_of(Path("stats.csv"))
    assert [(row["batch_id"], row["color"], row["avg_pixels"]) for row in rows] == [
        *(("1", "black", "2.0"), ("1", "white", "10.0")),
        *(("2", "black", "5.0"), ("2", "white", "10.0")),
    ]
    assert rows[0]["source_prefix"] == f"{job}/"
    assert "Batch 2" in Path("page.html").read_text()


def test_the_job_may_be_the_working_directory(
    run: Run, job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(job)
    done = run("batch", ".", *SHAPE, "--json", "--jobs", "1")
    assert done.objects[0]["job"] == "leaves"


def test_json_has_the_rows_and_the_images_that_could_not_be_read(run: Run, job: Path) -> None:
    (job / "batch_1" / "img_2.png").write_bytes(b"not an image")
    done = run("batch", "leaves", *SHAPE, "--json", "--jobs", "1")
    assert done.code == 1
    (message,) = done.messages
    assert message.startswith(f"fft-tool: {job}/batch_1/img_2.png: not an image in a known format")
    (told,) = done.objects
    assert [row["images"] for row in told["rows"]] == [2, 2, 3, 3]
    assert [bad["name"] for bad in told["unreadable"]] == ["batch_1/img_2.png"]
    assert list(told["rows"][0]) == [column.name for column in COLUMNS]


def test_what_is_missing_is_said_and_nothing_is_written(run: Run, job: Path) -> None:
    (job / "batch_2" / "img_3.png").unlink()
    done = run("batch", "leaves", *SHAPE, "-o", "stats.csv", "--json")
    assert done.code == 1
    assert done.messages == ["fft-tool: leaves: batch_2: 2 of 3 images are there"]
    (told,) = done.objects
    assert (told["complete"], told["missing"]) == (False, {"batch_2": 1})
    assert not Path("stats.csv").exists()


def test_what_is_there_can_be_counted_all_the_same(run: Run, job: Path) -> None:
    (job / "batch_2" / "img_3.png").unlink()
    done = run("batch", "leaves", *SHAPE, "--partial", "-o", "stats.csv", "--jobs", "1")
    assert done.code == 0
    assert done.messages == ["fft-tool: warning: leaves: batch_2: 2 of 3 images are there"]
    assert [row["images"] for row in lines_of(Path("stats.csv"))] == ["3", "3", "2", "2"]
    (job / "batch_1" / "more.png").write_bytes(b"")
    done = run("batch", "leaves", *SHAPE, "--partial")
    assert done.code == 1
    assert "batch_1: has 4 images, should have 3" in done.err


@pytest.mark.usefixtures("job")
def test_parquet_is_written_where_the_name_says_so(run: Run) -> None:
    assert run("batch", "leaves", *SHAPE, "-o", "s.parquet", "--quiet", "--jobs", "1").out == b""
    assert parquet.read_table("s.parquet").column("avg_pixels").to_pylist() == [2, 10, 5, 10]


@pytest.mark.usefixtures("job")
def test_csv_goes_to_standard_output_without_a_table(run: Run) -> None:
    done = run("batch", "leaves", *SHAPE, "-o", "-", "--jobs", "1")
    assert done.lines[0].startswith("id,job_id,batch_id,color,avg_pixels")
    assert len(done.lines) == 5


def test_the_settings_of_the_job_count_unless_flags_contradict_them(run: Run, job: Path) -> None:
    (job / "job.json").write_text('{"batches": 2, "images": 3, "threshold": 255}')
    done = run("batch", "leaves", "--json", "--jobs", "1")
    assert [row["max_pixels"] for row in done.objects[0]["rows"]] == [13, 0, 16, 0]
    for flag, value, own in (("images", "4", "3"), ("threshold", "otsu", "255")):
        done = run("batch", "leaves", f"--{flag}", value)
        assert done.code == 2
        assert f"--{flag} {value}: job.json says {own}: leave one of them out" in done.err
    assert run("batch", "leaves", *SHAPE, "--threshold", "255", "--quiet", "--jobs", "1").code == 0


def test_wrong_settings_are_all_said_at_once(run: Run, job: Path) -> None:
    (job / "job.json").write_text('{"batches": 0, "colour": "red"}')
    done = run("batch", "leaves")
    assert done.code == 1
    assert len(done.messages) == 2


@pytest.mark.usefixtures("job")
def test_the_threshold_can_be_chosen(run: Run) -> None:
    done = run("batch", "leaves", *SHAPE, "--threshold", "255", "--json", "--jobs", "1")
    assert [row["avg_pixels"] for row in done.objects[0]["rows"]] == [12, 0, 15, 0]
    assert done.objects[0]["settings"]["threshold"] == "255"


def test_rows_go_into_the_database_once_and_under_the_next_number_if_they_change(
    run: Run, job: Path
) -> None:
    words = ("batch", "leaves", *SHAPE, "--database", "stats.db", "--json", "--jobs", "1")
    revisions = [run(*words).objects[0]["revision"] for _ in range(2)]
    (job / "batch_1" / "img_1.png").write_bytes(image(9, 9))
    assert [*revisions, run(*words).objects[0]["revision"]] == [1, 1, 2]
    connection = sqlite3.connect("stats.db")
    found = connection.execute(
        "SELECT revision, count(*), max(max_pixels) FROM batch_stats GROUP BY 1"
    )
    assert found.fetchall() == [(1, 4, 10), (2, 4, 10)]
    connection.close()


def test_a_database_that_cannot_be_used_is_found_before_the_images_are_counted(
    run: Run, job: Path
) -> None:
    (job / "batch_1" / "img_2.png").write_bytes(b"not an image")
    done = run("batch", "leaves", *SHAPE, "--database", "mysql://me:pa55@host/name", "-o", "s.csv")
    assert done.code == 1
    assert len(done.messages) == 1
    assert "mysql: is not a database that is supported" in done.err
    assert "pa55" not in done.err
    assert not Path("s.csv").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("batch leaves -o stats.xlsx", "ends in .csv or .parquet can be written"),
        ("batch leaves --plot page.png", "ends in .html or .htm can be written"),
        ("batch leaves -o - --json", "--json and -o - both write to standard output"),
        ("batch leaves -o - --plot -", "-o - and --plot - both write to standard output"),
        ("batch leaves --partial --database s.db", "the table has complete jobs only"),
        ("batch leaves/batch_1/img_1.png", "is a file, name the folder of a job"),
        ("batch leaves --batches 0", "should be a whole number above 0"),
        ("batch leaves --batches 2000 --images 2000", "at most 1,000,000 images"),
        ("batch leaves --threshold high", "should be mid, otsu or a grey level"),
        ("batch leaves --window hann", "--window"),
        ("batch", "JOB"),
    ],
)
@pytest.mark.usefixtures("job")
def test_wrong_usage_ends_with_code_2(run: Run, words: str, told: str) -> None:
    done = run(words)
    assert (done.code, done.out) == (2, b"")
    assert told in done.err


def test_what_is_no_job_is_said_plainly(run: Run, job: Path) -> None:
    done = run("batch", "nowhere")
    assert done.code == 1
    assert "no such folder" in done.err
    (job.parent / "empty").mkdir()
    assert "no such job, there are no files" in run("batch", "empty").err
    done = run("batch", str(job.parent))
    assert done.code == 1
    assert "batches of other jobs in leaves: name the folder of one job" in done.err
    fill(FolderStore(job.parent), "pets", ["cats/a.png", "dogs/b.png"])
    assert "there are no folders batch_1 … batch_5, only cats/, dogs/" in run("batch", "pets").err


def test_a_job_in_a_bucket_is_counted_likewise(run: Run, bucket: Bucket) -> None:
    fill(open_store(bucket.url), "batches/leaves", names())
    url = f"{bucket.url}/batches/leaves"
    done = run("batch", url, *SHAPE, "-o", f"{bucket.url}/out/s.csv", "--json", "--jobs", "1")
    assert done.code == 0
    (told,) = done.objects
    assert (told["job"], told["source_prefix"]) == ("leaves", f"{url}/")
    assert [row["avg_pixels"] for row in told["rows"]] == [2, 10, 5, 10]
    assert b"leaves" in bucket.get("out/s.csv")
