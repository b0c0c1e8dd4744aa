"""Blobs and the rows that refer to them: no row points to nothing, and no blob is lost.

Equal bytes are kept once, so a blob that one asset no longer needs may be written for another at
that very moment. Whoever adds a reference, and whoever deletes a blob without any, therefore takes
turns by the blob's hash: :func:`keeping` and :func:`delete_unreferenced` are the only ways.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from service.blobs import Blobs
from service.database.engine import Session
from service.database.tables import (
    ARTIFACTS,
    ASSETS,
    DONE,
    JOBS,
    MASKS,
    RENDITIONS,
    RUN_FILES,
)
from service.parts import Parts

REFERENCES = (
    ASSETS.c.content_hash,
    RENDITIONS.c.sha256,
    ARTIFACTS.c.sha256,
    MASKS.c.sha256,
    RUN_FILES.c.sha256,
)
"""Columns that name blobs. Beside them, the payloads of jobs that are not done do."""


@dataclass(frozen=True)
class Blob:
    """Bytes to be kept, and their media type."""

    data: bytes = field(repr=False)
    content_type: str = "application/octet-stream"

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    def put(self, blobs: Blobs, *, lasting: bool) -> None:
        """Write the bytes."""
        blobs.put(self.data, self.content_type, sha256=self.sha256, lasting=lasting)


@dataclass(frozen=True, slots=True)
class BlobFile:
    """A file to be kept, its hash and its media type."""

    path: Path
    sha256: str
    content_type: str = "application/octet-stream"

    def put(self, blobs: Blobs, *, lasting: bool) -> None:
        """Write the bytes of the file."""
        blobs.put_file(self.path, self.sha256, self.content_type, lasting=lasting)


@contextmanager
def keeping(parts: Parts, *blobs: Blob | BlobFile, lasting: bool = True) -> Iterator[Session]:
    """A transaction in which to write rows that refer to these blobs, which are there then.

    The blobs are written first, outside the transaction. One that was deleted since, because
    nothing referred to it yet, is written again while nobody else can delete it.

    What can be made again need not be ``lasting``: it may be lost with the power.
    """
    for blob in blobs:
        blob.put(parts.blobs, lasting=lasting)
    with parts.database.begin(lasting=lasting) as session:
        # In order, so that two transactions never wait for each other.
        for blob in sorted(blobs, key=lambda each: each.sha256):
            _take_turns(session, blob.sha256)
            if not parts.blobs.exists(blob.sha256):
                blob.put(parts.blobs, lasting=lasting)
        yield session


def delete_unreferenced(parts: Parts, sha256: str) -> bool:
    """Delete a blob unless something refers to it; return whether it was deleted."""
    with parts.database.begin() as session:
        _take_turns(session, sha256)
        if is_referenced(session, sha256):
            return False
        parts.blobs.delete(sha256)
    return True


def forget(parts: Parts, sha256: str) -> None:
    """Delete the rows of what can be made again that refer to a blob, so that it is.

    For a blob that is missing or cut short, as a loss of power leaves what was not ``lasting``.
    """
    with parts.database.begin() as session:
        for table in (RENDITIONS, ARTIFACTS, RUN_FILES):
            session.execute(sa.delete(table).where(table.c.sha256 == sha256))


def is_referenced(session: Session, sha256: str) -> bool:
    """Whether a row, or the payload of a job that is not done, refers to a blob."""
    found = [sa.exists().where(column == sha256) for column in REFERENCES]
    return bool(session.scalar(sa.select(sa.or_(*found, named_by_job(sa.literal(sha256))))))


def named_by_job(sha256: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether the payload of a job that is not done names a blob; jobs of assets name none."""
    payload = sa.cast(JOBS.c.payload, sa.Text)
    return sa.exists().where(
        JOBS.c.state != DONE, JOBS.c.asset_id.is_(None), payload.contains(sha256)
    )


def _take_turns(session: Session, sha256: str) -> None:
    """Wait until no other transaction holds this hash. SQLite has one writer at a time anyway."""
    if session.dialect.name == "postgresql":
        number = int.from_bytes(bytes.fromhex(sha256[:16]), "big", signed=True)
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
