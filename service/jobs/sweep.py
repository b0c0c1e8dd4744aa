"""The sweep: jobs of workers that died, files that nothing refers to, sessions that have ended.

It may run in several processes at once. Files that are new are left alone: what refers to them may
be about to be written.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from fft_tool.stores.folder import PART_PREFIX, FolderStore
from service.jobs import table
from service.jobs.queue import FILE
from service.parts import Parts
from service.references import REFERENCES, delete_unreferenced
from service.sessions import delete_ended

OLD = timedelta(hours=1)
"""Age from which a file that nothing refers to is deleted."""

AT_ONCE = 500  # blobs that the database is asked for

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
    delete_ended(parts)
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


def delete_orphans(parts: Parts) -> int:
    """Delete old blobs to which nothing refers; return how many there were."""
    before = (parts.clock.now() - OLD).timestamp()
    old = [
        blob.sha256
        for blob in parts.blobs.entries()
        if blob.modified is not None and blob.modified < before
    ]
    return sum(delete_unreferenced(parts, sha256) for sha256 in _unreferenced(parts, old))


def delete_left_over(parts: Parts) -> int:
    """Delete old temporary files, whose writers have died; return how many there were."""
    settings = parts.settings
    age = max(OLD, 2 * timedelta(seconds=settings.upload_seconds))
    before = (parts.clock.now() - age).timestamp()
    count = 0
    for path in _temporary_files(parts):
        with suppress(FileNotFoundError):  # another sweep was first
            if path.stat().st_mtime < before:
                path.unlink()
                count += 1
    return count


def _temporary_files(parts: Parts) -> Iterator[Path]:
    """Files that arrive, and those that are not yet under their final name."""
    settings = parts.settings
    for path in settings.temporary.glob("*"):
        if path.is_file() and not path.name.startswith(FILE):
            yield path
    folders = [settings.processed_images]
    if isinstance(parts.blobs.store, FolderStore):
        folders.append(parts.blobs.store.root)
    for folder in folders:
        yield from folder.rglob(f"{PART_PREFIX}*.part")


def _unreferenced(parts: Parts, blobs: Sequence[str]) -> Iterator[str]:
    """Those of the blobs to which nothing seems to refer; asks the database for many at once."""
    for start in range(0, len(blobs), AT_ONCE):
        some = blobs[start : start + AT_ONCE]
        named = sa.union_all(*(sa.select(name).where(name.in_(some)) for name in REFERENCES))
        with parts.database.read() as session:
            referenced = set(session.execute(named).scalars())
        yield from (sha256 for sha256 in some if sha256 not in referenced)
