"""Side-by-side timing of calls in this process and of separate processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import fft_tool

T = TypeVar("T")

LAUNCHER = Path(__file__).with_name("launch.py")
LEAST_ROUNDS = 3


class CommandFailed(Exception):
    """A measured command did not succeed."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How often to measure: ``repeats`` rounds, and more until they take ``fill`` seconds.

    After ``budget`` seconds, three rounds are enough.
    """

    repeats: int = 7
    fill: float = 1.0
    budget: float = 40.0

    def at_most(self, repeats: int) -> Effort:
        """The effort for stable or slow measurements: at most this many rounds."""
        return replace(self, repeats=min(self.repeats, repeats), fill=0)

    def enough(self, rounds: int, seconds: float) -> bool:
        """Whether to stop after this many rounds, which took this many seconds."""
        if rounds < min(self.repeats, LEAST_ROUNDS):
            return False
        return seconds >= self.budget or (rounds >= self.repeats and seconds >= self.fill)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of every round."""

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """The least disturbed round."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The middle round."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Run:
    """One process from start to end: wall time in seconds, peak resident memory in bytes."""

    seconds: float
    peak: int
    stdout: str


def side_by_side(
    contenders: Mapping[str, Callable[[], T]],
    effort: Effort,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[T]]:
    """Call all contenders in turn, A B C A B C …, so that noise affects all alike."""
    results: dict[str, list[T]] = {name: [] for name in contenders}
    start, rounds = clock(), 0
    while not effort.enough(rounds, clock() - start):
        for name, contender in contenders.items():
            results[name].append(contender())
        rounds += 1
    return results


def race(contenders: Mapping[str, Callable[[], object]], effort: Effort) -> dict[str, Times]:
    """Time calls in this process."""
    found = side_by_side({name: _timed(call) for name, call in contenders.items()}, effort)
    return {name: Times(tuple(seconds)) for name, seconds in found.items()}


def race_processes(
    commands: Mapping[str, Sequence[str]], effort: Effort
) -> dict[str, tuple[Times, int]]:
    """Time whole processes; also returns the largest peak memory of each, in bytes."""
    contenders = {name: _started(command) for name, command in commands.items()}
    found = side_by_side(contenders, effort)
    return {
        name: (Times(tuple(run.seconds for run in runs)), max(run.peak for run in runs))
        for name, runs in found.items()
    }


def run_process(command: Sequence[str]) -> Run:
    """Run a command that must succeed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        launch = [sys.executable, "-I", "-S", str(LAUNCHER), str(report), *command]
        done = subprocess.run(
            launch, check=False, capture_output=True, text=True, env=_environment()
        )
        if done.returncode:
            raise CommandFailed(f"{' '.join(command)}: {done.stderr.strip()}")
        seconds, peak = report.read_text("ascii").split()
    return Run(float(seconds), int(peak), done.stdout)


def _environment() -> dict[str, str]:
    """Our environment, set so that ``fft_tool`` is the package that is imported here."""
    return os.environ | {"PYTHONPATH": str(Path(fft_tool.__file__).parents[1])}


def _timed(call: Callable[[], object]) -> Callable[[], float]:
    def seconds() -> float:
        start = time.perf_counter()
        result = call()
        elapsed = time.perf_counter() - start
        del result  # freeing it is not part of the work
        return elapsed

    return seconds


def _started(command: Sequence[str]) -> Callable[[], Run]:
    return lambda: run_process(command)
