"""Batches on the local AWS: uploads in any order → one set of rows, in files and in PostgreSQL."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from tests.support.images import png_bytes
from tests.support.local_cloud import Laptop, free_port, wait_until
from tests.support.postgres import PASSWORD, Postgres, postgres
from tools.local_aws.batches import BATCHES, function
from tools.local_aws.clients import arn
from tools.local_aws.resource import NAME
from tools.local_aws.state_machines import state_machine_arn

pytestmark = pytest.mark.slow

Json = dict[str, Any]

INLINE = 8  # images of a job above which there is a Distributed Map
SETTINGS = {
    "FFT_BATCHES": "2",
    "FFT_BATCHES_IMAGES": "3",
    "FFT_BATCHES_PART": "2",
    "FFT_BATCHES_INLINE_IMAGES": str(INLINE),
    "FFT_BATCHES_WAITING_HOURS": "0",
}
STATISTICS = ("avg_pixels", "std_pixels", "min_pixels", "max_pixels")
PATIENCE = 240.0  # seconds for a job, whose functions start on a machine that may be busy
TOLD = "told"  # a queue that is subscribed to the topic


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory, server: Postgres) -> Iterator[Laptop]:
    place = Laptop(tmp_path_factory.mktemp("batches") / "state", free_port())
    try:
        done = place.run("up", DATABASE_URL=server.url(), **SETTINGS)
        assert done.code == 0, done.err
        aws = place.aws
        aws.scheduler.delete_schedule(Name=BATCHES)  # tests sweep at moments of their own
        aws.sqs.create_queue(QueueName=TOLD)
        aws.sns.subscribe(TopicArn=arn("sns", BATCHES), Protocol="sqs", Endpoint=arn("sqs", TOLD))
        yield place
    finally:
        place.emulator.stop()


def image(black: int, of: int = 64) -> bytes:
    flat = np.where(np.arange(of) < black, 0, 255).astype(np.uint8)
    return png_bytes(flat.reshape(8, -1))


def images(*, batches: int = 2, each: int = 3, seed: int = 0) -> dict[str, tuple[int, bytes]]:
    """Images of a job by name, with their numbers of black pixels."""
    rng = np.random.default_rng(seed)
    counts = {
        f"batch_{batch}/{number}.png": int(rng.integers(0, 65))
        for batch in range(1, batches + 1)
        for number in range(1, each + 1)
    }
    return {name: (black, image(black)) for name, black in counts.items()}


def upload(laptop: Laptop, job: str, files: Mapping[str, tuple[int, bytes]]) -> None:
    for name, (_, data) in files.items():
        laptop.put(f"batches/{job}/{name}", data)


def oracle(files: Mapping[str, tuple[int, bytes]]) -> dict[tuple[int, str, str], float]:
    """Statistics by batch, colour and name of the column, as numpy has them."""
    found = {}
    for batch in sorted({name.partition("/")[0] for name in files}):
        black = np.array([count for name, (count, _) in files.items() if name.startswith(batch)])
        number = int(batch.removeprefix("batch_"))
        for colour, values in (("black", black), ("white", 64 - black)):
            each = (values.mean(), values.std(), values.min(), values.max())
            for column, value in zip(STATISTICS, each, strict=True):
                found[number, colour, column] = float(value)
    return found


def statistics(rows: Iterable[Json]) -> dict[tuple[int, str, str], float]:
    return {
        (row["batch_id"], row["color"], column): row[column]
        for row in rows
        for column in STATISTICS
    }


def status(laptop: Laptop, job: str) -> Json:
    key = f"output/batches/{job}/status.json"
    return laptop.record(key) if key in laptop.names(f"output/batches/{job}/") else {}


def wait_for(laptop: Laptop, job: str, state: str = "published", revision: int = 1) -> list[Json]:
    """Wait until an execution of a job has ended so; the rows that are published."""

    def tell() -> str:
        return (
            f"{job}: {status(laptop, job)}, {executions(laptop, job)}, {last_events(laptop, job)}"
        )

    def ended() -> bool:
        found = status(laptop, job)
        at_rest = "RUNNING" not in executions(laptop, job).values()
        return (found.get("state"), found.get("revision")) == (state, revision) and at_rest

    wait_until(ended, tell, seconds=PATIENCE)
    key = f"output/batches/{job}/summary.json"
    return laptop.record(key)["rows"] if key in laptop.names(key) else []


def last_events(laptop: Laptop, job: str) -> list[str]:
    """What happened last in the executions of a job, to be shown if it does not end."""
    told = []
    for name in executions(laptop, job):
        execution = arn("states", f"execution:{BATCHES}:{name}")
        found = laptop.aws.states.get_execution_history(executionArn=execution, reverseOrder=True)
        told += [json.dumps(event, default=str)[:500] for event in found["events"][:6]]
    return told


def executions(laptop: Laptop, job: str) -> dict[str, str]:
    """Status of the executions of a job, by name."""
    found = laptop.aws.states.list_executions(stateMachineArn=state_machine_arn(BATCHES))
    each = ((one["name"], one["status"]) for one in found["executions"])
    return {name: state for name, state in each if name.startswith(f"{job}-")}


def invoke(laptop: Laptop, step: str, **event: Any) -> Json:
    payload = json.dumps({"bucket": NAME, **event})
    answer = laptop.aws.functions.invoke(FunctionName=function(step), Payload=payload)
    found: Json = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, found
    return found


def messages(laptop: Laptop, job: str) -> list[str]:
    """Messages of the topic about a job, since they were last asked for."""
    url = laptop.aws.sqs.get_queue_url(QueueName=TOLD)["QueueUrl"]
    found: list[Json] = []
    while more := laptop.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in more:
            laptop.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found += [json.loads(message["Body"]) for message in more]
    return [body["Message"] for body in found if body["Subject"].startswith(f"{job}:")]


def in_database(server: Postgres, job: str) -> list[str]:
    """Batch, colour, images and revision of all rows of a job."""
    columns = "batch_id || ' ' || color || ' ' || images || ' ' || revision"
    query = f"SELECT {columns} FROM batch_stats WHERE job_id = '{job}' ORDER BY 1"  # noqa: S608  (names of tests)
    return server.query(query).splitlines()


@contextmanager
def events_held(laptop: Laptop) -> Iterator[None]:
    """Let no event of an upload reach the function meanwhile: all of them are lost."""
    rule = laptop.aws.events
    rule.disable_rule(Name=BATCHES)
    try:
        yield
    finally:
        rule.enable_rule(Name=BATCHES)


@contextmanager
def with_variables(laptop: Laptop, step: str, **variables: str) -> Iterator[None]:
    """Run a function with other settings meanwhile."""
    functions, name = laptop.aws.functions, function(step)
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    changed = {"Variables": {**before, **variables}}
    functions.update_function_configuration(FunctionName=name, Environment=changed)
    try:
        yield
    finally:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": before}
        )


def test_uploads_in_random_order_with_duplicates_lead_to_one_set_of_rows(
    laptop: Laptop, server: Postgres
) -> None:
    files = images(seed=1)
    twice = [*files.items(), *list(files.items())[:3]]
    random.Random(1).shuffle(twice)
    for name, (_, data) in twice:
        laptop.put(f"batches/order/{name}", data)
    rows = wait_for(laptop, "order")
    assert statistics(rows) == pytest.approx(oracle(files))
    assert {row["images"] for row in rows} == {3}
    assert in_database(server, "order") == [
        f"{batch} {colour} 3 1" for batch in (1, 2) for colour in ("black", "white")
    ]
    (told,) = messages(laptop, "order")
    assert "batch_stats.csv" in told
    assert len(executions(laptop, "order")) == 1


def test_events_that_come_again_and_in_another_order_change_nothing(
    laptop: Laptop, server: Postgres
) -> None:
    files = images(seed=2)
    upload(laptop, "again", files)
    rows = wait_for(laptop, "again")
    assert len(messages(laptop, "again")) == 1
    url = laptop.aws.sqs.get_queue_url(QueueName=BATCHES)["QueueUrl"]
    for name in random.Random(2).sample([*files] * 4, 4 * len(files)):
        event = {
            "detail-type": "Object Created",
            "source": "aws.s3",
            "detail": {"bucket": {"name": NAME}, "object": {"key": f"batches/again/{name}"}},
        }
        laptop.aws.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
    invoke(laptop, "sweep")
    again = [invoke(laptop, "detect", job="again")["next"] for _ in range(2)]
    assert again == ["nothing", "nothing"]
    assert wait_for(laptop, "again") == rows
    assert len(in_database(server, "again")) == 4
    assert not messages(laptop, "again")
    assert len(executions(laptop, "again")) == 1


def test_a_late_correction_starts_a_revision_of_its_own(laptop: Laptop, server: Postgres) -> None:
    files = images(seed=3)
    upload(laptop, "late", files)
    wait_for(laptop, "late")
    files["batch_2/1.png"] = (7, image(7))
    laptop.put("batches/late/batch_2/1.png", image(7))
    rows = wait_for(laptop, "late", revision=2)
    assert statistics(rows) == pytest.approx(oracle(files))
    assert len(in_database(server, "late")) == 8
    assert len(messages(laptop, "late")) == 2


def test_a_corrupt_image_is_named_and_left_out(laptop: Laptop) -> None:
    files = images(seed=4)
    upload(laptop, "corrupt", {**files, "batch_1/2.png": (0, image(3)[:-20])})
    rows = wait_for(laptop, "corrupt")
    del files["batch_1/2.png"]
    assert statistics(rows) == pytest.approx(oracle(files))
    assert {row["batch_id"]: row["images"] for row in rows} == {1: 2, 2: 3}
    (told,) = messages(laptop, "corrupt")
    assert "batch_1/2.png" in told


def test_an_incomplete_job_is_named_with_what_is_missing(laptop: Laptop) -> None:
    files = dict(list(images(seed=5).items())[:5])
    upload(laptop, "waiting", files)
    (found,) = (each for each in invoke(laptop, "sweep")["jobs"] if each["job"] == "waiting")
    assert found["outcome"] == "overdue"
    assert found["reasons"] == ["batch_2: 2 of 3 images are there"]
    assert not executions(laptop, "waiting")
    assert invoke(laptop, "detect", job="waiting")["next"] == "wait"
    assert not laptop.names("output/batches/waiting/")


def test_a_job_whose_events_were_all_lost_is_found_by_the_sweep(laptop: Laptop) -> None:
    files = images(seed=6)
    with events_held(laptop):
        upload(laptop, "lost", files)
    invoke(laptop, "sweep")
    assert statistics(wait_for(laptop, "lost")) == pytest.approx(oracle(files))


def test_a_job_that_was_killed_between_marker_and_rows_is_repaired(
    laptop: Laptop, server: Postgres
) -> None:
    files = images(seed=7)
    with events_held(laptop):
        upload(laptop, "killed", files)
    work = invoke(laptop, "detect", job="killed")
    invoke(laptop, "count", job="killed", revision=1, part=work["parts"][1])
    assert "output/batches/killed/revisions/1.json" in laptop.names("output/batches/killed/")
    assert not in_database(server, "killed")
    invoke(laptop, "sweep")
    rows = wait_for(laptop, "killed")
    assert statistics(rows) == pytest.approx(oracle(files))
    assert {row["revision"] for row in rows} == {1}
    assert len(messages(laptop, "killed")) == 1


def test_inline_and_distributed_map_give_the_same_rows(laptop: Laptop, server: Postgres) -> None:
    """A job of more images than the inline limit, with both kinds of map."""
    files = images(each=6, seed=8)
    shape = json.dumps({"batches": 2, "images": 6}).encode()
    found = {}
    for job, limit in (("small", "100"), ("large", str(INLINE))):
        with with_variables(laptop, "detect", FFT_BATCHES_INLINE_IMAGES=limit):
            laptop.put(f"batches/{job}/job.json", shape)
            upload(laptop, job, files)
            rows = wait_for(laptop, job)
        own = ("id", "job_id", "created_at", "source_prefix")
        found[job] = [{k: v for k, v in row.items() if k not in own} for row in rows]
        assert len(in_database(server, job)) == 4
    assert statistics(found["small"]) == pytest.approx(oracle(files))
    assert found["small"] == found["large"]
    items = "output/batches/{}/counts/1/by-2/items.json"
    assert items.format("large") in laptop.names("output/batches/large/")
    assert items.format("small") not in laptop.names("output/batches/small/")


def test_a_database_that_is_away_for_a_while_is_waited_for(
    laptop: Laptop, server: Postgres
) -> None:
    files = images(seed=9)
    server.stop()
    try:
        upload(laptop, "away", files)
        written = "output/batches/away/batch_stats.csv"
        wait_until(lambda: written in laptop.names("output/batches/"), seconds=PATIENCE)
        assert not status(laptop, "away")
    finally:
        server.start()
    assert statistics(wait_for(laptop, "away")) == pytest.approx(oracle(files))
    assert len(in_database(server, "away")) == 4
    assert len(messages(laptop, "away")) == 1
    assert len(executions(laptop, "away")) == 1


def test_a_failure_leaves_a_trace_and_the_next_sweep_tries_again(
    laptop: Laptop, server: Postgres
) -> None:
    wrong = server.url(password="not-the-password")  # noqa: S106  (of the server of the tests)
    with with_variables(laptop, "publish", DATABASE_URL=wrong):
        upload(laptop, "failing", images(seed=10))
        wait_for(laptop, "failing", state="failed")
    found = status(laptop, "failing")
    assert "authentication failed" in found["error"]["message"]
    assert "not-the-password" not in json.dumps(found)
    assert PASSWORD not in json.dumps(found)
    assert set(executions(laptop, "failing").values()) == {"FAILED"}
    invoke(laptop, "sweep")
    wait_for(laptop, "failing")
    assert sorted(executions(laptop, "failing").values()) == ["FAILED", "SUCCEEDED"]
    assert len(messages(laptop, "failing")) == 1


def test_the_password_comes_from_secrets_manager(laptop: Laptop, server: Postgres) -> None:
    """The address without a password, and the secret as RDS keeps it."""
    login = json.dumps({"username": "fft", "password": PASSWORD})
    aws = laptop.aws
    secret = aws.secrets.create_secret(Name="rds-login", SecretString=login)["ARN"]
    address = server.url().replace(f":{PASSWORD}@", "@").replace("fft@", "")
    given = {"DATABASE_URL": address, "DATABASE_SECRET_ARN": secret}
    with with_variables(laptop, "publish", **given):
        upload(laptop, "secret", images(seed=11))
        wait_for(laptop, "secret")
    assert len(in_database(server, "secret")) == 4
