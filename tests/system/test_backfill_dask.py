"""The engine dask on a real cluster of two workers, one of which is killed on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import fft_tool
from fft_tool.backfill.cluster import run_on_cluster
from fft_tool.backfill.parts import SCAN, Line, rows_of
from fft_tool.errors import EngineUnavailable
from fft_tool.mask_files import resolve_masks
from fft_tool.recipe import Recipe
from fft_tool.runs.many import Job
from fft_tool.runs.sources import find_sources
from tests.support.command import SECONDS, environment
from tests.support.images import noise, png_bytes
from tests.support.local_cloud import free_port, wait_until

pytestmark = pytest.mark.slow

IMAGES = {f"{number:02}.png": png_bytes(noise((300, 300))) for number in range(40)}
MASK = png_bytes(noise((300, 300), seed=1))
MASKED = resolve_masks(Recipe(metadata=True, filter="mask:a.png"), lambda _: MASK)
"""A recipe whose mask no worker can read: it has to come along."""


@dataclass(frozen=True)
class Cluster:
    """A scheduler and its workers, as processes of their own."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    where = ["--host", "127.0.0.1", "--no-dashboard"]
    programs = [
        ["distributed.cli.dask_scheduler", *where, "--port", str(port)],
        *(
            ["distributed.cli.dask_worker", address, *where, "--nthreads", "1", "--no-nanny"]
            for _ in range(2)
        ),
    ]
    processes = []
    try:
        for module, *words in programs:
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-W", "ignore", "-m", module, *words],
                    cwd=tmp_path,
                    env=environment(DASK_TEMPORARY_DIRECTORY=str(tmp_path)),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        wait_until(lambda: workers_of(address) == 2)
        yield Cluster(address, processes[1:])
    finally:
        for process in processes:
            process.kill()
            process.wait()


def workers_of(address: str) -> int:
    from distributed import Client  # noqa: PLC0415  (takes half a second)

    try:
        with Client(address, timeout=5) as client:  # type: ignore[no-untyped-call]
            return len(client.scheduler_info()["workers"])
    except OSError:
        return 0


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    for name, data in IMAGES.items():
        (folder / name).write_bytes(data)
    (folder / "bad.png").write_bytes(IMAGES["00.png"][:500])
    return folder


def run(cluster: Cluster, sources: Path, job: Job) -> Iterator[Line]:
    refs = find_sources([str(sources)], stdin=None)
    return run_on_cluster(refs, job, cluster.address, per_task=2)


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_is_killed_half_way_loses_nothing(
    cluster: Cluster, sources: Path, tmp_path: Path
) -> None:
    target = tmp_path / "results"
    job = Job(MASKED, target=str(target))
    lines = []
    for line in run(cluster, sources, job):
        lines.append(line)
        if len(lines) == 10:
            cluster.workers[0].send_signal(signal.SIGKILL)
            cluster.workers[0].wait()
    assert sorted(Path(line.key).name for line in lines) == sorted([*IMAGES, "bad.png"])
    assert [Path(line.key).name for line in lines if line.failed] == ["bad.png"]
    for name, data in IMAGES.items():
        for artifact in fft_tool.run(fft_tool.Source(name, data), MASKED):
            assert (target / artifact.name).read_bytes() == artifact.data
    # What is there is left out the next time.
    again = Job(MASKED, target=str(target), skip_existing=True)
    outcomes = [line.outcome for line in run(cluster, sources, again)]
    assert sorted(outcomes) == ["rejected", *["skipped"] * len(IMAGES)]


@pytest.mark.filterwarnings("ignore")
def test_rows_of_a_scan_come_straight_back(cluster: Cluster, sources: Path) -> None:
    job = Job(Recipe.parse({**SCAN, "metadata": "yes"}))
    rows = rows_of(list(run(cluster, sources, job)))
    found = {row["name"]: row["outcome"] for row in rows}
    assert found == {**dict.fromkeys(IMAGES, "done"), "bad.png": "rejected"}


@pytest.mark.filterwarnings("ignore")
def test_the_command_line_runs_on_a_cluster(
    cluster: Cluster, sources: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fft_tool", "backfill", str(sources), "--engine", "dask"),
            *("--cluster", cluster.address, "--table", "scan.parquet"),
        ],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "bad.png: rejected: corrupt-image" in done.stderr
    assert done.stdout.startswith(f"fft-tool backfill {sources} --engine dask --cluster tcp://")
    assert (tmp_path / "scan.parquet").read_bytes()[:4] == b"PAR1"
    assert "scan.parquet" in os.listdir(tmp_path)  # noqa: PTH208  (names only)


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_does_not_answer_is_named(sources: Path) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(EngineUnavailable, match=f"{address}: no Dask scheduler answers"):
        list(run(Cluster(address, []), sources, Job(Recipe(metadata=True))))
