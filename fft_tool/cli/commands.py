"""What the commands do: from parsed options to calls of the library, and back to the terminal."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from fft_tool import pipeline
from fft_tool.cli.arguments import make_parser
from fft_tool.cli.output import print_line, put, say
from fft_tool.errors import FftToolError, NotFound, UsageError
from fft_tool.limits import MIB, Limits
from fft_tool.printable import printable, printable_lines
from fft_tool.recipe import KEYS, Recipe
from fft_tool.runs import interrupts
from fft_tool.runs.machine import physical_memory, usable_cores
from fft_tool.runs.many import Job, run_batch
from fft_tool.runs.one import Outcome
from fft_tool.runs.sources import SourceRef, find_sources, refuse_overwriting
from fft_tool.stores.base import Store, as_folder
from fft_tool.stores.opening import open_store

Options = argparse.Namespace

# What raises a limit at this door.
FLAGS = {"too-many-pixels": "--max-pixels", "too-much-memory": "--max-memory"}

# What a notice leads to at this door.
REMEDIES = {"more-frames": "--frame N analyses another one, --frames all each of them"}


def analyze(options: Options) -> int:
    """Make pictures and records."""
    return _make(options, Job(_recipe(options), skip_existing=options.skip_existing))


def crop(options: Options) -> int:
    """Make crops."""
    recipe = _recipe(options)
    if recipe.crop is None and recipe.smart_crop is None:
        raise UsageError("say what to crop, with --crop or --smart-crop")
    return _make(options, Job(recipe, operation=pipeline.run_crop))


def filter(options: Options) -> int:  # noqa: A001  (the command's name)
    """Make filtered images."""
    recipe = _recipe(options)
    if recipe.filter is None:
        raise UsageError("say which filter, with --filter")
    return _make(options, Job(recipe, operation=pipeline.run_filter))


def stats(options: Options) -> int:
    """Print pixel statistics."""
    job = Job(_recipe(options), operation=pipeline.run_stats)
    outcomes = []
    for outcome in _outcomes(options, _find(options), job):
        outcomes.append(outcome)
        if options.json and outcome.record is not None:
            print_line(json.dumps({"source": outcome.source, **outcome.record}, allow_nan=False))
    if not options.json and not options.quiet:
        from fft_tool.cli import terminal  # noqa: PLC0415  (costs 50 ms)

        terminal.print_statistics(outcomes)
    return _exit_code(outcomes)


def reconstruct(options: Options) -> int:
    """Reconstruct images from their artifacts."""
    from fft_tool.cli.reconstruction import Access, reconstruct_all  # noqa: PLC0415

    limits = _limits(options, processes=1)
    return reconstruct_all(options, Access(_store, _object, _write, _message, limits))


def report(options: Options) -> int:
    """Make one HTML page of any results."""
    from fft_tool.report.page import render  # noqa: PLC0415
    from fft_tool.runs.reading import read_entries  # noqa: PLC0415

    store = _store(options.input)
    sources = _store(options.sources) if options.sources else None
    page = render(read_entries(store, sources), title=options.title)
    _write(options.output, page.encode(), "text/html; charset=utf-8")
    return 0


def table(options: Options) -> int:
    """Gather records into CSV or Parquet."""
    from fft_tool.results.table import rows, to_csv, to_parquet  # noqa: PLC0415
    from fft_tool.runs.reading import read_records  # noqa: PLC0415

    found = rows(read_records(_store(options.input)))
    if options.output.endswith(".parquet"):
        _write(options.output, to_parquet(found), "application/vnd.apache.parquet")
    else:
        _write(options.output, to_csv(found), "text/csv; charset=utf-8")
    return 0


def upload(options: Options) -> int:
    """Put images into a store, with what the recipe changes as metadata."""
    texts = _recipe(options).texts()
    # Also what is a default here: where the image is analysed, something else may be.
    metadata = {name: texts[name] for name in _given(options)}
    refs = _find(options)
    target = _store(options.target)
    if metadata and not options.target.startswith("s3://"):
        raise UsageError(f"{options.target}: a folder cannot keep a recipe, only s3:// can")
    failed = False
    for ref in refs:
        try:
            kind = _content_type(ref.name)
            data = ref.read(profile=_profile()).data
            target.write(ref.name, data, content_type=kind, metadata=metadata)
        except FftToolError as exc:
            say(str(exc))
            failed = True
            continue
        if not options.quiet:
            print_line(printable(as_folder(target.url) + ref.name))
    return int(failed)


def completion(options: Options) -> int:
    """Print a completion script."""
    import shtab  # noqa: PLC0415  (nothing else needs it)

    print_line(shtab.complete(make_parser(), options.shell))
    return 0


def _make(options: Options, job: Job) -> int:
    """Do a job that writes artifacts, and tell of it."""
    if not options.output or options.output.startswith("memory:"):
        raise UsageError(f"-o {options.output!r}: should be a folder, s3://bucket/prefix or -")
    refs = _find(options, leave_out=options.output)
    job = replace(job, dry_run=options.dry_run)
    if options.output == "-":
        return _pipe(options, refs, job)
    refuse_overwriting(refs, options.output)
    job = replace(job, target=options.output)
    outcomes = []
    for outcome in _outcomes(options, refs, job):
        outcomes.append(outcome)
        if options.json:
            print_line(json.dumps(outcome.to_json()))
        elif len(refs) == 1 and not options.quiet:
            for name in outcome.outputs:
                print_line(printable(as_folder(options.output) + name))
    if len(refs) > 1 and not options.json and not options.quiet:
        from fft_tool.cli import terminal  # noqa: PLC0415  (costs 50 ms)

        terminal.print_outcomes(outcomes)
    return _exit_code(outcomes)


def _pipe(options: Options, refs: list[SourceRef], job: Job) -> int:
    """Write one artifact of one source to stdout."""
    if len(refs) != 1:
        raise UsageError(f"-o - takes one source, not {len(refs)}")
    outcomes = list(_outcomes(options, refs, job))
    made = {artifact.kind: artifact for artifact in outcomes[0].artifacts}
    if made:
        kind = getattr(options, "artifact", None) or next(iter(made))
        if kind not in made:
            raise UsageError(f"there is no {kind} among the artifacts: {', '.join(made)}")
        put(made[kind].data)
    return _exit_code(outcomes)


def _outcomes(options: Options, refs: list[SourceRef], job: Job) -> Iterator[Outcome]:
    """Run a batch, showing progress and errors as they come."""
    processes = min(options.jobs or usable_cores(), len(refs))
    job = replace(
        job,
        limits=_limits(options, processes),
        threads=usable_cores() if processes == 1 else 1,
        timeout=options.timeout,
        profile=_profile(),
    )
    outcomes = run_batch(refs, job, processes=processes)
    if len(refs) > 1 and sys.stderr.isatty() and not options.quiet:
        from fft_tool.cli import terminal  # noqa: PLC0415  (costs 50 ms)

        outcomes = terminal.with_progress(outcomes, len(refs))
    for outcome in outcomes:
        if outcome.error:
            say(_message(outcome.source, outcome.error))
        for notice in outcome.notices:
            remedy = REMEDIES.get(notice.code)
            end = f"; {remedy}" if remedy else ""
            say(f"warning: {outcome.source}: {notice.message}{end}")
        yield outcome
        interrupts.check()


def _message(source: str, error: FftToolError) -> str:
    """What went wrong, with the source's name in front and the flag that would help."""
    message = str(error) if source in str(error) else f"{source}: {error}"
    flag = FLAGS.get(error.code)
    return f"{message}; {flag} raises the limit" if flag else message


def _exit_code(outcomes: list[Outcome]) -> int:
    return int(any(outcome.error for outcome in outcomes))


def _recipe(options: Options) -> Recipe:
    return Recipe.parse(_given(options))


def _given(options: Options) -> dict[str, str]:
    """Keys of the recipe that are on the command line."""
    given = {key.name: getattr(options, key.field, None) for key in KEYS}
    return {name: value for name, value in given.items() if value is not None}


def _limits(options: Options, processes: int) -> Limits:
    plain = Limits()
    return Limits(
        max_pixels=options.max_pixels or plain.max_pixels,
        max_memory=options.max_memory * MIB
        if options.max_memory
        else physical_memory() // processes,
        formats=getattr(options, "formats", None) or plain.formats,
    )


def _find(options: Options, leave_out: str | None = None) -> list[SourceRef]:
    refs = find_sources(
        options.inputs,
        # One more than is accepted: enough to be refused for it.
        read_stdin=lambda: sys.stdin.buffer.read(Limits().max_bytes + 1),
        leave_out=leave_out,
        profile=_profile(),
    )
    if not getattr(options, "frames", None):
        return refs
    from fft_tool.runs.pages import each_page  # noqa: PLC0415  (few need it)

    if options.frame:
        raise UsageError("--frame and --frames exclude each other: leave one out")
    return each_page(refs, _limits(options, processes=1), profile=_profile())


def _store(location: str) -> Store:
    return open_store(location, profile=_profile())


def _object(location: str) -> tuple[Store, str]:
    """The store that an object is in, and its name there."""
    scheme, separator, path = location.rpartition("://")
    folder, slash, name = path.rpartition("/")
    if not name or (separator and not folder):
        raise NotFound(f"{location}: not the name of a file")
    if separator:
        return _store(f"{scheme}://{folder}/"), name
    return _store(folder or ("/" if slash else ".")), name


def _write(location: str, data: bytes, content_type: str) -> None:
    if location == "-":
        for_people = content_type.startswith("text/") and sys.stdout.isatty()
        put(f"{printable_lines(data.decode())}\n".encode() if for_people else data)
        return
    store, name = _object(location)
    store.write(name, data, content_type=content_type)


def _content_type(name: str) -> str:
    import mimetypes  # noqa: PLC0415

    return mimetypes.guess_type(PurePosixPath(name).name)[0] or "application/octet-stream"


def _profile() -> bool:
    """Whether credentials are to be looked up beyond the environment's own."""
    return "AWS_ACCESS_KEY_ID" not in os.environ
