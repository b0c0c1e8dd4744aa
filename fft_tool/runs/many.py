"""Batches of sources, processed in turn or by several processes; a bad source affects no other."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from fft_tool import pipeline
from fft_tool.errors import Aborted, FftToolError, Killed, OutOfMemory, TookTooLong
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Artifact, Outputs, Source
from fft_tool.runs.completeness import is_complete, is_current
from fft_tool.runs.fetch import check_start
from fft_tool.runs.interrupts import begin_worker, end_workers, finishing
from fft_tool.runs.machine import address_bound, end_with_parent, limit_addresses
from fft_tool.runs.one import Analysed, Input, Outcome, process
from fft_tool.runs.sources import SourceRef
from fft_tool.stores.base import Store
from fft_tool.stores.opening import open_store

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkContext, SpawnContext

Operation = Callable[..., Outputs]


@dataclass(frozen=True, slots=True)
class Job:
    """What to do with each source of a batch; subclasses do something else in :meth:`run`.

    ``target`` is the URL of the store to which artifacts are written; if None, they are returned in
    the outcome. ``threads`` and ``timeout`` apply to each source. A process that works longer than
    ``timeout`` seconds is killed; None means no limit. With ``by_etag``, ``skip_existing`` trusts
    the metadata of records where there are any, see :func:`fft_tool.runs.completeness.is_current`.
    """

    recipe: Recipe
    limits: Limits = Limits()
    operation: Operation = pipeline.run
    target: str | None = None
    skip_existing: bool = False
    by_etag: bool = False
    dry_run: bool = False
    threads: int = 1
    timeout: float | None = None
    profile: bool = False

    def run(
        self, source: Input, recipe: Recipe, target: Store | None, on_step: Callable[[str], None]
    ) -> Outcome:
        """Process one source; its errors become part of the outcome."""
        return process(
            source,
            None if self.dry_run else target,
            recipe,
            self.limits,
            partial(_work, job=self, target=target),
            recorded=self.operation is pipeline.run,
            on_step=on_step,
            check_start=lambda source: check_start(source.store, source.key),
            is_current=partial(is_current, target, source.name)
            if target and self.by_etag and source.page is None
            else None,
        )


def run_batch(refs: Sequence[SourceRef], job: Job, *, processes: int = 1) -> Iterator[Outcome]:
    """Yield the outcome of each source, in order, as soon as it is known.

    If iteration stops early, sources in progress are finished and the rest dropped. After an
    interrupt, only files being written are finished.
    """
    if job.timeout is None and (processes <= 1 or len(refs) <= 1):
        yield from map(partial(run_one, job=job), refs)
        return
    pipeline.warm_up(job.recipe)
    local = "://" not in (job.target or "") + "".join(ref.store for ref in refs)
    remaining = list(refs)
    while len(remaining) > 1:
        count = 0
        for outcome in _on_processes(remaining, job, processes, fork=local):
            yield outcome
            count += 1
        if count < len(remaining):  # a worker was killed: check whether the next source caused it
            yield _alone(remaining[count], job, fork=local)
            count += 1
        remaining = remaining[count:]
    for ref in remaining:
        yield _alone(ref, job, fork=local)


def run_one(
    ref: SourceRef, job: Job, *, on_step: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Process one source; ``on_step`` is passed to :func:`fft_tool.runs.one.process`."""
    try:
        target = open_store(job.target, profile=job.profile) if job.target else None
        source = ref.opened(profile=job.profile)
        outcome = job.run(source, ref.recipe(job.recipe), target, on_step)
    except FftToolError as exc:  # from opening a store
        outcome = Outcome(ref.name, "failed", error=exc)
    except MemoryError:
        error = OutOfMemory("not enough memory for this image")
        outcome = Outcome(ref.name, "failed", error=error)
    if job.dry_run and outcome.result == "done":
        names = tuple(artifact.name for artifact in outcome.artifacts)
        outcome = replace(outcome, result="planned", outputs=names, artifacts=())
    return replace(outcome, source=str(ref))


def _work(source: Source, recipe: Recipe, *, job: Job, target: Store | None) -> Analysed | None:
    if job.skip_existing and target and is_complete(target, source, recipe):
        return None
    if job.dry_run:
        names = pipeline.plan(source, recipe, job.limits)
        return Analysed(tuple(Artifact("planned", name, b"") for name in names))
    with time_limit(job.timeout):
        outputs = job.operation(source, recipe, job.limits, threads=job.threads)
    return Analysed(outputs.artifacts, outputs.record, remarks=outputs.remarks)


def _run_in_worker(ref: SourceRef, job: Job) -> Outcome:
    with finishing() as on_step:
        return run_one(ref, job, on_step=on_step)


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Kill this process after the given time: compiled code cannot be interrupted."""
    if seconds is None:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _on_processes(
    refs: Sequence[SourceRef], job: Job, processes: int, *, fork: bool
) -> Iterator[Outcome]:
    """Outcomes in order; ends early if a worker dies."""
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415  (takes 20 ms)
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415  (as above)

    workers = min(processes, len(refs))
    pool = ProcessPoolExecutor(
        workers, _context(fork=fork), initializer=_begin_worker, initargs=(job,)
    )
    # Small chunks of sources: enough to amortise messages, few enough to balance the load.
    at_once = max(1, min(8, len(refs) // (4 * processes)))
    try:
        yield from pool.map(partial(_run_in_worker, job=job), refs, chunksize=at_once)
    except BrokenProcessPool:
        return
    except KeyboardInterrupt:
        end_workers()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _alone(ref: SourceRef, job: Job, *, fork: bool) -> Outcome:
    """Outcome of one source in a separate process, even if that process is killed."""
    context = _context(fork=fork)
    ours, theirs = context.Pipe(duplex=False)
    worker = context.Process(target=_send_outcome, args=(theirs, ref, job))
    worker.start()
    theirs.close()
    try:
        result: Outcome | Exception = ours.recv()
    except EOFError:
        worker.join()
        return Outcome(str(ref), "failed", error=_why_killed(worker.exitcode, job.timeout))
    finally:
        ours.close()
    worker.join()
    if isinstance(result, Exception):
        raise result
    return result


def _send_outcome(theirs: Connection, ref: SourceRef, job: Job) -> None:
    _begin_worker(job)
    with finishing() as on_step:
        try:
            theirs.send(run_one(ref, job, on_step=on_step))
        except Exception as exc:  # noqa: BLE001  (a bug, for the parent to raise)
            theirs.send(exc)


def _why_killed(code: int | None, timeout: float | None) -> Aborted:
    """Error for a process that ended with an exit code but without an outcome."""
    if timeout is not None and code == -signal.SIGALRM:
        return TookTooLong(f"it took longer than the {timeout:g} s of --timeout")
    return Killed("the worker process was killed: is there enough memory?")


def _context(*, fork: bool) -> ForkContext | SpawnContext:
    import multiprocessing  # noqa: PLC0415  (only batches need it)

    # Forking is ten times as fast as spawning, but does not work with the S3 client's threads, nor
    # with macOS's system libraries.
    if fork and sys.platform == "linux":
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("spawn")


def _begin_worker(job: Job) -> None:
    """Leave interrupts to the parent, end when the parent does, and limit the memory."""
    begin_worker()
    end_with_parent()
    bound = address_bound(job.limits.max_memory, threads=job.threads, heaps=job.threads)
    if bound is not None:
        limit_addresses(bound)
