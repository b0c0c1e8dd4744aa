"""A worker in a process of its own, which does jobs of the tests' own kind.

Run it as ``python -m tests.support.job_worker``, with the settings of a service in its environment.
Its leases are short, so that tests need not wait for long.

A job's payload names a folder: the work writes the job's number to ``begun`` there, works on an
image in the child process, waits for a file ``go``, and writes its result as a row.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path

import numpy as np

from fft_tool.codec import png_encode
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Source
from fft_tool.runs.child import Child
from service.database.rows import upsert
from service.database.tables import TENANTS
from service.jobs import table, worker
from service.jobs.table import Job
from service.parts import Parts, make_parts
from service.settings import Settings
from tests.support.service_jobs import KIND

LEASE = 1.5  # seconds


def work(parts: Parts, job: Job, child: Child) -> None:
    """Do a job."""
    folder = Path(job.payload["folder"])
    image = Source("a.png", png_encode.encode(np.zeros((64, 64), np.uint8)))
    child.run(image, Recipe(), parts.settings.limits, patience=lambda _: 60)
    with (folder / "begun").open("a") as begun:
        begun.write(f"{job.id}\n")
    while not (folder / "go").exists():
        time.sleep(0.01)
    values = {"name": f"result of job {job.id}", "created_at": parts.clock.now()}
    with parts.database.begin() as session:
        upsert(session, TENANTS, ["name"], values)


def main() -> None:
    """Do jobs until the process is told to stop."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    table.LEASE = LEASE
    worker.RENEWING = LEASE / 3
    parts = make_parts(Settings.from_environ(os.environ))
    worker.FINISHING = float(os.environ["FINISHING"])
    worker.run_worker(parts, {KIND: work})
    parts.close()


if __name__ == "__main__":
    main()
