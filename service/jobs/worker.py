"""The worker: takes jobs that are due and does them, each with a child process for its images.

Its threads hold no state of their own. Whatever dies, the table of jobs tells what is to be done.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from fft_tool.databases.patience import patiently
from fft_tool.errors import FftToolError
from fft_tool.recipe import Recipe
from fft_tool.runs.child import Child, ChildBug
from service.jobs import table
from service.jobs.kinds import Kinds
from service.jobs.sweep import recover, sweep
from service.jobs.table import Failure, Job
from service.parts import Parts

LOOKING = 1.0  # seconds between two looks for jobs that are due, unless woken
AWAY = 5.0  # seconds until the next look after one that failed
RENEWING = table.LEASE / 3  # seconds between two renewals of leases
SWEEPING = 600.0  # seconds between two sweeps, which list all blobs
FINISHING = 10.0  # seconds for which jobs may go on when the worker is to stop
ENDING = 5.0  # seconds until threads have to have ended after that
NICENESS = 19  # of the processes that work on images: requests come first

BUG = Failure("internal", "an unexpected error, which has been logged")

_log = logging.getLogger(__name__)


class Worker:
    """Threads that do jobs, as many at once as the settings allow, until ``stop`` is called."""

    def __init__(self, parts: Parts, kinds: Kinds) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._parts, self._kinds = parts, kinds
        self._stopping, self._ended = threading.Event(), threading.Event()
        self._turn = threading.Lock()
        self._held: dict[int, tuple[Job, Child]] = {}
        self._servers = [_thread(self._serve) for _ in range(parts.settings.workers)]
        self._keepers = [
            _thread(lambda: self._repeat(self._renew, RENEWING)),
            _thread(lambda: self._repeat(lambda: sweep(parts), SWEEPING)),
        ]

    def start(self) -> None:
        """Start the threads, and return."""
        for thread in (*self._servers, *self._keepers):
            thread.start()

    def stop(self, seconds: float = FINISHING) -> None:
        """Take no more jobs; those that do not end within some seconds are given back."""
        self._stopping.set()
        _join(self._servers, seconds)
        for job, _ in list(self._held.values()):
            _log.warning("job %d (%s) is given back: the worker has to stop", job.id, job.kind)
            with (
                _logged("a job cannot be given back, its lease will run out"),
                self._parts.database.begin() as session,
            ):
                table.give_back(session, job, now=self._now())
        self._ended.set()
        self._abort()
        _join(self._keepers, ENDING)

    def is_idle(self) -> bool:
        """Whether no job is at work here, and none is due."""
        with self._parts.database.read() as session:
            due = table.is_due(session, tuple(self._kinds), now=self._now())
        return not due and not self._held

    def work_off(self) -> int:
        """Do all jobs that are due now, in the calling thread; return how many were."""
        done = 0
        with _child() as child:
            while job := self._claim():
                self._do(job, child)
                done += 1
        return done

    def _abort(self) -> None:
        """End the work on jobs that were given back, also where it goes on with another process."""
        end = time.monotonic() + ENDING
        while any(thread.is_alive() for thread in self._servers) and time.monotonic() < end:
            for _, child in list(self._held.values()):
                child.abort()
            _join(self._servers, 0.1)

    def _serve(self) -> None:
        with _child() as child:
            while not self._stopping.is_set():
                job = self._next()
                if job is not None:
                    self._do(job, child)

    def _next(self) -> Job | None:
        """The next job, or None after a while. One thread looks, the others wait for their turn."""
        with self._turn:
            if self._stopping.is_set():
                return None
            with _logged("no job can be taken"):
                job = self._claim()
                if job is None:
                    self._parts.queue.wait(LOOKING)
                return job
            self._stopping.wait(AWAY)
            return None

    def _claim(self) -> Job | None:
        database, kinds = self._parts.database, tuple(self._kinds)
        with database.read() as session:
            if not table.is_due(session, kinds, now=self._now()):
                return None
        with database.begin(lasting=False) as session:
            return table.claim(session, self.name, kinds, now=self._now())

    def _do(self, job: Job, child: Child) -> None:
        began = time.monotonic()
        self._held[job.id] = job, child
        try:
            failure = self._attempt(job, child)
            if self._ended.is_set():
                return  # it was given back
            with _logged(f"what came of job {job.id} cannot be written, it will be done again"):
                state = patiently(lambda: self._settle(job, failure), table.LEASE)
                taken = time.monotonic() - began
                _log.info(
                    "job %d (%s): %s after %.3f s, attempt %d",
                    *(job.id, job.kind, state, taken, job.attempts),
                    extra={"job_id": job.id, "kind": job.kind, "ms": round(1000 * taken)},
                )
        finally:
            del self._held[job.id]

    def _attempt(self, job: Job, child: Child) -> Failure | None:
        """Do the work of a job; return why it failed, if it did."""
        try:
            if not child.is_prepared:
                memory = self._parts.settings.memory_of_an_image
                child.prepare(Recipe(), memory=memory, niceness=NICENESS)
            self._kinds[job.kind](self._parts, job, child)
        except FftToolError as exc:
            _log.warning("job %d (%s): %s: %s", job.id, job.kind, exc.code, exc)
            return Failure(exc.code, exc.public, exc.permanent)
        except Exception as exc:  # noqa: BLE001  (a bug must not end the worker)
            stack = "".join(exc.stack) if isinstance(exc, ChildBug) else ""
            _log.exception("job %d (%s): unexpected error\n%s", job.id, job.kind, stack)
            return BUG
        return None

    def _settle(self, job: Job, failure: Failure | None) -> str:
        """Write what came of a job; return its state then."""
        with self._parts.database.begin() as session:
            if failure is None:
                return "done" if table.finish(session, job, now=self._now()) else "taken away"
            return table.fail(session, job, failure, now=self._now()) or "taken away"

    def _renew(self) -> None:
        """Renew the leases of jobs at work, then find those whose worker has died."""
        held = list(self._held)
        if held:
            with self._parts.database.begin(lasting=False) as session:
                table.renew(session, self.name, held, now=self._now())
        recover(self._parts)

    def _repeat(self, work: Callable[[], object], seconds: float) -> None:
        while not self._ended.wait(seconds):
            with _logged("will be tried again"):
                work()

    def _now(self) -> datetime:
        return self._parts.clock.now()


def run_worker(parts: Parts, kinds: Kinds) -> None:
    """Do jobs until the process is told to stop, by SIGTERM or Ctrl-C."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    worker = Worker(parts, kinds)
    worker.start()
    _log.info("worker %s waits for jobs; wakes by %s", worker.name, parts.queue.place)
    told.wait()
    worker.stop()


@contextmanager
def _child() -> Iterator[Child]:
    """A process that starts when it is needed first."""
    child = Child()
    try:
        yield child
    finally:
        child.close()


@contextmanager
def _logged(consequence: str) -> Iterator[None]:
    """Log what goes wrong, and continue: a thread must not end while the worker runs."""
    try:
        yield
    except FftToolError as exc:
        _log.warning("%s: %s", consequence, exc)
    except Exception:  # noqa: BLE001  (as above)
        _log.exception("%s: unexpected error", consequence)


def _thread(work: Callable[[], None]) -> threading.Thread:
    # Not waited for when the process ends: what is not finished is done again.
    return threading.Thread(target=work, name="worker", daemon=True)


def _join(threads: Sequence[threading.Thread], seconds: float) -> None:
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
