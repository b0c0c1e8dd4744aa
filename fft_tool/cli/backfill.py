"""The command ``backfill``: what it would cost, the question, the progress, and what failed."""

from __future__ import annotations

import argparse
import importlib.util
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from fft_tool.backfill.estimate import Estimate, estimate
from fft_tool.backfill.parts import RUN_NAME, SCAN
from fft_tool.backfill.run import (
    CONCURRENCY,
    PER_INVOCATION,
    PER_SCAN,
    Engine,
    Found,
    Order,
    find,
    run_name,
)
from fft_tool.cli.deployment import chosen, engine_of
from fft_tool.cli.failures import read_keys, report_failures
from fft_tool.cli.output import is_terminal, print_line, say
from fft_tool.errors import EngineUnavailable, MissingExtra, RecipeError, UsageError
from fft_tool.mask_files import no_masks, read_file, resolve_masks
from fft_tool.recipe import Recipe, entries, key_name
from fft_tool.results.outputs import output_kinds
from fft_tool.stores.base import as_folder
from fft_tool.stores.opening import open_store

Options = argparse.Namespace
Write = Callable[[str, bytes, str], None]

PAUSE = 2.0  # seconds between two looks at a run

PARQUET = "application/vnd.apache.parquet"


def run_backfill(options: Options, write: Write, *, profile: bool) -> int:
    """Start a run and follow it, or look at one that was started before."""
    if options.input == "status":
        if not options.id:
            raise UsageError("status: name the run: fft-tool backfill status ID")
        engine = engine_of(options, profile=profile)
        return _follow(_Run(options, engine, options.id, write), once=True)
    if options.id is not None:
        raise UsageError(f"unexpected {options.id}: one s3://bucket/prefix at a time")
    _check_table(options)
    if options.engine == "dask":
        from fft_tool.cli.on_cluster import run_with_dask  # noqa: PLC0415  (few need it)

        return run_with_dask(options, _recipe(options), write)
    return _start(options, write, profile=profile)


def _start(options: Options, write: Write, *, profile: bool) -> int:
    """Count, estimate, ask, start and follow."""
    engine = chosen(options, profile=profile)
    order = _order(options)
    bucket = open_store(f"s3://{order.bucket}", profile=profile)
    found = find(bucket, order.prefix, order.keys)
    run = options.run or run_name(order, found, engine.deployment)
    if not RUN_NAME.fullmatch(run):
        raise UsageError(f"--run {run}: should be letters, digits, - and _, at most 80")
    order = replace(order, run=run)
    if not options.quiet or options.dry_run:
        for line in _told(order, found, engine):
            say(line)
    if options.dry_run:
        return 0
    if not options.yes:
        _ask()
    started = engine.start(order)
    print_line(started.run_id)
    if started.ended_before:
        say("this very run has ended before; --run NAME runs the same again")
    return _follow(_Run(options, engine, started.run_id, write), once=False)


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that is followed: the options, its engine, its ID, and how to write the table."""

    options: Options
    engine: Engine
    run_id: str
    write: Write


def _follow(run: _Run, *, once: bool) -> int:
    """Report the progress until the run has ended, or only ``once``; then the failures."""
    told = ""
    try:
        while True:
            progress = run.engine.progress(run.run_id)
            total = "counting" if progress.total is None else f"of {progress.total:,}"
            text = f"{progress.succeeded + progress.failed:,} {total}"
            if text != told and not run.options.quiet:
                say(text)
            told = text
            if progress.ended:
                break
            if once:
                say(f"still running; look again: fft-tool backfill status {run.run_id}")
                return 0
            time.sleep(PAUSE)
    except (KeyboardInterrupt, EngineUnavailable):
        say(f"it goes on; look again: fft-tool backfill status {run.run_id}")
        raise
    if progress.fault:
        say(f"the run did not succeed: {progress.fault}")
        return 1
    order = run.engine.order(run.run_id)
    if order.table:
        _gather(run, order)
    failures = list(run.engine.failures(run.run_id))
    redo = _command_again(run, order)
    return report_failures(run.options, order.run, failures, redo)


def _gather(run: _Run, order: Order) -> None:
    """Write the rows of all parts to one table."""
    from fft_tool.backfill.distributed_map import DistributedMap  # noqa: PLC0415  (needs boto3)
    from fft_tool.backfill.parts import read_parts, rows_of  # noqa: PLC0415  (with it)
    from fft_tool.results.table import to_parquet_in_groups  # noqa: PLC0415  (with it)

    if not run.options.table:
        say("its rows are not gathered: name a file with --table FILE.parquet")
        return
    if isinstance(run.engine, DistributedMap):
        results, name = run.engine.results(run.run_id)
        groups = (rows_of(lines) for lines in read_parts(results, name))
        run.write(run.options.table, to_parquet_in_groups(groups), PARQUET)
        if not run.options.quiet:
            say(f"table: {run.options.table} ({order.run})")


def _told(order: Order, found: Found, engine: Engine) -> Iterator[str]:
    """What is to be run, and what it will take."""
    place = f"s3://{order.bucket}/{order.prefix}"
    yield f"{found.images:,} images, {_size(found.size)}, below {place}"
    yield f"engine {engine.name}: {', '.join(engine.deployment.values())}"
    recipe = Recipe.parse(order.recipe, base=Recipe(metadata=True))
    told = estimate(
        engine.name,
        found.images,
        found.size,
        table=order.table,
        artifacts=len(output_kinds(recipe)),
        concurrency=order.concurrency,
        per_invocation=order.per_invocation,
    )
    yield f"about ${told.dollars:,.2f}: {_bill(told)}"
    yield f"about {_duration(told.seconds)} with {order.concurrency} at a time"
    yield (
        "assumed: list prices of us-east-1 in November 2026, without storage and transfer; images "
        "whose size their bytes suggest; see docs/cost.md"
    )
    if order.skip_existing:
        yield "at most: objects whose results are there are looked at, but not analysed"


def _bill(told: Estimate) -> str:
    return ", ".join(f"{item.name} ${item.dollars:,.2f}" for item in told.items)


def _ask() -> None:
    if not is_terminal(sys.stdin):
        raise UsageError("it asks before it starts: add --yes where nobody can answer")
    say("start it? [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("not started")


def _order(options: Options) -> Order:
    """What the options ask for; the name of the run follows once the images are known."""
    bucket, _, prefix = options.input.removeprefix("s3://").partition("/")
    if not options.input.startswith("s3://") or not bucket:
        raise UsageError(
            f"{options.input}: should be s3://bucket/prefix; --engine dask takes others"
        )
    table = options.table is not None
    return Order(
        bucket,
        as_folder(prefix),
        "",
        _recipe(options),
        skip_existing=options.skip_existing,
        table=table,
        keys=tuple(read_keys(options.keys)) if options.keys else None,
        concurrency=options.concurrency or CONCURRENCY,
        per_invocation=options.per_invocation or (PER_SCAN if table else PER_INVOCATION),
    )


def _recipe(options: Options) -> dict[str, str]:
    """Keys of the recipe that are set, checked to go together."""
    try:
        recipe = Recipe.parse_text(options.recipe, base=Recipe(metadata=True))
        resolve_masks(recipe, read_file if options.engine == "dask" else no_masks)
    except RecipeError as exc:
        raise UsageError(f"--recipe: {exc}") from exc
    if not recipe.metadata:
        raise UsageError("--recipe metadata=no: the record states the outcome of each image")
    texts = recipe.texts()
    named = {key_name(key) for key in entries(options.recipe)}
    if options.table is not None and named & SCAN.keys():
        named_text = ", ".join(sorted(named & SCAN.keys()))
        raise UsageError(f"--recipe {named_text}: a table is made of records, without pictures")
    return {key: texts[key] for key in texts if key in named} | (
        SCAN if options.table is not None else {}
    )


def _check_table(options: Options) -> None:
    if options.table is None:
        return
    if not options.table.endswith(".parquet"):
        raise UsageError(f"--table {options.table}: should end in .parquet")
    if options.engine == "batch":
        raise UsageError(
            "--table needs --engine map or dask: S3 Batch Operations invokes the function for each "
            "object alone, so that each would have a file of its own"
        )
    if options.skip_existing:
        raise UsageError("--skip-existing: a table has a row for each image; leave one of them out")
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingExtra("--table needs pyarrow: pip install 'fft-pipeline[parquet]'")


def _command_again(run: _Run, order: Order) -> Callable[[str], str]:
    """Return the command that runs the keys in a file again."""
    words = ["fft-tool", "backfill", f"s3://{order.bucket}/{order.prefix}"]
    words += ["--engine", run.engine.name]
    words += [word for flag in run.engine.deployment.items() for word in flag]
    recipe = {k: v for k, v in order.recipe.items() if not (order.table and k in SCAN)}
    if recipe:
        words += ["--recipe", " ".join(f"{key}={value}" for key, value in recipe.items())]
    if order.table:
        table = (run.options.table or "scan.parquet").removesuffix(".parquet")
        words += ["--table", f"{table}-again.parquet"]
    return lambda name: shlex.join([*words, "--keys", name, "--yes"])


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return "a minute"
    return f"{minutes:,.0f} minutes" if minutes < 120 else f"{minutes / 60:,.1f} hours"
