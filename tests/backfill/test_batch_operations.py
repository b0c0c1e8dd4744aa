"""The engine batch: requests and answers by botocore's model, and the function as S3 calls it."""

from __future__ import annotations

import csv
import io
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest

from fft_tool.backfill.batch_operations import BatchOperations, failures_in
from fft_tool.backfill.run import Order, Progress
from fft_tool.errors import EngineRefused
from fft_tool.stores.opening import open_store
from tests.support.cloud import Bucket
from tests.support.deliveries import batch
from tests.support.images import noise, png_bytes
from tests.support.s3_control import S3Control, batch_operations
from tests.support.samples import Context, NotedStore, function

ACCOUNT = "111122223333"
FUNCTION = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:spectra"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/spectra-batch-operations"
IMAGE = png_bytes(noise((6, 8)))


@pytest.fixture
def control(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Control]:
    """The stand-in, beside a bucket that is there."""
    assert bucket.keys() == []
    find = socket.getaddrinfo

    def find_stand_in(host: str, *rest: Any, **more: Any) -> Any:
        """The client prepends the account to the name of the host, which is an address here."""
        return find(host.removeprefix(f"{ACCOUNT}."), *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", find_stand_in)
    with batch_operations() as (made, url):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3_CONTROL", url)
        yield made


def order(bucket: Bucket, **more: Any) -> Order:
    recipe = {"bits": "16", "crop": "square"}
    return Order(bucket.name, "input/plants/", "run-1", recipe, **more)


def engine() -> BatchOperations:
    return BatchOperations(FUNCTION, ROLE)


def test_a_job_is_created_as_the_model_allows_and_says_what_to_do(
    control: S3Control, bucket: Bucket
) -> None:
    job = engine().start(order(bucket, skip_existing=True)).run_id
    (made,) = control.requests
    assert job == f"arn:aws:s3:eu-central-1:{ACCOUNT}:job/{next(iter(control.jobs))}"
    assert made["AccountId"] == ACCOUNT
    assert made["RoleArn"] == ROLE
    assert made["Operation"]["LambdaInvoke"] == {
        "FunctionArn": FUNCTION,
        "InvocationSchemaVersion": "2.0",
        "UserArguments": {"bits": "16", "crop": "square", "skip-existing": "yes"},
    }
    assert made["Report"] == {
        "Bucket": f"arn:aws:s3:::{bucket.name}",
        "Format": "Report_CSV_20180820",
        "Enabled": True,
        "Prefix": "backfill/reports",
        "ReportScope": "FailedTasksOnly",
    }
    names = made["ManifestGenerator"]["S3JobManifestGenerator"]["Filter"]["KeyNameConstraint"]
    assert names["MatchAnyPrefix"] == ["input/plants/"]
    assert {".png", ".PNG", ".npy"} <= set(names["MatchAnySuffix"])


def test_a_job_that_is_started_twice_runs_once(control: S3Control, bucket: Bucket) -> None:
    assert engine().start(order(bucket)) == engine().start(order(bucket))
    assert len(control.jobs) == 1


def test_only_some_keys_are_run_by_a_list_in_the_bucket(control: S3Control, bucket: Bucket) -> None:
    keys = ("input/a b.png", 'input/"quoted", too.png', "input/ü\n.png")
    engine().start(order(bucket, keys=keys))
    (made,) = control.requests
    place = made["Manifest"]["Location"]["ObjectArn"]
    name = place.removeprefix(f"arn:aws:s3:::{bucket.name}/")
    rows = list(csv.reader(io.StringIO(bucket.get(name).decode())))
    assert [(row[0], unquote(row[1])) for row in rows] == [(bucket.name, key) for key in keys]
    assert made["Manifest"]["Location"]["ETag"] == bucket.head(name)["ETag"].strip('"')
    assert made["Manifest"]["Spec"]["Fields"] == ["Bucket", "Key"]


def test_progress_is_that_of_the_job(control: S3Control, bucket: Bucket) -> None:
    run = engine().start(order(bucket)).run_id
    job = next(iter(control.jobs.values()))
    job["Status"] = "Preparing"
    assert engine().progress(run) == Progress(None, 0, 0)
    job |= {"Status": "Active", "ProgressSummary": counts(60, 10, 2)}
    assert engine().progress(run) == Progress(60, 10, 2)
    job |= {"Status": "Complete", "ProgressSummary": counts(60, 58, 2)}
    assert engine().progress(run) == Progress(60, 58, 2, ended=True)
    reason = {"FailureCode": "AccessDenied", "FailureReason": "the role"}
    job |= {"Status": "Failed", "FailureReasons": [reason]}
    assert engine().progress(run) == Progress(60, 58, 2, ended=True, fault="AccessDenied: the role")


def counts(total: int, succeeded: int, failed: int) -> dict[str, int]:
    return {
        "TotalNumberOfTasks": total,
        "NumberOfTasksSucceeded": succeeded,
        "NumberOfTasksFailed": failed,
    }


def test_what_a_job_was_created_for_can_be_told_from_it(control: S3Control, bucket: Bucket) -> None:
    wanted = order(bucket, skip_existing=True)
    run = engine().start(wanted).run_id
    assert control.jobs
    found = BatchOperations.of_job(run)
    assert found.order(run) == wanted
    assert found.deployment == {"--function": FUNCTION, "--role": ROLE}


def test_failures_come_from_the_report_of_the_job(control: S3Control, bucket: Bucket) -> None:
    """The rows are made of what the function answers to the payload that Amazon documents."""
    run = engine().start(order(bucket)).run_id
    (job_id,) = control.jobs
    store = NotedStore({"input/good.png": IMAGE, "input/b äd.png": IMAGE[:80]})
    keys = ("input/good.png", "input/b äd.png", "input/gone.png")
    event = batch(bucket.name, *keys, version=2, arguments={"bits": "16"})
    answers = {each["taskId"]: each for each in function(store)(event, Context())["results"]}
    file = io.StringIO(newline="")
    for task in event["tasks"]:
        told = answers[task["taskId"]]
        status = "succeeded" if told["resultCode"] == "Succeeded" else "failed"
        csv.writer(file).writerow(
            [bucket.name, task["s3Key"], "", status, told["resultCode"], 200, told["resultString"]]
        )
    folder = f"backfill/reports/job-{job_id}"
    results = [{"TaskExecutionStatus": "failed", "Key": f"{folder}/results/1.csv"}]
    bucket.put(f"{folder}/results/1.csv", file.getvalue().encode())
    bucket.put(f"{folder}/manifest.json", json.dumps({"Results": results}).encode())
    control.jobs[job_id] |= {"Status": "Complete", "ProgressSummary": counts(3, 1, 2)}
    found = [(line.key, line.outcome, line.code) for line in engine().failures(run)]
    assert found == [
        ("input/b äd.png", "rejected", "corrupt-image"),
        ("input/gone.png", "missing", "not-found"),
    ]


def test_a_function_that_gave_no_answer_is_a_failure_of_its_own() -> None:
    row = f"b,{quote('input/a b.png')},,failed,500,,Lambda.Unknown: timed out\n"
    (line,) = failures_in(row.encode())
    assert (line.key, line.outcome, line.code) == ("input/a b.png", "failed", "500")
    assert line.message == "Lambda.Unknown: timed out"


def test_a_table_is_refused_and_names_the_engine_that_makes_one(bucket: Bucket) -> None:
    with pytest.raises(EngineRefused, match="--table needs --engine map"):
        engine().start(order(bucket, table=True))


@pytest.mark.parametrize(
    ("function_arn", "role", "told"),
    [("spectra", ROLE, "'spectra' is not the ARN of a function"), (FUNCTION, "me", "of a role")],
)
def test_names_that_are_not_arns_are_refused(function_arn: str, role: str, told: str) -> None:
    with pytest.raises(EngineRefused, match=told):
        BatchOperations(function_arn, role)


def test_an_object_whose_results_are_there_is_not_read(bucket: Bucket) -> None:
    """The argument skip-existing is not taken for a key of the recipe."""
    store = NotedStore({"input/a.png": IMAGE})
    event = batch(bucket.name, "input/a.png", version=2, arguments={"bits": "16"})
    function(store)(event, Context())
    event["job"]["userArguments"]["skip-existing"] = "yes"
    store.calls.clear()
    (result,) = function(store)(event, Context())["results"]
    assert result["resultCode"] == "Succeeded"
    assert store.calls == ["stat input/a.png", "stat output/a_metadata.json"]
    assert open_store(bucket.url).url == bucket.url
