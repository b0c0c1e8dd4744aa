"""The command backfill on the local AWS: a bucket that is full already, and the engine map."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fft_tool
from tests.support.command import SECONDS, Finished, environment
from tests.support.images import noise, png_bytes
from tests.support.local_cloud import Laptop, started, wait_until
from tools.local_aws.backfill import STATE_MACHINE
from tools.local_aws.clients import ACCOUNT
from tools.local_aws.resource import NAME, role
from tools.local_aws.state_machines import state_machine_arn

pytestmark = pytest.mark.slow

IMAGES = {f"full/{number:02} ä.png": png_bytes(noise((8 + number, 30))) for number in range(60)}
BAD = "full/corrupt.png"
URL = f"s3://{NAME}/input/full"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A local AWS whose bucket was filled while nothing listened."""
    with started(tmp_path_factory.mktemp("aws") / "state") as place:
        with place.paused():
            for name, data in IMAGES.items():
                place.put(f"input/{name}", data)
            place.put(f"input/{BAD}", next(iter(IMAGES.values()))[:100])
            place.put("input/full/notes.txt", b"not an image")
            place.put("input/elsewhere.png", next(iter(IMAGES.values())))
            queue = place.aws.sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
            place.aws.sqs.purge_queue(QueueUrl=queue)
        yield place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def own_environment(laptop: Laptop) -> dict[str, str]:
    arn = state_machine_arn(STATE_MACHINE)
    return environment(
        **laptop.aws.variables,
        BACKFILL_STATE_MACHINE=arn,
        AWS_EC2_METADATA_DISABLED="true",
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    )


def backfill(laptop: Laptop, folder: Path, *words: str) -> Finished:
    return shell(laptop, folder, shlex.join(["fft-tool", "backfill", *words]))


def shell(laptop: Laptop, folder: Path, line: str) -> Finished:
    """Run a line as it was printed."""
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=own_environment(laptop),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr.decode())


def versions(laptop: Laptop) -> dict[str, Any]:
    """When each result was written; a result that is written again has another time."""
    pages = laptop.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=NAME, Prefix="output/")
    return {
        entry["Key"]: (entry["ETag"], entry["LastModified"])
        for page in pages
        for entry in page.get("Contents", ())
        if "/backfill/" not in entry["Key"]
    }


def test_a_dry_run_tells_what_it_would_take_and_starts_nothing(
    laptop: Laptop, folder: Path
) -> None:
    done = backfill(laptop, folder, URL, "--dry-run")
    assert done.code == 0
    assert "61 images" in done.err
    assert "about $0.00: compute" in done.err
    assert versions(laptop) == {}


def test_it_does_not_start_unless_somebody_agrees(laptop: Laptop, folder: Path) -> None:
    done = backfill(laptop, folder, URL)
    assert done.code == 2
    assert "it asks before it starts: add --yes where nobody can answer" in done.err
    assert versions(laptop) == {}


def test_all_images_of_a_full_bucket_are_analysed_once(laptop: Laptop, folder: Path) -> None:
    """The bytes are those of the command line; the failure is named, with a command that works."""
    done = backfill(laptop, folder, URL, "--yes", "--recipe", "bits=16")
    assert done.code == 1, done.err
    assert f"input/{BAD}: rejected: corrupt-image: " in done.err
    run_id, again = done.out.decode().splitlines()
    recipe = fft_tool.Recipe(bits=16, metadata=True)
    for name, data in IMAGES.items():
        for artifact in fft_tool.run(fft_tool.Source(name, data), recipe):
            assert laptop.get(f"output/{artifact.name}") == artifact.data
    assert "output/elsewhere_metadata.json" not in laptop.names()
    assert "output/full/notes.txt_metadata.json" not in laptop.names()
    # The same once more starts nothing.
    before = versions(laptop)
    twice = backfill(laptop, folder, URL, "--yes", "--recipe", "bits=16")
    assert twice.out.decode().splitlines() == [run_id, again]
    assert versions(laptop) == before
    # The command that is printed runs what failed, and only that.
    laptop.put(f"input/{BAD}", next(iter(IMAGES.values())))
    laptop.wait_for_names([f"output/{BAD.removesuffix('.png')}_magnitude.png"])
    redone = shell(laptop, folder, again)
    assert redone.code == 0, redone.err
    assert "1 of 1" in redone.err
    assert "nothing failed" in redone.err
    assert laptop.record(f"output/{BAD.removesuffix('.png')}_metadata.json")["outcome"] == "done"
    # A run can be looked at afterwards.
    status = backfill(laptop, folder, "status", run_id)
    assert status.code == 1
    assert "62 of 62" in status.err  # with the file that is not an image


def test_a_prefix_that_the_function_ignores_is_refused_before_a_job_is_made(
    laptop: Laptop, folder: Path
) -> None:
    """S3 Batch Operations would report all of its objects as successes."""
    laptop.put("elsewhere/a.png", next(iter(IMAGES.values())))
    function = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:{NAME}"
    words = ("--engine", "batch", "--function", function, "--role", role(NAME), "--yes")
    done = backfill(laptop, folder, f"s3://{NAME}/elsewhere", *words)
    assert done.code == 1
    assert "elsewhere/: the function analyses only what is below input/" in done.err


def test_skip_existing_touches_nothing_that_is_done(laptop: Laptop, folder: Path) -> None:
    words = (URL, "--yes", "--recipe", "bits=16", "--skip-existing")
    assert backfill(laptop, folder, *words).code == 0
    before = versions(laptop)
    assert backfill(laptop, folder, *words, "--run", "second").code == 0
    assert versions(laptop) == before
    name = next(iter(IMAGES))
    with laptop.paused():
        laptop.put(f"input/{name}", png_bytes(noise((9, 9))))
        assert backfill(laptop, folder, *words).code == 0
    changed = {key for key, version in versions(laptop).items() if version != before[key]}
    assert changed == {
        key for key in before if key.startswith(f"output/{name.removesuffix('.png')}")
    }
    laptop.put(f"input/{name}", IMAGES[name])


def test_a_scan_becomes_one_table_and_no_other_result(laptop: Laptop, folder: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    laptop.put(f"input/{BAD}", next(iter(IMAGES.values()))[:100])
    wait_until(lambda: laptop.record("output/full/corrupt_metadata.json")["outcome"] == "rejected")
    before = versions(laptop)
    done = backfill(laptop, folder, URL, "--yes", "--table", "scan.parquet", "--run", "scan-1")
    assert done.code == 1, done.err
    assert versions(laptop) == before
    rows = duckdb.sql(f"from '{folder}/scan.parquet' select name, outcome, error_code, height")
    found = {name: rest for name, *rest in rows.fetchall()}
    assert found.keys() == IMAGES.keys() | {BAD}
    assert found[BAD] == ["rejected", "corrupt-image", None]
    assert found["full/07 ä.png"] == ["done", None, 15]
    again = done.out.decode().splitlines()[-1]
    assert "--table scan-again.parquet" in again


def test_what_is_interrupted_goes_on_and_can_be_looked_at(laptop: Laptop, folder: Path) -> None:
    following = subprocess.Popen(
        [sys.executable, "-m", "fft_tool", "backfill", URL, "--yes", "--run", "interrupted"],
        cwd=folder,
        env=own_environment(laptop),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509  (no other way to set the handler)
    )
    assert following.stdout
    run_id = following.stdout.readline().strip()
    time.sleep(0.5)
    following.send_signal(signal.SIGINT)
    _, err = following.communicate(timeout=SECONDS)
    assert following.returncode == 130
    assert f"it goes on; look again: fft-tool backfill status {run_id}" in err

    def ended() -> bool:
        return "still running" not in backfill(laptop, folder, "status", run_id).err

    wait_until(ended)
    status = backfill(laptop, folder, "status", run_id)
    assert f"input/{BAD}: rejected" in status.err
    assert os.listdir(folder) == ["fft-backfill-interrupted-failed.txt"]  # noqa: PTH208  (names only)
