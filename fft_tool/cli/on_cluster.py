"""``backfill --engine dask``: the sources of any store on a cluster of Dask."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from fft_tool.backfill.cluster import PER_TASK, run_on_cluster
from fft_tool.backfill.parts import SCAN, Line, rows_of
from fft_tool.cli import targets
from fft_tool.cli.failures import read_keys, report_failures
from fft_tool.cli.output import say
from fft_tool.errors import NotFound, UsageError
from fft_tool.mask_files import read_file, resolve_masks
from fft_tool.recipe import Recipe
from fft_tool.results.table import to_parquet_in_groups
from fft_tool.runs.many import Job
from fft_tool.runs.sources import SourceRef, find_sources, refuse_overwriting

Options = argparse.Namespace
Write = Callable[[str, bytes, str], None]

GROUP = 10_000  # rows of the table that are written together
PARQUET = "application/vnd.apache.parquet"
STEPS = 20  # messages on the progress


def run_with_dask(options: Options, recipe_texts: Mapping[str, str], write: Write) -> int:
    """Run a recipe over all sources on a cluster, and report what failed."""
    recipe = resolve_masks(Recipe.parse(recipe_texts, base=Recipe(metadata=True)), read_file)
    if not options.cluster:
        raise UsageError("--engine dask: name its scheduler with --cluster tcp://host:8786")
    if (options.output is None) == (options.table is None):
        raise UsageError("--engine dask: name either where results go, with -o, or a --table")
    refs = _chosen_refs(options)
    if options.output:
        targets.check_folder(options.output)
        refuse_overwriting(refs, options.output)
    say(f"{len(refs):,} images on {options.cluster}")
    if options.dry_run:
        return 0
    skip = options.skip_existing
    job = Job(recipe, target=options.output, skip_existing=skip, by_etag=skip, profile=True)
    lines = run_on_cluster(refs, job, options.cluster, per_task=options.per_invocation or PER_TASK)
    failures: list[Line] = []
    try:
        groups = _grouped(_watched(lines, len(refs), failures, quiet=options.quiet))
        if options.table:
            write(options.table, to_parquet_in_groups(map(rows_of, groups)), PARQUET)
        else:
            for _ in groups:
                pass
    except KeyboardInterrupt:
        say("stopped; what is written stays: the same command with --skip-existing continues")
        raise
    return report_failures(options, "dask", failures, _command_again(options, recipe_texts))


def _chosen_refs(options: Options) -> list[SourceRef]:
    refs = find_sources([options.input], stdin=None, leave_out=options.output, profile=True)
    if not options.keys:
        return refs
    wanted = set(read_keys(options.keys))
    found = [ref for ref in refs if str(ref) in wanted]
    if missing := wanted - {str(ref) for ref in found}:
        raise NotFound(f"--keys {options.keys}: not below {options.input}: {min(missing)}")
    return found


def _watched(
    lines: Iterator[Line], total: int, failures: list[Line], *, quiet: bool
) -> Iterator[Line]:
    """Yield lines, noting failures and telling now and then how far it is."""
    step = max(1, total // STEPS)
    for count, line in enumerate(lines, 1):
        if line.failed:
            failures.append(replace(line, row=None))
        if not quiet and (count % step == 0 or count == total):
            say(f"{count:,} of {total:,}")
        yield line


def _grouped(lines: Iterator[Line]) -> Iterator[Sequence[Line]]:
    group: list[Line] = []
    for line in lines:
        group.append(line)
        if len(group) == GROUP:
            yield group
            group = []
    if group:
        yield group


def _command_again(options: Options, recipe: Mapping[str, str]) -> Callable[[str], str]:
    words = ["fft-tool", "backfill", options.input, "--engine", "dask"]
    words += ["--cluster", options.cluster]
    if options.output:
        words += ["-o", options.output]
    else:
        words += ["--table", f"{options.table.removesuffix('.parquet')}-again.parquet"]
    own = {key: value for key, value in recipe.items() if not (options.table and key in SCAN)}
    if own:
        words += ["--recipe", " ".join(f"{key}={value}" for key, value in own.items())]
    return lambda name: shlex.join([*words, "--keys", name])
