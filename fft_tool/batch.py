"""Many sources, one after the other or on several processes; one bad source stops no other."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from fft_tool import pipeline
from fft_tool.errors import FftToolError
from fft_tool.interrupts import begin_worker, finishing
from fft_tool.limits import Limits
from fft_tool.outputs import Artifact, Outputs
from fft_tool.recipe import Recipe
from fft_tool.seal import is_complete
from fft_tool.sources import SourceRef
from fft_tool.store import open_store

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

Operation = Callable[..., Outputs]

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Job:
    """What is done to every source of a batch.

    ``target`` is the URL of the store that takes the artifacts; None has them returned in the
    outcome instead. ``threads`` is for each source.
    """

    recipe: Recipe
    limits: Limits = Limits()
    operation: Operation = pipeline.run
    target: str | None = None
    skip_existing: bool = False
    dry_run: bool = False
    threads: int = 1
    profile: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source: "done", "skipped", "planned" (dry run) or "failed"."""

    source: str
    result: str
    outputs: tuple[str, ...] = ()
    record: Mapping[str, Any] | None = None
    artifacts: tuple[Artifact, ...] = ()
    error: Mapping[str, str] | None = field(default=None)

    def to_json(self) -> dict[str, Any]:
        """One line for machines."""
        return {
            "source": self.source,
            "outcome": self.result,
            "outputs": list(self.outputs),
            "error": self.error and dict(self.error),
        }


def run_batch(refs: Sequence[SourceRef], job: Job, *, processes: int = 1) -> Iterator[Outcome]:
    """Give the outcome of every source, in order, as soon as it is known.

    Leaving early (an interrupt) lets the sources under way finish and drops the rest.
    """
    work = partial(process, job=job)
    if processes <= 1 or len(refs) <= 1:
        yield from map(work, refs)
        return
    pipeline.warm_up(job.recipe)
    work = partial(_process_in_worker, job=job)
    local = "://" not in (job.target or "") + "".join(ref.store for ref in refs)
    remaining = list(refs)
    while remaining:
        count = 0
        for outcome in _on_processes(work, remaining, processes, fork=local):
            yield outcome
            count += 1
        if count < len(remaining):  # a worker was killed: find out whether by the next source
            yield from _alone(work, remaining[count], fork=local)
            count += 1
        remaining = remaining[count:]


def process(ref: SourceRef, job: Job) -> Outcome:
    """Do one job to one source; every error that can be foreseen becomes part of the outcome."""
    try:
        return _process(ref, job)
    except FftToolError as exc:
        return _failed(ref, exc.code, str(exc))
    except MemoryError:
        return _failed(ref, "out-of-memory", "there is not enough memory for this image")


def _process_in_worker(ref: SourceRef, job: Job) -> Outcome:
    with finishing():
        return process(ref, job)


def _process(ref: SourceRef, job: Job) -> Outcome:
    source = ref.read(profile=job.profile, limits=job.limits)
    target = open_store(job.target, profile=job.profile) if job.target else None
    if job.skip_existing and target and is_complete(target, source, job.recipe):
        return Outcome(str(ref), "skipped")
    if job.dry_run:
        return Outcome(str(ref), "planned", pipeline.plan(source, job.recipe, job.limits))
    outputs = job.operation(source, job.recipe, job.limits, threads=job.threads)
    if target is None:
        return Outcome(str(ref), "done", (), outputs.record, outputs.artifacts)
    for artifact in outputs:
        target.write(artifact.name, artifact.data, content_type=artifact.content_type)
    return Outcome(str(ref), "done", tuple(a.name for a in outputs), outputs.record)


def _on_processes(
    work: Callable[[SourceRef], Outcome],
    refs: Sequence[SourceRef],
    processes: int,
    *,
    fork: bool,
) -> Iterator[Outcome]:
    """Outcomes in order; ends early if a worker dies."""
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415  (costs 20 ms)

    pool = _pool(min(processes, len(refs)), fork=fork)
    # A few sources at a time: enough to hide the talk between processes, few enough to share.
    at_once = max(1, min(8, len(refs) // (4 * processes)))
    try:
        yield from pool.map(work, refs, chunksize=at_once)
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _alone(
    work: Callable[[SourceRef], Outcome], ref: SourceRef, *, fork: bool
) -> Iterator[Outcome]:
    """Outcome of one source in a process of its own, also if that is killed."""
    found = list(_on_processes(work, [ref], 1, fork=fork))
    killed = "the process that worked on it was killed: is there enough memory?"
    yield from found or [_failed(ref, "killed", killed)]


def _pool(processes: int, *, fork: bool) -> ProcessPoolExecutor:
    import multiprocessing  # noqa: PLC0415
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    # Forking is ten times faster than starting anew, but the S3 client's threads do not survive
    # it, and macOS's own libraries do not either.
    method = "fork" if fork and sys.platform == "linux" else "spawn"
    return ProcessPoolExecutor(
        processes, multiprocessing.get_context(method), initializer=_begin_worker
    )


def _begin_worker() -> None:
    """Let interrupts be the parent's affair, and end when the parent does, however that ends."""
    begin_worker()
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _failed(ref: SourceRef, code: str, message: str) -> Outcome:
    return Outcome(str(ref), "failed", error={"code": code, "message": message})
