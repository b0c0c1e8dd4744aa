"""Measurements of whole processes: one image, and a folder of images."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from admission import Candidate, refused
from contenders import OURS
from images import decoded, pink_file, write_folder
from measure import race_processes, run_process
from plan import Plan
from programs import Program, all_programs, analyze, analyze_on_one_core, plain_script
from reference import Reference, WrongResult, check_pictures
from rows import shape_text, speed_row
from table import Goal, Section

PROCESS_GOALS = {
    "plain script": Goal("≥", 4),
    "OpenCV script": Goal("≥", 1.5),
    "ImageMagick -fft": Goal(">", 1),
    "vips spectrum (magnitude only)": Goal(">", 1),
}
FOLDER_GOALS = {"plain script": Goal("≥", 12), "ours, one core": Goal("≥", 1.8)}


@contextmanager
def work_folder() -> Iterator[Path]:
    """A temporary folder with a subfolder ``out``."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "out").mkdir()
        yield Path(folder)


def refused_programs(programs: Sequence[Program], image: Path, out: Path) -> dict[str, str]:
    """Run every program once and compare its pictures with numpy's."""
    truth = Reference.of(decoded(image.read_bytes()))

    def check(program: Program) -> None:
        run_process(program.command(image, out))
        check_pictures(program.read_codes(out, image.stem), truth, program.look)

    return refused(Candidate(p.name, p.installed, partial(check, p)) for p in programs)


def process(plan: Plan) -> Section:
    """One image, from the start of a process to its end."""
    side, programs = plan.process_side, all_programs()
    with work_folder() as folder:
        image, out = folder / "image.png", folder / "out"
        image.write_bytes(pink_file(side))
        absent = refused_programs(programs, image, out)
        commands = {p.name: p.command(image, out) for p in programs if p.name not in absent}
        found = race_processes(commands, plan.effort)
    times = {name: measured for name, (measured, _) in found.items()}
    what = f"one image, {shape_text(side, side)}"
    return Section(
        "A whole process, one image",
        "Wall time of a fresh process, files in the page cache: `fft-tool analyze` against the "
        "scripts in `benchmarks/scripts/` and other programs.",
        tuple(
            speed_row(what, times[OURS], name, absent.get(name) or times[name], goal)
            for name, goal in PROCESS_GOALS.items()
        ),
    )


def folder(plan: Plan) -> Section:
    """A folder of small images, from the start of a process to its end."""
    count, side = plan.folder_count, plan.folder_side
    with work_folder() as place:
        images, out = place / "images", place / "out"
        write_folder(images, count, side)
        commands = _folder_commands(images, out)
        absent = _refused_on_folder(commands, images, out)
        racing = {name: command for name, command in commands.items() if name not in absent}
        found = race_processes(racing, plan.effort)
    times = {name: measured for name, (measured, _) in found.items()}
    what = f"{count} images, {shape_text(side, side)}"
    return Section(
        "A whole process, a folder",
        "Wall time of a fresh process: `fft-tool analyze FOLDER` against the plain script in a "
        "loop, and against itself restricted to one core (`taskset`, `--jobs 1`).",
        tuple(
            speed_row(what, times[OURS], name, absent.get(name) or times[name], goal)
            for name, goal in FOLDER_GOALS.items()
        ),
    )


def _folder_commands(images: Path, out: Path) -> dict[str, list[str]]:
    return {
        OURS: analyze(images, out),
        "plain script": plain_script(images, out),
        "ours, one core": analyze_on_one_core(images, out, _first_core()),
    }


def _refused_on_folder(commands: dict[str, list[str]], images: Path, out: Path) -> dict[str, str]:
    """Run every command once and check the first, middle and last image of each."""
    paths = sorted(images.iterdir())
    samples = {paths[0], paths[len(paths) // 2], paths[-1]}
    truths = {path.stem: Reference.of(decoded(path.read_bytes())) for path in samples}
    scripts = {p.name: p for p in all_programs()}

    def check(name: str) -> None:
        for old in out.iterdir():
            old.unlink()
        run_process(commands[name])
        if len(list(out.iterdir())) != 2 * len(paths):
            raise WrongResult(f"{len(paths)} images should give two pictures each")
        program = scripts.get(name, scripts[OURS])
        for stem, truth in truths.items():
            check_pictures(program.read_codes(out, stem), truth, program.look)

    return refused(
        Candidate(name, shutil.which(command[0]) is not None, partial(check, name))
        for name, command in commands.items()
    )


def _first_core() -> int:
    """The first core that this process may use; 0 if the system does not say."""
    return min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
