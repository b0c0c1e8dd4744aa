"""Publication of a revision: the job's files, and its rows in a database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fft_tool import __version__
from fft_tool.batches.counting import Counted
from fft_tool.batches.page import Result, render
from fft_tool.batches.revisions import JSON_TYPE, SUMMARY, Marker, latest_number
from fft_tool.batches.rows import Row, statistics, to_csv, to_parquet
from fft_tool.errors import BadArtifact, StoreUnavailable
from fft_tool.stores.base import Store
from fft_tool.validate import Json

SCHEMA = "fft-tool/batch-summary/1"
CSV, PARQUET, PAGE = "batch_stats.csv", "batch_stats.parquet", "index.html"

_TYPES = {
    CSV: "text/csv; charset=utf-8",
    PARQUET: "application/vnd.apache.parquet",
    PAGE: "text/html; charset=utf-8",
    SUMMARY: JSON_TYPE,
}
_ROUNDS = 3  # times that files are written if another revision keeps overwriting them


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published of a revision: its ``rows``, and the names of the files.

    With ``superseded``, there is a later revision, whose files have to be published (again) by
    whoever finds this.
    """

    result: Result
    outputs: tuple[str, ...] = ()
    superseded: bool = False

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows, two for each batch."""
        return self.result.rows


def publish(
    target: Store,
    marker: Marker,
    counted: Iterable[Counted],
    *,
    database: Callable[[Sequence[Row]], object] | None = None,
) -> Publication:
    """Write the files of a revision below the job's name in ``target``, the summary last.

    ``counted`` has every image of the marker, in any order. ``database`` is called with the rows
    before the summary is written: a revision with a summary is in the database, too. The rows of a
    revision that has been superseded are not published. The same counts give the same bytes.
    """
    result = result_of(marker, counted)
    if latest_number(target, marker.job) > marker.number:
        return Publication(result, superseded=True)
    files = files_of(result)
    _write(target, marker.job, files)
    if database is not None:
        database(result.rows)
    for _ in range(_ROUNDS):
        _write(target, marker.job, {SUMMARY: _summary(marker, result)})
        if latest_number(target, marker.job) > marker.number:
            return Publication(result, tuple(_names(marker.job, files)), superseded=True)
        # An earlier revision may have been written at the same time, between our files.
        changed = {
            name: data
            for name, data in files.items()
            if target.read(f"{marker.job}/{name}").data != data
        }
        if not changed:
            return Publication(result, tuple(_names(marker.job, files)))
        _write(target, marker.job, changed)
    raise StoreUnavailable(
        f"{target.url}: somebody keeps overwriting the results of {marker.job}, try again later"
    )


def result_of(marker: Marker, counted: Iterable[Counted]) -> Result:
    """Compute the rows of a revision; raises an error unless each image was counted once."""
    images = sorted(counted, key=lambda image: (image.batch, image.name))
    wanted = [(image.batch, image.name) for image in marker.images]
    if [(image.batch, image.name) for image in images] != wanted:
        raise BadArtifact(
            f"{marker.name} lists {len(wanted):,} images, but there are counts of {len(images):,} "
            "or of others"
        )
    rows = statistics(images, marker.origin, marker.shape.batches)
    return Result(marker.shape, rows, tuple(images))


def files_of(result: Result) -> dict[str, bytes]:
    """Files of a revision by name, all but the summary."""
    return {
        CSV: to_csv(result.rows),
        PARQUET: to_parquet(result.rows),
        PAGE: render(result).encode(),
    }


def summary(result: Result) -> Json:
    """Rows of a job, and the images that could not be read, as plain JSON values."""
    first = result.rows[0]
    return {
        "schema": SCHEMA,
        "version": __version__,
        "job": first.job_id,
        "revision": first.revision,
        "created_at": first.created_at,
        "source_prefix": first.source_prefix,
        "settings": result.shape.to_json(),
        "images": {
            "expected": result.shape.batches * result.shape.images,
            "counted": len(result.counted) - len(result.unreadable),
        },
        "unreadable": [
            {"name": image.name, "code": image.code, "message": image.message}
            for image in result.unreadable
        ],
        "rows": [row.to_json() for row in result.rows],
    }


def _summary(marker: Marker, result: Result) -> bytes:
    value = {**summary(result), "key": marker.key}
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _names(job: str, files: Iterable[str]) -> Iterable[str]:
    return (f"{job}/{name}" for name in (*files, SUMMARY))


def _write(target: Store, job: str, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        target.write(f"{job}/{name}", data, content_type=_TYPES[name])
