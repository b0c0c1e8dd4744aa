"""The workflow on the local AWS: upload → EventBridge → state machine → functions → manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fft_tool.limits import Limits
from fft_tool.stores.memory import MemoryStore
from fft_tool.workflows.run import run_workflow
from tests.support.images import noise, pink_noise, png_bytes
from tests.support.local_cloud import Laptop, started, wait_until
from tools.local_aws.clients import arn
from tools.local_aws.resource import NAME
from tools.local_aws.state_machines import state_machine_arn
from tools.local_aws.workflow import TOPIC, WORKFLOW, start_workflow

pytestmark = pytest.mark.slow

Json = dict[str, Any]

IMAGE = png_bytes(pink_noise((48, 64)))
OTHER = png_bytes(noise((40, 30), seed=1))
OPERATIONS = "grayscale,blur:1.5"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A local AWS for all tests of this module; it is removed completely afterwards."""
    with started(tmp_path_factory.mktemp("laptop") / "state") as place:
        yield place


def executions(laptop: Laptop) -> list[Json]:
    """All executions, those of EventBridge and others."""
    found = laptop.aws.states.list_executions(
        stateMachineArn=state_machine_arn(WORKFLOW), maxResults=1000
    )
    return list(found["executions"])


def about(laptop: Laptop, key: str) -> list[Json]:
    """The executions for an object."""
    described = [
        laptop.aws.states.describe_execution(executionArn=each["executionArn"])
        for each in executions(laptop)
    ]
    return [
        each for each in described if json.loads(each["input"])["detail"]["object"]["key"] == key
    ]


def ended(laptop: Laptop, key: str, count: int = 1) -> list[Json]:
    """Wait until as many executions for an object have ended."""

    def all_ended() -> bool:
        found = about(laptop, key)
        return len(found) >= count and all(each["status"] != "RUNNING" for each in found)

    wait_until(all_ended, lambda: str([each["status"] for each in about(laptop, key)]))
    return about(laptop, key)


def killed(laptop: Laptop, step: str) -> int:
    """Kill the processes that run a function; returns their number."""
    mark = f"lambda-{WORKFLOW}-{step}-"
    found = [each for each in laptop.processes() if mark in " ".join(each.cmdline())]
    for process in found:
        process.kill()
    return len(found)


def undisturbed(name: str, data: bytes, operations: str) -> dict[str, bytes]:
    """What one run of the core leaves."""
    sources, target = MemoryStore(), MemoryStore()
    sources.write(name, data, metadata={"operations": operations})
    run_workflow(sources, target, name, Limits())
    return {f"output/workflow/{each}": target.read(each).data for each, _ in target.list()}


def check(laptop: Laptop, name: str, data: bytes, operations: str) -> None:
    """The manifest and all that it lists are those of one run for the last version."""
    expected = undisturbed(name, data, operations)
    assert {each: laptop.get(each) for each in expected} == expected


def test_an_upload_with_operations_leads_to_the_results_of_the_core(
    laptop: Laptop, tmp_path: Path
) -> None:
    """By ``make drop``, which follows the execution that EventBridge has started."""
    queue = laptop.aws.sqs.create_queue(QueueName="outcomes")["QueueUrl"]
    laptop.aws.sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn("sqs", "outcomes"))
    file = tmp_path / "Größe 1.png"
    file.write_bytes(IMAGE)
    dropped = laptop.run("drop", file, "--WORKFLOW=1", f"--OPERATIONS={OPERATIONS}")
    assert dropped.code == 0, dropped.err
    assert "Größe 1.png: done" in dropped.err
    for state in ("Plan", "Process", "Analyse original", "Analyse combined", "Finish"):
        assert f"Größe 1.png: {state} " in dropped.err
    check(laptop, "Größe 1.png", IMAGE, OPERATIONS)
    assert len(dropped.lines) == len(undisturbed("Größe 1.png", IMAGE, OPERATIONS))
    assert laptop.aws.endpoint in dropped.lines[0]
    (execution,) = about(laptop, "workflow/Größe 1.png")
    assert max(len(execution["input"]), len(execution["output"])) < 32 * 1024
    (message,) = laptop.aws.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["outcome"], told["key"]) == ("done", "workflow/Größe 1.png")
    steps = [line for line in laptop.summaries() if line["key"] == "workflow/Größe 1.png"]
    assert {line["execution"] for line in steps} == {execution["name"]}
    assert {line["state"] for line in steps} == {
        *("Plan", "Process", "Analyse original", "Analyse combined", "Finish")
    }


def test_bad_operations_are_refused_before_anything_is_uploaded(
    laptop: Laptop, tmp_path: Path
) -> None:
    file = tmp_path / "bad.png"
    file.write_bytes(IMAGE)
    dropped = laptop.run("drop", file, "--WORKFLOW=1", "--OPERATIONS=bluur:3,rotate:abc")
    assert dropped.code == 1
    assert "did you mean blur?" in dropped.err
    assert "rotate:abc" in dropped.err
    assert "workflow/bad.png" not in laptop.names()
    plain = laptop.run("drop", file, "--OPERATIONS=blur:3")
    assert plain.code == 2
    assert "make drop WORKFLOW=1" in plain.err


def test_a_corrupt_image_leaves_a_rejected_manifest(laptop: Laptop, tmp_path: Path) -> None:
    file = tmp_path / "broken.png"
    file.write_bytes(IMAGE[:500])
    dropped = laptop.run("drop", file, "--WORKFLOW=1", "--OPERATIONS=invert")
    assert dropped.code == 1
    assert "broken.png: rejected: corrupt-image: " in dropped.err
    manifest = laptop.record("output/workflow/broken/manifest.json")
    assert (manifest["outcome"], manifest["error"]["code"]) == ("rejected", "corrupt-image")


def test_a_direct_start_for_the_same_version_is_one_execution(laptop: Laptop) -> None:
    laptop.put("workflow/once.png", IMAGE, operations=OPERATIONS)
    ended(laptop, "workflow/once.png")
    etag = laptop.aws.s3.head_object(Bucket=NAME, Key="workflow/once.png")["ETag"]
    first = start_workflow(laptop.aws, "workflow/once.png", etag)
    assert start_workflow(laptop.aws, "workflow/once.png", etag) == first
    found = ended(laptop, "workflow/once.png", 2)
    assert [each["status"] for each in found] == ["SUCCEEDED", "SUCCEEDED"]
    check(laptop, "once.png", IMAGE, OPERATIONS)


def test_overwrites_duplicates_and_killed_functions_end_as_one_undisturbed_run(
    laptop: Laptop,
) -> None:
    key = "workflow/hot.png"
    for place in range(3):
        laptop.put(key, png_bytes(noise((30, 30), seed=place)), operations="invert")
    etag = laptop.aws.s3.head_object(Bucket=NAME, Key=key)["ETag"]
    start_workflow(laptop.aws, key, etag)  # a second execution for a version that is outdated soon
    planned = {"key": key, "state": "Plan", "outcome": "done"}
    wait_until(lambda: any(planned.items() <= line.items() for line in laptop.summaries()))
    wait_until(lambda: killed(laptop, "process") > 0)
    laptop.put(key, OTHER, operations=OPERATIONS)
    found = ended(laptop, key, 5)
    assert {each["status"] for each in found} == {"SUCCEEDED"}
    check(laptop, "hot.png", OTHER, OPERATIONS)
