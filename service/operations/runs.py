"""Runs of operations on assets: each list once for each asset, by a job, with files that are kept.

A run is the workflow of :mod:`fft_tool.workflows`. Its files can be purged as artifacts can, and
are made again when the same operations are run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fft_tool.operations.registry import format_operations, parse_operations
from fft_tool.validate import Json
from fft_tool.workflows.plan import file_names, folder_of, parse_recipe
from service.catalogue.assets import asset_row
from service.catalogue.kept import NOTED, Kept
from service.database.engine import Session
from service.database.rows import insert_once, upsert
from service.database.tables import DONE, FAILED, OPERATION_RUNS, RUN_FILES
from service.errors import NotHere
from service.jobs import table
from service.parts import Parts
from service.references import Blob, keeping

KIND = "operate"
"""Kind of the job of a run."""

PURGED = "purged"
"""State of a run that was done, and has lost files since; the others are those of its job."""

CHANGES = "changes.json"
"""File with what each operation alone has changed, beside those of the workflow."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file of a run: its name relative to the manifest, its role, media type and size."""

    name: str
    role: str
    content_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run, what has been done of it, and what it has made."""

    run_id: int
    asset_id: int
    operations: str
    state: str
    progress: Sequence[Json]
    error_code: str | None
    error_message: str | None
    files: tuple[RunFile, ...]

    def file(self, name: str) -> RunFile:
        """The file of that name."""
        return next(each for each in self.files if each.name == name)


def ask_run(parts: Parts, asset_id: int, operations: str, tenant: str | None) -> int:
    """Run operations on an asset that a tenant may see, unless that has been done.

    Returns the id of the run. Raises :class:`~service.errors.NotHere` and
    :class:`~fft_tool.errors.OperationsError`.
    """
    text = format_operations(parse_operations(operations))
    now = parts.clock.now()
    with parts.database.begin() as session:
        asset = asset_row(session, asset_id, tenant)
        values = {"asset_id": asset_id, "operations": text, "progress": [], "created_at": now}
        run_id, _ = insert_once(session, OPERATION_RUNS, ["asset_id", "operations"], values)
        run = _run(session, run_id, asset.name)
        job_id = _job_id(session, run_id)
        if run is None or run.state == PURGED:
            job_id = table.enqueue(session, KIND, {"run_id": run_id}, now=now, asset_id=asset_id)
            one = sa.update(OPERATION_RUNS).where(OPERATION_RUNS.c.id == run_id)
            session.execute(one.values(job_id=job_id, progress=[]))
        elif run.state == FAILED and job_id is not None:
            table.redrive(session, job_id, now=now)
    if job_id is not None:
        parts.queue.wake(job_id)
    return run_id


def find_run(parts: Parts, asset_id: int, run_id: int, tenant: str | None) -> Run:
    """Find a run on an asset that a tenant may see; raises :class:`~service.errors.NotHere`."""
    with parts.database.read() as session:
        asset = asset_row(session, asset_id, tenant)
        run = _run(session, run_id, asset.name)
    if run is None or run.asset_id != asset_id:
        raise NotHere(f"asset {asset_id} has no run {run_id}")
    return run


def find_file(parts: Parts, asset_id: int, run_id: int, name: str, tenant: str | None) -> Kept:
    """Find a file of a run; raises :class:`~service.errors.NotHere`.

    It is called as on the command line, with the name of the image before it.
    """
    of_file = (RUN_FILES.c.run_id == run_id, RUN_FILES.c.asset_id == asset_id)
    found = sa.select(RUN_FILES).where(*of_file, RUN_FILES.c.name == name)
    with parts.database.read() as session:
        asset = asset_row(session, asset_id, tenant)
        row = session.execute(found).one_or_none()
    if row is None:
        raise NotHere(f"run {run_id} has no file {name[:200]!r}: run the operations again")
    if parts.clock.now() - row.asked_at >= NOTED:  # of the whole run, so that all of it is kept
        with parts.database.begin(lasting=False) as session:
            noted = sa.update(RUN_FILES).where(RUN_FILES.c.run_id == run_id)
            session.execute(noted.values(asked_at=parts.clock.now()))
    shown = f"{folder_of(asset.name)}_{name.replace('/', '_')}"
    return Kept(row.sha256, row.content_type, shown, row.bytes)


def keep_files(parts: Parts, run: Run, made: Sequence[tuple[RunFile, bytes]]) -> None:
    """Keep the files of a run, in place of those of the same names that there may be."""
    now = parts.clock.now()
    pairs = [(each, Blob(data, each.content_type)) for each, data in made]
    with keeping(parts, *(blob for _, blob in pairs), lasting=False) as session:
        for each, blob in pairs:
            values = {
                "run_id": run.run_id,
                "asset_id": run.asset_id,
                "name": each.name,
                "role": each.role,
                "content_type": each.content_type,
                "bytes": each.bytes,
                "sha256": blob.sha256,
                "created_at": now,
                "asked_at": now,
            }
            upsert(session, RUN_FILES, ("run_id", "name"), values)


def note_progress(parts: Parts, run_id: int, progress: Sequence[Json]) -> None:
    """Note how far a run has come."""
    with parts.database.begin(lasting=False) as session:
        one = sa.update(OPERATION_RUNS).where(OPERATION_RUNS.c.id == run_id)
        session.execute(one.values(progress=list(progress)))


def _job_id(session: Session, run_id: int) -> int | None:
    found = sa.select(OPERATION_RUNS.c.job_id).where(OPERATION_RUNS.c.id == run_id)
    job_id: int | None = session.scalar(found)
    return job_id


def _run(session: Session, run_id: int, name: str) -> Run | None:
    """A run with its job; None if there is none, or it has no job yet."""
    row = session.execute(sa.select(OPERATION_RUNS).where(OPERATION_RUNS.c.id == run_id)).first()
    job = table.find(session, row.job_id) if row is not None and row.job_id is not None else None
    if row is None or job is None:
        return None
    columns: list[Any] = [RUN_FILES.c[each] for each in RunFile.__dataclass_fields__]
    found = sa.select(*columns).where(RUN_FILES.c.run_id == run_id).order_by(RUN_FILES.c.id)
    files = tuple(RunFile(*each) for each in session.execute(found))
    state = job.state
    if state == DONE and not _expected(name, row.operations) <= {each.name for each in files}:
        state = PURGED
    told = (job.error_code, job.error_message)
    return Run(run_id, row.asset_id, row.operations, state, row.progress, *told, files)


def _expected(name: str, operations: str) -> set[str]:
    """Names of the files that a run makes at least."""
    inside = len(folder_of(name)) + 1
    made = file_names(name, parse_operations(operations), parse_recipe({}))
    return {CHANGES, *(each[inside:] for each in made)}
