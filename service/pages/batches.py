"""Batches for administrators: the rows of each job, with plots, as the database has them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from fft_tool.batches.charts import plots_of
from fft_tool.batches.database import open_database
from fft_tool.batches.rows import Row
from service.access import AdministratorHere, PartsHere
from service.errors import NotHere
from service.pages.rendering import render
from service.parts import Parts

ROUTER = APIRouter(prefix="/batches", include_in_schema=False)

MOST = 500
"""Revisions on the page, the latest."""

Job = Annotated[str, Path(max_length=1024)]
Number = Annotated[int | None, Query(ge=1, le=(1 << 31) - 1)]


@ROUTER.get("")
def show_batches(request: Request, parts: PartsHere, caller: AdministratorHere) -> Response:
    """List the jobs and their latest revisions; without a database, tell how to name one."""
    url = parts.settings.batches_database_url
    found = None
    if url is not None:
        with open_database(url) as database:
            found = database.revisions(MOST)
    latest = {each.job_id: each for each in reversed(found or ())}
    return render(request, caller, "batches.html", configured=url is not None, jobs=latest.values())


@ROUTER.get("/{job:path}")
def show_batch(
    request: Request,
    parts: PartsHere,
    caller: AdministratorHere,
    job: Job,
    revision: Number = None,
) -> Response:
    """Show the rows of a revision of a job, by default the latest, with plots."""
    numbers, rows = _rows(parts, job, revision)
    return render(
        request,
        caller,
        "batch.html",
        job=job,
        numbers=numbers,
        rows=rows,
        plots=plots_of(rows),
        missing=_missing(rows),
    )


def _rows(parts: Parts, job: str, revision: int | None) -> tuple[list[int], tuple[Row, ...]]:
    """Numbers of all revisions of a job, the latest first, and the rows of one."""
    url = parts.settings.batches_database_url
    if url is None or not job.isprintable():
        raise NotHere(f"there is no job {job[:100]!r}")
    with open_database(url) as database:
        numbers = database.numbers_of(job)
        rows = database.rows_of(job, revision or numbers[0]) if numbers else ()
    if not rows:
        which = f"revision {revision} of " if numbers else ""
        raise NotHere(f"there is no {which}job {job[:100]!r}")
    return numbers, rows


def _missing(rows: tuple[Row, ...]) -> list[tuple[int, int]]:
    """Batches in which fewer images were counted than in the fullest, and how many fewer."""
    counted = {row.batch_id: row.images for row in rows}
    most = max(counted.values())
    return [(batch, most - images) for batch, images in counted.items() if images < most]
