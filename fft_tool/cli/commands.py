"""The commands: from parsed options to calls of the library, and back to the terminal."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from fft_tool import pipeline
from fft_tool.cli import targets
from fft_tool.cli.arguments import make_parser
from fft_tool.cli.messages import Faults, about, about_remark, sentence
from fft_tool.cli.output import is_terminal, print_line, put, say
from fft_tool.errors import FftToolError, NotFound, OperationsError, RecipeError, UsageError
from fft_tool.limits import Limits
from fft_tool.mask_files import Read, no_masks, read_file, resolve_masks
from fft_tool.printable import printable, printable_lines
from fft_tool.recipe import KEYS, Recipe
from fft_tool.results.outputs import output_kinds
from fft_tool.runs import interrupts
from fft_tool.runs.machine import physical_memory, usable_cores
from fft_tool.runs.many import Job, run_batch
from fft_tool.runs.one import Outcome
from fft_tool.runs.sources import (
    Names,
    SourceRef,
    analysis_names,
    find_sources,
    followed,
    refuse_overwriting,
)
from fft_tool.stores.base import Store, as_folder
from fft_tool.stores.endpoint import check_endpoint
from fft_tool.stores.opening import open_store
from fft_tool.stores.special import STDOUT, descriptor_of, is_special, write_special

if TYPE_CHECKING:
    from fft_tool.cli.terminal import HasSource

Options = argparse.Namespace
Item = TypeVar("Item", bound="HasSource")
Given = TypeVar("Given")
Parsed = TypeVar("Parsed")


def analyze(options: Options) -> int:
    """Make pictures and records."""
    recipe = _recipe(options)
    return _make(options, Job(recipe, skip_existing=options.skip_existing), output_kinds(recipe))


def crop(options: Options) -> int:
    """Make crops."""
    recipe = _recipe(options)
    if recipe.crop is None and recipe.smart_crop is None:
        raise UsageError("no region given: add --crop or --smart-crop")
    return _make(options, Job(recipe, operation=pipeline.run_crop), ("crop",))


def filter(options: Options) -> int:  # noqa: A001  (the command's name)
    """Make filtered images."""
    recipe = _recipe(options)
    if recipe.filter is None:
        raise UsageError("no filter given: add --filter")
    return _make(options, Job(recipe, operation=pipeline.run_filter), ("filtered",))


def process(options: Options) -> int:
    """Apply operations to images, and compare them before and after."""
    from fft_tool.operations.naming import COMBINED  # noqa: PLC0415  (only this command needs it)
    from fft_tool.operations.registry import parse_operations  # noqa: PLC0415  (as above)
    from fft_tool.workflows.jobs import Combine, WorkflowJob  # noqa: PLC0415  (as above)
    from fft_tool.workflows.plan import file_names, parse_recipe  # noqa: PLC0415  (as above)

    operations = _parsed(parse_operations, options.operations)
    recipe = _recipe(options, parse_recipe)
    if targets.is_one_file(options.output):
        job = Job(recipe, operation=Combine(operations), skip_existing=options.skip_existing)
        return _make(options, job, (COMBINED,))
    job = WorkflowJob(recipe, operations=operations, skip_existing=options.skip_existing)
    return _make(options, job, (), names=lambda ref: file_names(ref.name, operations, recipe))


def compare(options: Options) -> int:
    """Compare two images."""
    from fft_tool.cli.comparison import compare_images  # noqa: PLC0415  (only this command needs it)

    recipe, limits = _recipe(options), _limits(options, processes=1)
    if options.output is not None:
        if targets.is_stream(options.output):
            raise UsageError(f"-o {options.output}: several files are written, name a folder")
        targets.check_folder(options.output)
    refs = [_find_one(options, location) for location in (options.first, options.second)]
    return compare_images(
        options,
        (refs[0], refs[1]),
        recipe,
        limits,
        read=lambda ref: ref.read(profile=_profile()),
        target=None if options.output is None else _store(options.output),
    )


def stats(options: Options) -> int:
    """Print pixel statistics."""
    job = Job(_recipe(options), operation=pipeline.run_stats)
    outcomes = []
    for outcome in _outcomes(options, _find(options), job):
        outcomes.append(outcome)
        if options.json and outcome.record is not None:
            print_line(json.dumps({"source": outcome.source, **outcome.record}, allow_nan=False))
    if options.csv:
        from fft_tool.cli.sheets import statistics  # noqa: PLC0415  (only this command needs it)

        put(statistics(outcomes))
    elif not options.json and not options.quiet:
        from fft_tool.cli import terminal  # noqa: PLC0415  (costs 50 ms)

        terminal.print_statistics(outcomes)
    return _exit_code(outcomes)


def radial(options: Options) -> int:
    """Write radial profiles as CSV."""
    from fft_tool.cli.sheets import profiles  # noqa: PLC0415  (only this command needs it)

    targets.check_file(options.output, "csv")
    job = Job(_recipe(options), operation=pipeline.run_radial)
    outcomes = list(_outcomes(options, _find(options), job))
    if any(outcome.record for outcome in outcomes):
        _write(options.output, profiles(outcomes), "text/csv; charset=utf-8")
        if not options.quiet and not targets.is_stream(options.output):
            print_line(printable(options.output))
    return _exit_code(outcomes)


def reconstruct(options: Options) -> int:
    """Reconstruct images from their artifacts."""
    from fft_tool.cli.reconstruction import Access, reconstruct_all  # noqa: PLC0415  (only this command needs it)

    limits = _limits(options, processes=1)
    return reconstruct_all(options, Access(_store, _object, _write, about, limits))


def report(options: Options) -> int:
    """Show results on one HTML page or, with --split, on a page for each image."""
    from fft_tool.cli import reporting  # noqa: PLC0415  (only this command needs it)
    from fft_tool.report.layout import Layout, beside  # noqa: PLC0415  (only this command needs it)
    from fft_tool.report.page import assemble  # noqa: PLC0415  (only this command needs it)
    from fft_tool.runs.reading import find_entries  # noqa: PLC0415  (only this command needs it)

    targets.check_file(options.output, "html", "htm")
    stream = targets.is_stream(options.output)
    if stream and options.split:
        raise UsageError("--split: several files are made, so -o should name an .html file")
    sources = reporting.check_sources(_store(options.sources)) if options.sources else None
    faults = Faults()
    refs = find_entries(_store(options.input), sources, on_fault=faults)
    store, name = _object(options.output)
    layout = beside(name, len(refs)) if options.split else Layout()
    found = reporting.draw(refs, layout, store, threads=usable_cores())
    drawn = []
    for each in _with_progress(options, found, len(refs), "drawing"):
        drawn.append(each)
        if each.fault:
            faults(each.fault)
        interrupts.check()
    page = assemble([each.shown for each in drawn], title=options.title, layout=layout).encode()
    _write(options.output, page, reporting.HTML)
    if options.sources and (warning := reporting.missing_sources(drawn, options.sources)):
        say(warning)
    if not options.quiet and not stream:
        for line in reporting.summary(options.output, layout, page, drawn):
            print_line(printable(line))
    return faults.exit_code


def table(options: Options) -> int:
    """Collect records into CSV or Parquet."""
    from fft_tool.results.table import rows, to_csv, to_parquet  # noqa: PLC0415  (only this command needs it)
    from fft_tool.runs.reading import read_records  # noqa: PLC0415  (only this command needs it)

    targets.check_file(options.output, "csv", "parquet")
    faults = Faults()
    found = rows(read_records(_store(options.input), on_fault=faults))
    if options.output.endswith(".parquet"):
        _write(options.output, to_parquet(found), "application/vnd.apache.parquet")
    else:
        _write(options.output, to_csv(found), "text/csv; charset=utf-8")
    return faults.exit_code


def batch(options: Options) -> int:
    """Count the pixels of a job's images, and write the statistics of its batches."""
    from fft_tool.cli.batches import Access, count_job  # noqa: PLC0415  (only this command needs it)

    access = Access(_store, _write, _outcomes)
    return count_job(options, _recipe(options), _given(options), access)


def upload(options: Options) -> int:
    """Upload images to a store, with the keys of the recipe that are given as metadata."""
    base = Recipe(metadata=True)  # the function always makes a record
    texts = _recipe(options, partial(Recipe.parse, base=base), masks=no_masks).texts()
    # Includes values that are defaults here: the defaults may differ where the image is analysed.
    metadata = {name: texts[name] for name in _given(options)}
    targets.check_folder(options.target)
    if metadata and not options.target.startswith("s3://"):
        raise UsageError(f"{options.target}: a folder cannot keep a recipe, only s3:// can")
    refs = _find(options)
    target = _store(options.target)
    failed = False
    for ref in refs:
        try:
            kind = _content_type(ref.name)
            data = ref.read(profile=_profile()).data
            target.write(ref.name, data, content_type=kind, metadata=metadata)
        except FftToolError as exc:
            say(about(str(ref), exc))
            failed = True
            continue
        if not options.quiet:
            print_line(printable(as_folder(target.url) + ref.name))
    return int(failed)


def backfill(options: Options) -> int:
    """Run the analysis over all that a bucket already holds."""
    from fft_tool.cli.backfill import run_backfill  # noqa: PLC0415  (only this command needs it)

    if options.input.startswith("s3://"):
        check_endpoint()
    return run_backfill(options, _write, profile=_profile())


def completion(options: Options) -> int:
    """Print a completion script."""
    from fft_tool.cli.completion import script  # noqa: PLC0415  (nothing else needs it)

    put(script(options.shell, make_parser()).encode())
    return 0


def _make(
    options: Options, job: Job, kinds: Sequence[str], *, names: Names = analysis_names
) -> int:
    """Run a job that writes artifacts of these ``kinds``, and report what it wrote.

    ``names`` gives the names of all outputs of a source.
    """
    job = replace(job, dry_run=options.dry_run)
    if targets.is_one_file(options.output):
        kind = targets.chosen_kind(options.output, getattr(options, "artifact", None), kinds)
        return _make_one(options, job, kind)
    targets.check_folder(options.output)
    refs = _find(options, leave_out=options.output)
    _check_endpoint(options.output)
    refuse_overwriting(refs, options.output, names)
    job = replace(job, target=options.output)
    outcomes = []
    for outcome in _outcomes(options, refs, job):
        outcomes.append(outcome)
        if options.json:
            print_line(json.dumps(outcome.to_json()))
        elif len(refs) == 1 and not options.quiet:
            for name in outcome.outputs:
                print_line(printable(as_folder(options.output) + name))
            _print_findings(outcome)
    if len(refs) > 1 and not options.json and not options.quiet:
        from fft_tool.cli import terminal  # noqa: PLC0415  (costs 50 ms)

        terminal.print_outcomes(outcomes)
    return _exit_code(outcomes)


def _make_one(options: Options, job: Job, kind: str) -> int:
    """Write one artifact of one source to a file, a pipe or a device."""
    if job.skip_existing:
        raise UsageError("--skip-existing: needs a folder or store as -o")
    if options.json and _is_stdout(options.output):
        raise UsageError("--json and -o - both write to standard output: name a file or a folder")
    refs = _find(options)
    if len(refs) != 1:
        raise UsageError(f"-o {options.output} takes one source, not {len(refs)}: name a folder")
    targets.refuse_overwriting_file(refs[0], options.output)
    (outcome,) = _outcomes(options, refs, job)
    for artifact in outcome.artifacts:
        if artifact.kind == kind:
            _write(options.output, artifact.data, artifact.content_type)
    if not targets.is_stream(options.output) and not outcome.error:
        outcome = replace(outcome, outputs=(options.output,))
        if options.json:
            print_line(json.dumps(outcome.to_json()))
        elif not options.quiet:
            print_line(printable(options.output))
            _print_findings(outcome)
    return _exit_code([outcome])


def _print_findings(outcome: Outcome) -> None:
    """Print what was found in an image that has a record, or changed in one with a manifest."""
    if outcome.result != "done" or not outcome.record:
        return
    from fft_tool.cli import changes, findings  # noqa: PLC0415  (few commands need them)

    found: Iterator[str] = iter(())
    if "before" in outcome.record:
        found = changes.lines(outcome.record)
    elif "measures" in outcome.record:
        found = findings.lines(outcome.record)
    for number, line in enumerate(found):
        print_line(line if number else f"\n{line}")


def _outcomes(options: Options, refs: list[SourceRef], job: Job) -> Iterator[Outcome]:
    """Run a batch, reporting progress and errors as they occur."""
    processes = min(options.jobs or usable_cores(), len(refs))
    job = replace(
        job,
        limits=_limits(options, processes),
        threads=usable_cores() if processes == 1 else 1,
        timeout=options.timeout,
        profile=_profile(),
    )
    outcomes = run_batch(refs, job, processes=processes)
    for outcome in _with_progress(options, outcomes, len(refs), "analysing"):
        if outcome.error:
            say(about(outcome.source, outcome.error))
        for remark in outcome.remarks:
            say(f"warning: {about_remark(outcome.source, remark)}")
        yield outcome
        interrupts.check()


def _with_progress(
    options: Options, items: Iterator[Item], total: int, doing: str
) -> Iterator[Item]:
    """Yield items, showing progress on a terminal."""
    if total <= 1 or options.quiet or not is_terminal(sys.stderr):
        return items
    from fft_tool.cli import terminal  # noqa: PLC0415  (costs 50 ms)

    return terminal.with_progress(items, total, doing)


def _exit_code(outcomes: list[Outcome]) -> int:
    return int(any(outcome.error for outcome in outcomes))


def _recipe(
    options: Options,
    parse: Callable[[dict[str, str]], Recipe] = Recipe.parse,
    *,
    masks: Read = read_file,
) -> Recipe:
    """Parse the recipe; ``masks`` reads the files of its masks."""
    recipe = _parsed(parse, _given(options))
    return _parsed(partial(resolve_masks, read=masks), recipe)


def _parsed(parse: Callable[[Given], Parsed], given: Given) -> Parsed:
    """Parse what is given on the command line, where a fault is wrong usage."""
    try:
        return parse(given)
    except (OperationsError, RecipeError) as exc:
        raise UsageError(sentence(exc)) from exc


def _given(options: Options) -> dict[str, str]:
    """Recipe keys given on the command line."""
    given = {key.name: getattr(options, key.field, None) for key in KEYS}
    return {name: value for name, value in given.items() if value is not None}


def _limits(options: Options, processes: int) -> Limits:
    plain = Limits()
    return Limits(
        max_pixels=getattr(options, "max_pixels", None) or plain.max_pixels,
        max_memory=getattr(options, "max_memory", None) or physical_memory() // processes,
        formats=getattr(options, "formats", None) or plain.formats,
    )


def _find(options: Options, leave_out: str | None = None) -> list[SourceRef]:
    _check_endpoint(*options.inputs)
    if "-" in options.inputs and is_terminal(sys.stdin):
        raise UsageError("-: standard input is a terminal, pipe an image into it")
    refs = find_sources(
        options.inputs,
        stdin=getattr(sys.stdin, "buffer", None),
        limits=_limits(options, processes=1),
        leave_out=leave_out,
        profile=_profile(),
    )
    if not getattr(options, "frames", None):
        return refs
    from fft_tool.runs.pages import each_page  # noqa: PLC0415  (few need it)

    if options.frame:
        raise UsageError("--frame and --frames exclude each other: leave one out")
    return each_page(refs, _limits(options, processes=1), profile=_profile())


def _find_one(options: Options, location: str) -> SourceRef:
    """Find the only image at a location."""
    options.inputs = [location]
    refs = _find(options)
    if len(refs) != 1:
        raise UsageError(f"{location}: has {len(refs)} images, name one of them")
    return refs[0]


def _check_endpoint(*locations: str) -> None:
    """Raise an error if one of the locations is in S3 and its endpoint does not answer."""
    if any(location.startswith("s3://") for location in locations):
        check_endpoint()


def _store(location: str) -> Store:
    _check_endpoint(location)
    return open_store(location, profile=_profile())


def _object(location: str) -> tuple[Store, str]:
    """Store that holds an object, and the name of the object in it."""
    scheme, separator, path = location.rpartition("://")
    folder, slash, name = path.rpartition("/")
    if not name or (separator and not folder):
        raise NotFound(f"{location}: not the name of a file")
    if separator:
        return _store(f"{scheme}://{folder}/"), name
    return _store(folder or ("/" if slash else ".")), name


def _is_stdout(location: str) -> bool:
    return location == targets.STDOUT or descriptor_of(location) == STDOUT


def _write(location: str, data: bytes, content_type: str) -> None:
    if _is_stdout(location):
        for_people = content_type.startswith("text/") and is_terminal(sys.stdout)
        if is_terminal(sys.stdout) and not for_people:
            raise UsageError(f"-o {location}: would write binary data to the terminal; redirect it")
        put(f"{printable_lines(data.decode())}\n".encode() if for_people else data)
        return
    if is_special(location):
        write_special(location, data)
        return
    link = None if "://" in location else followed(Path(location))
    store, name = _object(str(link or location))
    store.write(name, data, content_type=content_type)


def _content_type(name: str) -> str:
    import mimetypes  # noqa: PLC0415  (only this command needs it)

    return mimetypes.guess_type(PurePosixPath(name).name)[0] or "application/octet-stream"


def _profile() -> bool:
    """Whether to look up credentials elsewhere than in environment variables."""
    return "AWS_ACCESS_KEY_ID" not in os.environ
