"""Measurements of memory, and of the largest images that are accepted."""

from __future__ import annotations

import json
import sys
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from contenders import OURS
from images import decoded, pink_file, write_large
from measure import Effort, Run, Times, race_processes, run_process, side_by_side
from plan import Plan
from programs import all_programs, analyze, library
from reference import Reference, check_pictures, fixed
from rows import bytes_text, digits, shape_text
from table import Goal, Row, Section
from whole_process import refused_programs, work_folder

MEMORY_GOAL = Goal("≤", 16, "B/pixel")
GROWTH_GOAL = Goal("≤", 1.5)
PEAK_GOAL = Goal("≤", 6, "GiB")

BARE, IMPORTED = "bare Python", "library imported"
STARTS = {
    BARE: [sys.executable, "-c", "pass"],
    IMPORTED: [
        sys.executable,
        "-c",
        "from fft_tool.cli.commands import Recipe, pipeline; pipeline.warm_up(Recipe())",
    ],
}
SCRIPTS = ("plain script", "OpenCV script")
MEMORY_ROUNDS = 2
GROWTH_ROUNDS = 3
SMALL_RUNS = 5  # in each process: the first one also loads modules


def memory(plan: Plan) -> Section:
    """Peak memory of a process that analyses one image."""
    side = plan.memory_side
    programs = [program for program in all_programs() if program.name in (OURS, *SCRIPTS)]
    with work_folder() as folder:
        image, out = folder / "image.png", folder / "out"
        image.write_bytes(pink_file(side))
        absent = refused_programs(programs, image, out)
        commands = {p.name: p.command(image, out) for p in programs if p.name not in absent}
        found = race_processes({**STARTS, **commands}, plan.effort.at_most(MEMORY_ROUNDS))
    peaks = {name: peak for name, (_, peak) in found.items()}
    return Section(
        "Peak memory",
        "Largest resident memory of the whole process, less that of a bare Python process or "
        f"of one that has only imported the library: {bytes_text(peaks[BARE])} and "
        f"{bytes_text(peaks[IMPORTED])}.",
        tuple(_memory_rows(side, peaks, absent)),
    )


def _memory_rows(side: int, peaks: dict[str, int], absent: dict[str, str]) -> list[Row]:
    def above(name: str, start: str) -> float:
        return (peaks[name] - peaks[start]) / side**2

    def text(name: str, start: str) -> str:
        return f"{bytes_text(peaks[name] - peaks[start])} ({digits(above(name, start))} B/pixel)"

    size = shape_text(side, side)
    rows = [
        Row(
            f"{size}, above {start}",
            text(OURS, start),
            value=above(OURS, start),
            unit="B/pixel",
            goal=MEMORY_GOAL if start == BARE else None,
        )
        for start in STARTS
    ]
    for name in SCRIPTS:
        what, ours = f"{size}, above {BARE}", text(OURS, BARE)
        if name in absent:
            rows.append(Row(what, ours, name, absent[name]))
        else:
            less = above(name, BARE) / above(OURS, BARE)
            rows.append(Row(what, ours, name, text(name, BARE), less, "× as little"))
    return rows


def growth(plan: Plan) -> Section:
    """Time per pixel and memory of an image near the size limit."""
    with work_folder() as folder:
        small, large = (folder / f"image{side}.png" for side in plan.growth)
        for path, side in zip((small, large), plan.growth, strict=True):
            write_large(path, side)
        _checked_run(small, folder / "out")
        peak = _checked_run(large, folder / "out").peak
        times = _race_with_itself(small, large, folder / "out", plan.effort)
    return Section(
        "Growth",
        "Time of the library in process, two threads; memory of a whole `fft-tool analyze`. Both "
        "images are made in the same way.",
        tuple(_growth_rows(plan.growth, times, peak)),
    )


def _checked_run(image: Path, out: Path) -> Run:
    """Run our command; its pictures must be right along the middle row and column."""
    run = run_process(analyze(image, out))
    pixels = decoded(image.read_bytes())
    height, width = pixels.shape
    codes = all_programs()[0].read_codes(out, image.stem)
    check_pictures(codes.at(np.s_[height // 2]), Reference.middle_row(pixels), fixed)
    check_pictures(codes.at(np.s_[:, width // 2]), Reference.middle_column(pixels), fixed)
    return run


def _race_with_itself(small: Path, large: Path, out: Path, effort: Effort) -> tuple[Times, Times]:
    """Time the library on both images in turn, each time in a new process."""
    calls = {
        "small": partial(_library_seconds, small, out, SMALL_RUNS),
        "large": partial(_library_seconds, large, out, 1),
    }
    found = side_by_side(calls, effort.at_most(GROWTH_ROUNDS))
    return Times(tuple(chain(*found["small"]))), Times(tuple(chain(*found["large"])))


def _library_seconds(image: Path, out: Path, runs: int) -> list[float]:
    seconds: list[float] = json.loads(run_process(library(image, out, runs)).stdout)
    return seconds


def _growth_rows(sides: tuple[int, int], times: tuple[Times, Times], peak: int) -> list[Row]:
    small, large = (
        1e9 * measured.best / side**2 for measured, side in zip(times, sides, strict=True)
    )
    sizes = [shape_text(side, side) for side in sides]
    return [
        Row(
            f"time per pixel, {sizes[1]}",
            f"{digits(large)} ns",
            f"ours, {sizes[0]}",
            f"{digits(small)} ns",
            large / small,
            "×",
            GROWTH_GOAL,
        ),
        Row(
            f"whole run of {sides[1] ** 2 / 1e6:.0f} MP, peak memory",
            bytes_text(peak),
            value=peak / (1 << 30),
            unit="GiB",
            goal=PEAK_GOAL,
        ),
    ]
