"""The engine ``dask``: the same run of each image, on a cluster of Dask.

The client keeps only a few chunks of images in flight, so that memory does not grow with their
number. The work of a worker that is killed is done by another one; an image that kills worker after
worker is reported, and the others of its chunk are done.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from fft_tool import __version__
from fft_tool.backfill.parts import Line, row_of, row_of_failure
from fft_tool.errors import EngineRefused, EngineUnavailable, MissingExtra
from fft_tool.results.naming import RECORD
from fft_tool.results.record import from_bytes
from fft_tool.runs.many import Job, run_one
from fft_tool.runs.one import Outcome
from fft_tool.runs.sources import SourceRef

PER_TASK = 8
"""Images in one task: few, as those of a worker that is killed are started again."""

CHUNKS_PER_THREAD = 2
"""Tasks in flight for each thread of the cluster, so that none waits for the client."""

RETRIES = 3
CONNECTING = 10.0  # seconds

_MUST_AGREE = {"python", "dask", "distributed", "msgpack", "cloudpickle"}


def run_on_cluster(
    refs: Sequence[SourceRef], job: Job, address: str, *, per_task: int = PER_TASK
) -> Iterator[Line]:
    """Run a job for each source on a cluster; yield a line for each, as soon as it is known.

    Without a target, the artifacts stay on the cluster, and each line has a row of the table.
    """
    with _client(address) as client:
        _check_versions(client)
        threads = sum(client.nthreads().values()) or 1
        yield from _stream(client, refs, job, per_task, CHUNKS_PER_THREAD * threads)


def analyse_chunk(refs: Sequence[SourceRef], job: Job) -> list[Line]:
    """Run a job for each source of a chunk: what a worker does."""
    return [_line(ref, run_one(ref, job), job) for ref in refs]


def _stream(
    client: Any, refs: Sequence[SourceRef], job: Job, per_task: int, most: int
) -> Iterator[Line]:
    """Submit chunks, at most ``most`` at a time, and yield their lines in any order."""
    from distributed import as_completed  # noqa: PLC0415  (optional, and takes half a second)

    chunks = [refs[at : at + per_task] for at in range(0, len(refs), per_task)][::-1]
    waiting: dict[Any, Sequence[SourceRef]] = {}
    done: Any = as_completed(loop=client.loop)  # type: ignore[no-untyped-call]

    def submit() -> None:
        while chunks and len(waiting) < most:
            chunk = chunks.pop()
            future = client.submit(analyse_chunk, chunk, job, retries=RETRIES, pure=False)
            waiting[future] = chunk
            done.add(future)

    submit()
    while waiting:
        future = next(done)
        chunk = waiting.pop(future)
        error = future.exception()
        if error is None:
            yield from future.result()
        elif len(chunk) > 1:  # find out which of them it was
            chunks += [[ref] for ref in chunk]
        else:
            yield _lost(chunk[0], error)
        future.release()
        submit()


def _line(ref: SourceRef, outcome: Outcome, job: Job) -> Line:
    error = outcome.error
    code, message = (error.code, str(error)) if error else ("", "")
    line = Line(str(ref), outcome.result, code, message)
    if job.target is not None:
        return line
    if error is not None:
        size = outcome.stat.size if outcome.stat else None
        row = row_of_failure(
            ref.name, outcome.result, error, recipe=job.recipe, size=size, sha256=outcome.sha256
        )
        return replace(line, row=row)
    record = next(artifact.data for artifact in outcome.artifacts if artifact.kind == RECORD)
    return replace(line, row=row_of(from_bytes(record)))


def _lost(ref: SourceRef, error: BaseException) -> Line:
    """Line of a source whose every attempt ended with the worker."""
    refused = EngineRefused(f"it was given up by the cluster: {type(error).__name__}: {error}")
    row = row_of_failure(ref.name, "failed", refused)
    return Line(str(ref), "failed", refused.code, str(refused), row)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    if importlib.util.find_spec("distributed") is None:
        raise MissingExtra("--engine dask needs Dask: pip install 'fft-pipeline[dask]'")
    from distributed import Client  # noqa: PLC0415  (optional, and takes half a second)

    try:
        client: Any = Client(address, timeout=CONNECTING, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as exc:
        raise EngineUnavailable(f"{address}: no Dask scheduler answers: {exc}") from exc
    try:
        yield client
    finally:
        client.close()


def _check_versions(client: Any) -> None:
    """Raise an error if the cluster has no workers, or other versions than this program."""
    found = client.run(_own_version, on_error="return")
    if not found:
        raise EngineUnavailable("the cluster has no workers")
    wrong = {f"{worker}: {told}" for worker, told in found.items() if told != __version__}
    if wrong:
        told = "; ".join(sorted(wrong))
        raise EngineRefused(f"every worker needs fft-pipeline {__version__}, as here; {told}")
    versions = client.get_versions()
    own = versions["client"]
    for name, each in {"the scheduler": versions["scheduler"], **versions["workers"]}.items():
        theirs, ours = _packages(each), _packages(own)
        different = sorted(
            f"{package} {theirs[package]}, here {ours[package]}"
            for package in theirs.keys() & ours.keys() & _MUST_AGREE
            if theirs[package] != ours[package]
        )
        if different:
            raise EngineRefused(f"{name} has other versions: {'; '.join(different)}")


def _packages(told: Any) -> dict[str, str]:
    host = dict(told["host"])
    python = ".".join(str(host.get("python", "")).split(".")[:2])
    return {**told["packages"], "python": python}


def _own_version() -> str:
    from fft_tool import __version__  # noqa: PLC0415  (that of the worker)

    return __version__
