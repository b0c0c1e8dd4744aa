"""The command ``batch``: counts the images of a job, and writes the statistics of its batches."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fft_tool.batches.counting import Counted, as_operation, counted_of
from fft_tool.batches.origin import Origin
from fft_tool.batches.page import Result, render
from fft_tool.batches.publication import summary
from fft_tool.batches.rows import Row, statistics, to_csv, to_parquet
from fft_tool.batches.shape import JobShape
from fft_tool.batches.survey import Survey, survey
from fft_tool.cli import targets
from fft_tool.cli.output import print_line, say
from fft_tool.errors import BadJob, UsageError
from fft_tool.printable import printable
from fft_tool.recipe import Recipe
from fft_tool.runs.many import Job
from fft_tool.runs.one import Outcome
from fft_tool.runs.sources import SourceRef
from fft_tool.stores.base import Store
from fft_tool.stores.folder import is_file

DATABASE_PATIENCE = 60.0  # seconds for which a database that is away is tried again

_CSV, _HTML = "text/csv; charset=utf-8", "text/html; charset=utf-8"
_PARQUET = "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True)
class Access:
    """How the command line opens stores, writes files, and runs jobs."""

    store: Callable[[str], Store]
    write: Callable[[str, bytes, str], None]
    outcomes: Callable[[argparse.Namespace, list[SourceRef], Job], Iterable[Outcome]]


def count_job(
    options: argparse.Namespace, recipe: Recipe, given: Mapping[str, str], access: Access
) -> int:
    """Count the images of a complete job; say what is missing of one that is not.

    ``given`` are the keys of the recipe that stand on the command line.
    """
    _check(options)
    store, job = _job_at(options.input, access)
    found = survey(store, "", _shape(options, recipe), job=job)
    _refuse_contradictions(options, given, found.shape)
    if not _may_be_counted(found, options):
        return 1
    if options.database:
        _check_database(options.database)
    counted = _counted(options, store, found, access)
    if counted is None:
        say(f"{options.input}: nothing was written, because not all images could be looked at")
        return 1
    result = Result(found.shape, _rows(options, found, counted), tuple(counted))
    _deliver(options, result, access)
    return int(bool(result.unreadable))


def _check(options: argparse.Namespace) -> None:
    """Raise an error if the options cannot be combined."""
    if options.output:
        targets.check_file(options.output, "csv", "parquet")
    if options.plot:
        targets.check_file(options.plot, "html", "htm")
    streams = [options.json and "--json"]
    streams += [f for f, v in (("-o -", options.output), ("--plot -", options.plot)) if v == "-"]
    if len(both := list(filter(None, streams))) > 1:
        raise UsageError(f"{both[0]} and {both[1]} both write to standard output: name a file")
    if options.partial and options.database:
        raise UsageError("--partial and --database: the table has complete jobs only")


def _job_at(location: str, access: Access) -> tuple[Store, str]:
    """Store whose top is the job's folder, and the job's name."""
    if "://" in location:
        return access.store(location), location.rstrip("/").rpartition("/")[2]
    path = Path(location)
    if is_file(path):
        raise UsageError(f"{location}: is a file, name the folder of a job")
    path = path.resolve()
    return access.store(str(path)), path.name


def _shape(options: argparse.Namespace, recipe: Recipe) -> JobShape:
    plain = JobShape()
    try:
        return JobShape(options.batches or plain.batches, options.images or plain.images, recipe)
    except BadJob as exc:
        raise UsageError(str(exc)) from exc


def _refuse_contradictions(
    options: argparse.Namespace, given: Mapping[str, str], shape: JobShape
) -> None:
    """Raise an error if a flag says something else than the job's own settings."""
    flags = {"batches": options.batches, "images": options.images, **given}
    texts = {"batches": shape.batches, "images": shape.images, **shape.recipe.texts()}
    ours = {**flags, **Recipe.parse(given).texts()}
    for name, value in flags.items():
        if value is not None and texts[name] != ours[name]:
            raise UsageError(
                f"--{name} {value}: job.json says {texts[name]}: leave one of them out"
            )


def _may_be_counted(found: Survey, options: argparse.Namespace) -> bool:
    """Whether the job may be counted; says why not, or what is missing."""
    if found.complete:
        return True
    partial = options.partial and not found.faults and found.images
    for reason in found.reasons():
        say(f"{'warning: ' if partial else ''}{options.input}: {reason}")
    if options.json and not partial:
        print_line(json.dumps(found.to_json()))
    return bool(partial)


def _check_database(url: str) -> None:
    """Raise an error now, rather than after all images have been counted."""
    from fft_tool.batches.database import open_database  # noqa: PLC0415  (optional)
    from fft_tool.databases.patience import patiently  # noqa: PLC0415  (as above)

    def look() -> None:
        with open_database(url):
            pass

    patiently(look, DATABASE_PATIENCE)


def _counted(
    options: argparse.Namespace, store: Store, found: Survey, access: Access
) -> list[Counted] | None:
    """Count all images; None if one of them could not be looked at this time."""
    refs = [SourceRef(store.url, image.name) for image in found.images]
    job = Job(found.shape.recipe, operation=as_operation)
    outcomes = access.outcomes(options, refs, job)
    counted = [
        counted_of(image, outcome) for image, outcome in zip(found.images, outcomes, strict=True)
    ]
    sure = [each for each in counted if each is not None]
    return sure if len(sure) == len(counted) else None


def _rows(
    options: argparse.Namespace, found: Survey, counted: Sequence[Counted]
) -> tuple[Row, ...]:
    """Rows of the job, which are in the database, too, if one is given."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    origin = Origin(found.job, found.location, found.key, 1, now)

    def make(number: int) -> tuple[Row, ...]:
        return statistics(counted, origin.at(number), found.shape.batches)

    if not options.database:
        return make(1)
    from fft_tool.batches.database import publish_as_next  # noqa: PLC0415  (optional)

    return tuple(publish_as_next(options.database, origin, make, patience=DATABASE_PATIENCE))


def _deliver(options: argparse.Namespace, result: Result, access: Access) -> None:
    """Write what was asked for, and print the rest."""
    if options.output and options.output.endswith(".parquet"):
        access.write(options.output, to_parquet(result.rows), _PARQUET)
    elif options.output:
        access.write(options.output, to_csv(result.rows), _CSV)
    if options.plot:
        access.write(options.plot, render(result).encode(), _HTML)
    if options.json:
        print_line(json.dumps(summary(result), allow_nan=False))
    files = [file for file in (options.output, options.plot) if file]
    if options.json or options.quiet or any(map(targets.is_stream, files)):
        return
    from fft_tool.cli import terminal  # noqa: PLC0415  (costs 50 ms)

    terminal.print_batches(result.rows)
    for file in files:
        print_line(printable(file))
