"""The steps of a job: detect, count, publish, fail; each may be repeated at any time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from fft_tool.errors import DatabaseUnavailable, Killed, NotAllowed, StoreUnavailable, TookTooLong
from fft_tool.stores.memory import MemoryStore
from handler.batches import Steps
from handler.batches_database import Database
from handler.batches_settings import BatchesSettings
from handler.deadline import Deadline
from handler.errors import MalformedEvent, OutOfTime
from handler.patience import Patience
from handler.states import Superseded
from tests.support.images import png_bytes
from tests.support.samples import BUCKET, Context, NotedStore, child

Json = dict[str, Any]
JOB = {"bucket": BUCKET, "job": "leaves"}
SHAPE = {"FFT_BATCHES": "2", "FFT_BATCHES_IMAGES": "3", "FFT_BATCHES_PART": "2"}
FOLDER = "output/batches/leaves"


def image(black: int) -> bytes:
    """An image of 16 pixels, of which so many are black."""
    return png_bytes(np.where(np.arange(16) < black, 0, 255).astype(np.uint8).reshape(4, 4))


def job(*, images: int = 3) -> NotedStore:
    """Two batches, whose images have 1, 2, … and 11, 12, … black pixels."""
    return NotedStore(
        {
            f"batches/leaves/batch_{batch}/{number}.png": image(10 * (batch - 1) + number)
            for batch in (1, 2)
            for number in range(1, images + 1)
        }
    )


def steps(store: MemoryStore, **variables: str) -> Steps:
    settings = BatchesSettings.from_environ({**SHAPE, **variables})
    return Steps(settings, lambda *_: store, child, Database(settings))


def deadline() -> Deadline:
    return Deadline(Context().get_remaining_time_in_millis, 2000)


def patience() -> Patience:
    return Patience(lambda: 50.0, 60.0)


def counted(made: Steps, work: Mapping[str, Any]) -> None:
    """Count all parts, as the state machine does."""
    for part in work["parts"]:
        made.count({**JOB, "revision": work["revision"], "part": part}, deadline(), patience())


def run(store: MemoryStore, execution: str = "first", **variables: str) -> Json:
    """All steps in a row."""
    made = steps(store, **variables)
    work = made.detect(JOB, deadline())
    counted(made, work)
    event = {**JOB, "revision": work["revision"], "execution": execution}
    return made.publish(event, deadline())


def rows(store: MemoryStore) -> list[Json]:
    found: list[Json] = json.loads(store.read(f"{FOLDER}/summary.json").data)["rows"]
    return found


def test_a_job_that_lacks_images_waits_and_tells_what_is_missing() -> None:
    answer = steps(job(images=2)).detect(JOB, deadline())
    assert answer["next"] == "wait"
    assert answer["reasons"] == [
        "batch_1: 2 of 3 images are there",
        "batch_2: 2 of 3 images are there",
    ]


def test_a_job_that_is_complete_is_counted_and_published() -> None:
    store = job()
    answer = run(store)
    black = {row["batch_id"]: row for row in rows(store) if row["color"] == "black"}
    assert {batch: row["avg_pixels"] for batch, row in black.items()} == {1: 2.0, 2: 12.0}
    assert {batch: row["std_pixels"] for batch, row in black.items()} == {
        1: pytest.approx(np.std([1, 2, 3])),
        2: pytest.approx(np.std([11, 12, 13])),
    }
    assert answer["notify"] is True
    assert answer["subject"] == "leaves: statistics of 6 images (revision 1)"
    assert f"s3://{BUCKET}/{FOLDER}/batch_stats.csv" in answer["message"]
    status = json.loads(store.read(f"{FOLDER}/status.json").data)
    assert (status["state"], status["revision"]) == ("published", 1)


def test_what_is_published_is_not_done_again() -> None:
    store = job()
    run(store)
    assert steps(store).detect(JOB, deadline())["next"] == "nothing"


def test_a_revision_without_rows_is_resumed_and_parts_are_counted_once() -> None:
    store = job()
    first = steps(store).detect(JOB, deadline())
    made = steps(store)
    made.count({**JOB, "revision": 1, "part": 0}, deadline(), patience())
    again = steps(store).detect(JOB, deadline())
    assert (again["state"], again["revision"]) == ("pending", first["revision"])
    store.calls.clear()
    counted(made, again)
    read = [call for call in store.calls if call.startswith("fetch batches/")]
    assert len(read) == 4, "the first part has been counted"


def test_however_many_executions_there_are_one_notifies() -> None:
    store = job()
    made = steps(store)
    work = made.detect(JOB, deadline())
    counted(made, work)
    told = [
        made.publish({**JOB, "revision": 1, "execution": name}, deadline())["notify"]
        for name in ("first", "second", "first", "third")
    ]
    assert told == [True, False, True, False], "an execution that is retried still notifies"


def test_parts_of_a_large_job_come_from_the_bucket_and_lead_to_the_same_rows() -> None:
    small, large = job(), job()
    run(small)
    made = steps(large, FFT_BATCHES_INLINE_IMAGES="5")
    work = made.detect(JOB, deadline())
    assert work["next"] == "count-distributed"
    assert "parts" not in work
    items = json.loads(large.read(work["items"]).data)
    for item in reversed(items):
        made.count({**JOB, "revision": 1, "part": item}, deadline(), patience())
    made.publish({**JOB, "revision": 1}, deadline())
    identity = ("id", "created_at")
    plain = [
        [{name: value for name, value in row.items() if name not in identity} for row in rows(each)]
        for each in (small, large)
    ]
    assert plain[0] == plain[1]


def test_what_states_pass_on_stays_small_however_large_the_job() -> None:
    store = NotedStore(
        {f"batches/leaves/batch_1/{'x' * 200}{number}.png": b"x" for number in range(2500)}
    )
    shape = {"FFT_BATCHES": "1", "FFT_BATCHES_IMAGES": "2500", "FFT_BATCHES_PART": "200"}
    work = steps(store, **shape).detect(JOB, deadline())
    assert len(json.dumps(work)) < 1000
    items = json.loads(store.read(work["items"]).data)
    assert max(len(json.dumps(item)) for item in items) < 256_000
    assert sum(len(item["images"]) for item in items) == 2500


def test_an_image_that_cannot_be_read_is_named_and_does_not_block_the_others() -> None:
    store = job()
    store.upload("batches/leaves/batch_1/2.png", image(2)[:-20])
    answer = run(store)
    assert "  batch_1/2.png: " in answer["message"]
    (black,) = (row for row in rows(store) if (row["batch_id"], row["color"]) == (1, "black"))
    assert (black["images"], black["avg_pixels"]) == (2, 2.0)


def test_an_image_that_is_replaced_while_the_job_is_counted_leads_to_another_look() -> None:
    store = job()
    made = steps(store)
    made.detect(JOB, deadline())
    store.upload("batches/leaves/batch_1/2.png", image(9))
    with pytest.raises(Superseded, match="overwritten since the job was listed"):
        made.count({**JOB, "revision": 1, "part": 0}, deadline(), patience())
    with pytest.raises(Superseded, match="was replaced"):
        made.publish({**JOB, "revision": 1}, deadline())
    run(store)
    assert {row["revision"] for row in rows(store)} == {2}
    assert max(row["max_pixels"] for row in rows(store) if row["batch_id"] == 1) == 15


def test_an_older_revision_does_not_replace_a_newer_one() -> None:
    store = job()
    made = steps(store)
    counted(made, made.detect(JOB, deadline()))
    store.upload("batches/leaves/batch_2/1.png", image(0))
    run(store)
    with pytest.raises(Superseded, match="there is a later revision"):
        made.publish({**JOB, "revision": 1}, deadline())
    assert {row["revision"] for row in rows(store)} == {2}


def test_parts_of_another_size_are_not_mixed() -> None:
    store = job()
    made = steps(store)
    made.detect(JOB, deadline())
    made.count({**JOB, "revision": 1, "part": 0}, deadline(), patience())
    run(store, FFT_BATCHES_PART="3")
    assert {row["images"] for row in rows(store)} == {3}


class Breaking:
    """A child that breaks off so many times."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def count(self, *args: Any, **options: Any) -> Any:
        if self.errors:
            options["patience"](16)
            raise self.errors.pop(0)
        return child().count(*args, **options)


def breaking(store: MemoryStore, *errors: Exception) -> Steps:
    settings = BatchesSettings.from_environ(SHAPE)
    broken = Breaking(*errors)
    return Steps(settings, lambda *_: store, lambda: broken, Database(settings))  # type: ignore[arg-type,return-value]


def test_an_image_that_breaks_off_is_tried_once_more() -> None:
    store = job()
    made = breaking(store, Killed("it crashed"))
    made.detect(JOB, deadline())
    made.count({**JOB, "revision": 1, "part": 0}, deadline(), patience())
    (first, _) = json.loads(store.read(f"{FOLDER}/counts/1/by-2/000000.json").data)
    assert first["black"] == 1


def test_an_image_that_breaks_off_twice_is_named() -> None:
    store = job()
    made = breaking(store, Killed("it crashed"), Killed("it crashed"))
    made.detect(JOB, deadline())
    made.count({**JOB, "revision": 1, "part": 0}, deadline(), patience())
    (first, second) = json.loads(store.read(f"{FOLDER}/counts/1/by-2/000000.json").data)
    assert first["code"] == "too-costly"
    assert second["black"] == 2


def test_an_image_that_had_no_time_is_left_to_the_next_attempt() -> None:
    store = job()
    made = breaking(store, TookTooLong("too long"), TookTooLong("too long"))
    made.detect(JOB, deadline())
    hurried = Patience(lambda: 0.1, 60.0)
    with pytest.raises(OutOfTime, match="FFT_BATCHES_PART"):
        made.count({**JOB, "revision": 1, "part": 0}, deadline(), hurried)


def test_a_store_that_is_away_is_not_taken_for_a_bad_image() -> None:
    store = job()
    made = steps(store)
    made.detect(JOB, deadline())

    def away(call: str) -> None:
        if call.startswith("read batches/"):
            raise StoreUnavailable("throttled")

    store.meddle = away
    with pytest.raises(StoreUnavailable):
        made.count({**JOB, "revision": 1, "part": 0}, deadline(), patience())
    assert not store.outputs(f"{FOLDER}/counts")


def test_rows_reach_the_database_before_the_job_counts_as_published(tmp_path: Any) -> None:
    store = job()
    address = f"sqlite:///{tmp_path}/rows.db"
    run(store, DATABASE_URL=address)
    import sqlite3  # noqa: PLC0415  (only here)

    with sqlite3.connect(tmp_path / "rows.db") as database:
        found = database.execute("select count(*) from batch_stats").fetchone()
    database.close()
    assert found == (4,)


def test_without_the_database_a_job_is_not_published() -> None:
    store = job()
    address = "postgresql://nobody:secret@127.0.0.1:1/fft"
    with pytest.raises(DatabaseUnavailable) as caught:
        run(store, DATABASE_URL=address)
    assert "secret" not in str(caught.value)
    assert steps(store).detect(JOB, deadline())["state"] == "pending"
    assert run(store)["notify"] is True


def test_a_failure_is_recorded_beside_the_results() -> None:
    store = job()
    cause = json.dumps({"errorMessage": "database-refused: no such user", "errorType": "X"})
    event = {**JOB, "revision": 1, "failure": {"Error": "DatabaseError", "Cause": cause}}
    steps(store).fail(event, deadline())
    status = json.loads(store.read(f"{FOLDER}/status.json").data)
    assert status == {
        "schema": "fft-tool/batch-status/1",
        "job": "leaves",
        "state": "failed",
        "revision": 1,
        "error": {"code": "database-refused", "message": "no such user"},
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bucket": ""}, "bucket is ''"),
        ({"bucket": 3}, "bucket is 3"),
        ({"job": None}, "job is None"),
        ({"bucket": "another"}, "the bucket another is not one of this function's"),
    ],
)
def test_an_input_of_the_wrong_form_is_refused(change: Json, told: str) -> None:
    made = steps(job(), FFT_BUCKET=BUCKET)
    with pytest.raises(MalformedEvent, match=told):
        made.detect({**JOB, **change}, deadline())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"part": 3}, "part is 3: the revision has 3 parts"),
        ({"part": -1}, "part is -1"),
        ({"part": "0"}, "part is '0'"),
        ({"part": 0, "revision": True}, "revision is True"),
    ],
)
def test_a_part_that_does_not_exist_is_refused(change: Json, told: str) -> None:
    made = steps(job())
    made.detect(JOB, deadline())
    with pytest.raises(MalformedEvent, match=told):
        made.count({**JOB, "revision": 1, **change}, deadline(), patience())


# The address of the database.


def database(read: Callable[[str], str], **variables: str) -> Database:
    return Database(BatchesSettings.from_environ(variables), read)


LOGIN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1"
CERTIFICATES = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ca-AbCdEf"
SECRETS = {LOGIN: json.dumps({"username": "fft", "password": "p@ss/word"}), CERTIFICATES: "PEM"}


def test_without_settings_there_is_no_database() -> None:
    with database(SECRETS.__getitem__).url() as url:
        assert url is None


def test_the_password_comes_from_the_secret_and_certificates_from_a_file_meanwhile() -> None:
    made = database(
        SECRETS.__getitem__,
        DATABASE_URL="postgresql+psycopg://db.example:5432/fft?sslmode=require",
        DATABASE_SECRET_ARN=LOGIN,
        DATABASE_CA_SECRET_ARN=CERTIFICATES,
    )
    from pathlib import Path  # noqa: PLC0415  (only here)
    from urllib.parse import parse_qs, urlsplit  # noqa: PLC0415  (as above)

    with made.url() as url:
        assert url is not None
        parts = urlsplit(url)
        assert parts.netloc == "fft:p%40ss%2Fword@db.example:5432"
        query = parse_qs(parts.query)
        assert query["sslmode"] == ["verify-full"]
        (path,) = query["sslrootcert"]
        assert Path(path).read_text("utf-8") == "PEM"
    assert not Path(path).exists()


def test_a_secret_without_a_password_is_refused_without_showing_it() -> None:
    made = database(lambda _: '{"user": "hush"}', DATABASE_SECRET_ARN=LOGIN)
    with pytest.raises(NotAllowed, match="username and password") as caught, made.url():
        pass
    assert "hush" not in str(caught.value)
