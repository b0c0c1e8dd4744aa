"""The sweep: jobs of workers that died, and files that nothing refers to.

It may run in several processes at once. Files that are new are left alone: what refers to them may
be about to be written.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from service.jobs import table
from service.parts import Parts

OLD = timedelta(hours=1)
"""Age from which a file that nothing refers to is deleted."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: jobs taken back from dead workers, blobs and files deleted."""

    jobs: int
    blobs: int
    files: int

    def __str__(self) -> str:
        return f"{self.jobs} jobs taken back, {self.blobs} blobs and {self.files} files deleted"


def sweep(parts: Parts) -> Swept:
    """Take back the jobs of workers that died, and delete what nothing refers to."""
    swept = Swept(recover(parts), delete_orphans(parts), delete_left_over(parts))
    if swept != Swept(0, 0, 0):
        _log.info("sweep: %s", swept)
    return swept


def recover(parts: Parts) -> int:
    """Queue the jobs of workers that died again, or poison them; return how many there were."""
    now = parts.clock.now()
    with parts.database.read() as session:
        if not table.has_lost(session, now=now):
            return 0
    with parts.database.begin() as session:
        jobs = table.recover(session, now=now)
    for job in jobs:
        _log.warning("job %d (%s): its worker %s died", job.id, job.kind, job.worker)
    return len(jobs)
