"""The look at jobs: what is started, what waits, and what the log tells CloudWatch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from fft_tool.batches.aws import ATTEMPTS, Machine, execution_name
from fft_tool.errors import StoreUnavailable
from fft_tool.stores.base import Entry
from handler.batches import Steps
from handler.batches_database import Database
from handler.batches_settings import BatchesSettings
from handler.batches_sweep import HOUR, Sweep
from handler.deadline import Deadline
from handler.errors import MalformedEvent
from handler.log import Log
from tests.handler.test_batches import SHAPE, deadline, job, run
from tests.support.samples import BUCKET, FUNCTION, REQUEST, Context, NotedStore, child, lines

ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:fft-batches"
NOW = 1_000_000.0  # seconds since 1970

Json = dict[str, Any]


@dataclass
class States:
    """Step Functions as far as executions of one machine go: each name can be used once."""

    running: dict[str, bool] = field(default_factory=dict)
    inputs: list[Json] = field(default_factory=list)
    on_start: Callable[[], object] = lambda: None

    class exceptions:  # noqa: N801  (as in boto3)
        """The errors of the client."""

        class ExecutionAlreadyExists(Exception):
            """The name has been used."""

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803  (as in boto3)
        assert stateMachineArn == ARN
        assert len(name) <= 80
        if name in self.running:
            raise self.exceptions.ExecutionAlreadyExists
        self.running[name] = True
        self.inputs.append(json.loads(input))
        self.on_start()

    def describe_execution(self, *, executionArn: str) -> Json:  # noqa: N803  (as in boto3)
        name = executionArn.removeprefix(ARN.replace("stateMachine", "execution") + ":")
        return {"status": "RUNNING" if self.running[name] else "FAILED"}

    def end_all(self) -> None:
        """All executions end."""
        self.running = dict.fromkeys(self.running, False)


class Dated(NotedStore):
    """Objects that were all written at ``written``."""

    written = NOW

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        return (replace(entry, modified=self.written) for entry in super().entries(prefix))


@pytest.fixture
def states() -> States:
    return States()


Make = Callable[..., Sweep]


@pytest.fixture
def sweep(states: States) -> Make:
    def make(store: NotedStore, *, clock: float = NOW, **variables: str) -> Sweep:
        settings = BatchesSettings.from_environ({**SHAPE, **variables})
        log = Log("fft-pipeline")
        log.begin(FUNCTION, REQUEST)
        made = Steps(settings, lambda *_: store, child, Database(settings))
        return Sweep(settings, made, log, Machine(ARN, lambda _: states), lambda: clock)

    return make


def events(*keys: str, kind: str = "Object Created") -> Json:
    """Messages of a queue, each with an event of EventBridge."""
    bodies = (
        {
            "detail-type": kind,
            "source": "aws.s3",
            "detail": {"bucket": {"name": BUCKET}, "object": {"key": key}},
        }
        for key in keys
    )
    records = [
        {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": json.dumps(body)}
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def logged(capfdbinary: pytest.CaptureFixture[bytes]) -> list[Json]:
    return lines(capfdbinary.readouterr().out)


UPLOADS = [f"batches/leaves/batch_{b}/{n}.png" for b in (1, 2) for n in (1, 2, 3)]


def test_uploads_that_complete_a_job_start_it_once(sweep: Make, states: States) -> None:
    answer = sweep(job())(events(*UPLOADS, *UPLOADS), deadline())
    assert answer == {"batchItemFailures": []}
    assert states.inputs == [{"bucket": BUCKET, "job": "leaves"}]
    sweep(job())(events(UPLOADS[0]), deadline())


def test_many_events_about_a_job_are_one_look(sweep: Make) -> None:
    store = job()
    sweep(store)(events(*(UPLOADS * 20)), deadline())
    listed = [call for call in store.calls if call.startswith("read output/")]
    assert len(listed) <= 1


def test_uploads_to_an_incomplete_job_start_nothing(
    sweep: Make, states: States, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    sweep(job(images=2))(events("batches/leaves/batch_1/2.png"), deadline())
    assert not states.inputs
    (line,) = logged(capfdbinary)
    assert (line["outcome"], line["level"]) == ("waiting", "INFO")
    assert line["reasons"] == [
        "batch_1: 2 of 3 images are there",
        "batch_2: 2 of 3 images are there",
    ]


def test_a_deletion_can_complete_a_job(sweep: Make, states: States) -> None:
    sweep(job())(events("batches/leaves/batch_1/4.png", kind="Object Deleted"), deadline())
    assert len(states.inputs) == 1


@pytest.mark.parametrize("key", ["batches/readme.txt", "input/a.png", "batches/.trash/a.png"])
def test_objects_that_belong_to_no_job_are_ignored(sweep: Make, states: States, key: str) -> None:
    store = job()
    assert sweep(store)(events(key), deadline()) == {"batchItemFailures": []}
    assert not states.inputs
    assert not store.calls


def test_a_published_job_is_left_alone(sweep: Make, states: States) -> None:
    store = job()
    run(store)
    sweep(store)({"bucket": BUCKET}, deadline())
    assert not states.inputs


def test_a_late_correction_starts_the_job_again_under_another_name(
    sweep: Make, states: States
) -> None:
    store = job()
    made = sweep(store)
    made(events(*UPLOADS), deadline())
    run(store)
    states.end_all()
    store.upload(UPLOADS[0], job().read(UPLOADS[1]).data)
    made(events(UPLOADS[0]), deadline())
    first, second = states.running
    assert first.startswith("leaves-1-")
    assert second.startswith("leaves-2-")


def test_a_marker_without_rows_is_started_again_unless_it_is_at_work(
    sweep: Make, states: States
) -> None:
    store = job()
    made = sweep(store)
    made.steps.detect({"bucket": BUCKET, "job": "leaves"}, deadline())  # and then it was killed
    answers = [made({"bucket": BUCKET}, deadline())["jobs"][0]["outcome"] for _ in range(2)]
    assert answers == ["started", "running"]
    states.end_all()
    assert made({"bucket": BUCKET}, deadline())["jobs"][0]["outcome"] == "started"
    assert [name.rpartition("-")[2] == "2" for name in states.running] == [False, True]


def test_a_job_that_fails_again_and_again_is_given_up_and_named(
    sweep: Make, states: States, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    made = sweep(job())
    for _ in range(ATTEMPTS):
        made({"bucket": BUCKET}, deadline())
        states.end_all()
    assert len(states.running) == ATTEMPTS
    capfdbinary.readouterr()
    made({"bucket": BUCKET}, deadline())
    (line, summary) = logged(capfdbinary)
    assert (line["job"], line["outcome"], line["level"]) == ("leaves", "given-up", "WARN")
    assert summary["JobsGivenUp"] == 1


def test_a_job_that_waits_too_long_is_named_with_what_is_missing_and_counted(
    sweep: Make, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    store = Dated(job(images=2).outputs("batches"))
    sweep(store, clock=NOW + 25 * HOUR)({"bucket": BUCKET}, deadline())
    (line, summary) = logged(capfdbinary)
    assert line["level"] == "WARN"
    assert line["message"] == (
        "leaves: overdue (the last upload was 25.0 h ago): "
        "batch_1: 2 of 3 images are there; batch_2: 2 of 3 images are there"
    )
    (metrics,) = summary["_aws"]["CloudWatchMetrics"]
    assert {"Name": "JobsOverdue", "Unit": "Count"} in metrics["Metrics"]
    assert (summary["JobsOverdue"], summary["FunctionName"]) == (1, FUNCTION)


def test_a_job_that_has_waited_for_less_than_the_setting_is_not_overdue(
    sweep: Make, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    store = Dated(job(images=2).outputs("batches"))
    sweep(store, clock=NOW + 23 * HOUR)({"bucket": BUCKET}, deadline())
    (line, summary) = logged(capfdbinary)
    assert (line["level"], summary["JobsOverdue"], summary["JobsWaiting"]) == ("INFO", 0, 1)


def test_a_job_that_cannot_be_looked_at_does_not_stop_the_others(
    sweep: Make, states: States, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    store = job()
    for name, data in job().outputs("batches").items():
        store.upload(name.replace("leaves", "broken"), data)
    store.upload("batches/broken/job.json", b"{}")

    def away(call: str) -> None:
        if call == "read batches/broken/job.json":
            raise StoreUnavailable("throttled")

    store.meddle = away
    with pytest.raises(StoreUnavailable, match="throttled"):
        sweep(store)({"bucket": BUCKET}, deadline())
    assert [each["job"] for each in states.inputs] == ["leaves"]
    assert {line.get("job") for line in logged(capfdbinary)} == {"broken", "leaves", None}


def test_jobs_for_which_there_is_no_time_come_first_in_a_later_sweep(
    sweep: Make, states: States, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    store = job()
    for name, data in job().outputs("batches").items():
        store.upload(name.replace("leaves", "roots"), data)
    for clock in (NOW, NOW + 1):
        context = Context()
        states.on_start = partial(setattr, context, "remaining", 0)
        made = sweep(store, clock=clock)
        made({"bucket": BUCKET}, Deadline(context.get_remaining_time_in_millis, 2000))
    assert [each["job"] for each in states.inputs] == ["leaves", "roots"]
    summaries = [line for line in logged(capfdbinary) if "JobsNotReached" in line]
    assert [line["JobsNotReached"] for line in summaries] == [1, 1]


def test_an_event_of_a_job_that_cannot_be_looked_at_is_delivered_again(sweep: Make) -> None:
    store = job()

    def away(call: str) -> None:
        raise StoreUnavailable(call)

    store.upload("batches/leaves/job.json", b"{}")
    store.meddle = away
    answer = sweep(store)(events(UPLOADS[0], "input/a.png"), deadline())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def test_settings_of_a_job_that_are_wrong_are_told(
    sweep: Make, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    store = job()
    store.upload("batches/leaves/job.json", b'{"batchs": 2}')
    sweep(store)(events(UPLOADS[0]), deadline())
    (line,) = logged(capfdbinary)
    assert "batchs: unknown setting" in line["message"]


@pytest.mark.parametrize("event", [{"bucket": BUCKET, "job": ""}, {"bucket": "another"}, {}, []])
def test_an_event_of_the_wrong_form_is_refused(sweep: Make, event: Any) -> None:
    with pytest.raises(MalformedEvent):
        sweep(job(), FFT_BUCKET=BUCKET)(event, deadline())


@pytest.mark.parametrize("name", ["a" * 200, "Größe/1", "-", "two  words", "ünï"])
def test_names_of_executions_are_what_aws_allows_with_room_for_attempts(name: str) -> None:
    import re  # noqa: PLC0415  (only here)

    made = execution_name(name, 12345, "0123456789abcdef" * 4)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,77}", made)


def test_jobs_whose_names_look_alike_have_executions_of_their_own() -> None:
    names = ("le ves", "le?ves", "le-ves", "Größe", "Grüße")
    assert len({execution_name(name, 1, "key") for name in names}) == len(names)
